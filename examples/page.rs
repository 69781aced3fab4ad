//! A page and its WebSocket from one `ws-server`, without a web framework; SIGINT or SIGTERM stops it gracefully.
//!
//! ```text
//! cargo run -p ws-examples --example page -- --listen 127.0.0.1:8080
//! ```

use anyhow::Result;
use clap::Parser;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use std::net::SocketAddr;
use std::time::Duration;
use ws_examples::signal::stop_signal;
use ws_server::{Acceptance, Router, Server};

#[derive(Parser)]
#[command(about = "A page with a WebSocket at /ws")]
struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = Server::builder()
        .plain(|request| (request.uri().path() == "/").then(page))
        .on_error(|error, peer| eprintln!("{peer:?}: {error}"))
        .bind(Options::parse().listen)
        .await?;
    println!("listening on http://{}/", server.local_addr()?);
    let router = Router::new().route("/ws", async |incoming| {
        let mut ws = incoming.accept(Acceptance::default()).await?;
        while let Some(message) = ws.recv().await? {
            ws.send(message).await?;
        }
        Ok(())
    })?;
    let running = server.serve(router.into_handler());

    stop_signal().await;
    let report = running.stop(Duration::from_secs(5)).await;
    println!("{} connections ended, {} were cut", report.ended, report.aborted);
    Ok(())
}

fn page() -> Response<bytes::Bytes> {
    let mut page = Response::new(include_str!("pages/echo.html").into());
    page.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    page
}
