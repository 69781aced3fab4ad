//! An axum application with a page and a WebSocket beside it, and a graceful stop on SIGINT or SIGTERM.
//!
//! ```text
//! cargo run -p ws-examples --example axum_app -- --listen 127.0.0.1:8080
//! ```

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::response::{Html, Response};
use axum::routing::get;
use clap::Parser;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use ws_examples::signal::stop_signal;
use ws_server::{Acceptance, BoxError, Server, UpgradeRequest, WebSocket};

#[derive(Parser)]
#[command(about = "An axum application with a WebSocket at /ws")]
struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    // Origins, limits, compression and keepalive are those of a `Server`; axum listens.
    let upgrades = Server::builder().on_error(|error, peer| eprintln!("{peer:?}: {error}")).upgrades()?;
    let app = Router::new()
        .route("/", get(|| async { Html(include_str!("pages/echo.html")) }))
        .route("/health", get(|| async { "ok\n" }))
        .route("/ws", get(upgrade))
        .with_state(upgrades.clone());

    let listener = TcpListener::bind(options.listen).await?;
    println!("listening on http://{}/", listener.local_addr()?);
    // The address of the peer is what connections are limited by.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            stop_signal().await;
            // axum waits for its requests, and the sockets have left it: they are closed here.
            let report = upgrades.handle().stop(Duration::from_secs(5)).await;
            println!("{} sockets ended, {} were cut", report.ended, report.aborted);
        })
        .await?;
    Ok(())
}

async fn upgrade(request: UpgradeRequest) -> Response {
    request.accept(Acceptance::default(), echo).map(|()| Body::empty())
}

async fn echo(mut socket: WebSocket) -> Result<(), BoxError> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}
