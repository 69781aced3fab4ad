//! A server of `wss://` that takes a new certificate while it runs: SIGHUP or a change of the files.
//!
//! ```text
//! cargo run -p ws-examples --example tls_reload -- --certificate server.pem --key server.key
//! ```

use anyhow::Result;
use clap::Parser;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use ws_server::{Acceptance, Server, Tls};

#[derive(Parser)]
#[command(about = "An echo server whose certificate can be replaced")]
struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9443")]
    listen: SocketAddr,
    /// A file with the certificate chain (PEM)
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
    /// A file with its private key (PEM)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let tls = Tls::from_files(&options.certificate, &options.key)?;
    let server = Server::builder().tls(tls.clone()).bind(options.listen).await?;
    println!("listening on wss://{}/", server.local_addr()?);

    let watched = tls.clone();
    tokio::spawn(async move {
        watched
            .reload_on_change(Duration::from_secs(10), |outcome| match outcome {
                Ok(()) => println!("the files have changed: new connections get the new certificate"),
                Err(error) => println!("the files have changed, the certificate stays: {error}"),
            })
            .await;
    });
    #[cfg(unix)]
    tokio::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
        while hangup.recv().await.is_some() {
            match tls.reload() {
                Ok(()) => println!("SIGHUP: new connections get the new certificate"),
                Err(error) => println!("SIGHUP: the certificate stays: {error}"),
            }
        }
    });

    let running = server.serve(async |incoming| {
        let mut ws = incoming.accept(Acceptance::default()).await?;
        while let Some(message) = ws.recv().await? {
            ws.send(message).await?;
        }
        Ok(())
    });
    running.stopped().await;
    Ok(())
}
