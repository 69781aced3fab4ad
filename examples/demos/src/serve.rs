//! Starting a demo, and ending it.

use crate::site::Site;
use anyhow::Result;
use clap::Args;
use std::net::SocketAddr;
use std::time::Duration;
use ws_server::{Drain, Router, Server, ServerBuilder, ServerHandle};

/// What every demo can be told.
#[derive(Args, Clone, Copy, Debug)]
pub struct Listen {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}

/// Serves the page and what `router` has until SIGINT or SIGTERM comes, and then ends gracefully.
///
/// # Errors
/// The address cannot be had.
pub async fn serve(listen: Listen, site: Site, router: Router) -> Result<()> {
    serve_and(listen, site, router, |_| {}).await
}

/// As [`serve`]; `begun` is called when the server is there, with its address.
///
/// # Errors
/// The address cannot be had.
pub async fn serve_and(
    listen: Listen,
    site: Site,
    router: Router,
    begun: impl FnOnce(SocketAddr),
) -> Result<()> {
    let served = start(Server::builder(), listen, site, router).await?;
    begun(served.local_addr);
    served.until_stopped().await;
    Ok(())
}

/// A demo that is served.
#[derive(Debug)]
pub struct Served {
    /// Where it listens.
    pub local_addr: SocketAddr,
    handle: ServerHandle,
}

/// Begins to serve, with settings of your own.
///
/// # Errors
/// The address cannot be had.
pub async fn start(settings: ServerBuilder, listen: Listen, site: Site, router: Router) -> Result<Served> {
    let server = settings
        .plain(move |request| site.answer(request.uri().path()))
        .on_error(|error, peer| match peer {
            Some(peer) => eprintln!("{peer}: {error}"),
            None => eprintln!("{error}"),
        })
        .bind(listen.listen)
        .await?;
    let local_addr = server.local_addr()?;
    println!("listening on http://{local_addr}/");
    Ok(Served { local_addr, handle: server.serve(router.into_handler()) })
}

impl Served {
    /// Waits for SIGINT or SIGTERM, and ends gracefully.
    pub async fn until_stopped(&self) {
        stop_signal().await;
        self.stop().await;
    }

    /// Ends gracefully. Pages come back by themselves, so they are told that it is worth while.
    pub async fn stop(&self) {
        self.handle.stop(Drain::new(GRACE).restarts()).await;
    }
}

/// Waits for SIGINT (Ctrl-C) or, on Unix, SIGTERM.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

const GRACE: Duration = Duration::from_secs(3);
