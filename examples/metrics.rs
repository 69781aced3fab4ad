//! An echo server that tells what it is doing: `/metrics` for Prometheus and `/health`, both on the port of the WebSocket.
//!
//! ```text
//! cargo run -p ws-examples --example metrics -- --listen 127.0.0.1:9001
//! curl http://127.0.0.1:9001/metrics
//! ```

use anyhow::Result;
use clap::Parser;
use http::{HeaderValue, Response, header};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::interval;
use ws_examples::signal::stop_signal;
use ws_server::{Acceptance, Server, describe_metrics};

#[derive(Parser)]
#[command(about = "An echo server with metrics for Prometheus")]
struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> Result<()> {
    // Any recorder of the facade `metrics` will do; this one keeps everything in memory and writes it down when it is asked.
    let prometheus = PrometheusBuilder::new().install_recorder()?;
    describe_metrics();
    let upkeep = prometheus.clone();
    tokio::spawn(async move {
        let mut interval = interval(Duration::from_secs(5));
        loop {
            interval.tick().await;
            upkeep.run_upkeep();
        }
    });

    let server = Server::builder()
        .plain(move |request| match request.uri().path() {
            "/health" => Some(Response::new("ok\n".into())),
            "/metrics" => {
                let mut response = Response::new(prometheus.render().into());
                let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, text);
                Some(response)
            }
            _ => None,
        })
        .bind(Options::parse().listen)
        .await?;
    println!("listening on ws://{}/", server.local_addr()?);
    let running = server.serve(async |incoming| {
        let mut ws = incoming.accept(Acceptance::default()).await?;
        while let Some(message) = ws.recv().await? {
            ws.send(message).await?;
        }
        Ok(())
    });

    stop_signal().await;
    running.stop(Duration::from_secs(10)).await;
    Ok(())
}
