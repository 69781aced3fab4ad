//! An echo server that tells what it is doing: `/metrics` for Prometheus and `/health`, both on the port of the WebSocket. Its settings are
//! read from a file and from variables whose names begin with `ECHO_`.
//!
//! ```text
//! cargo run -p ws-examples --example metrics -- --listen 127.0.0.1:9001
//! curl http://127.0.0.1:9001/metrics
//! ECHO_DRAIN__GRACE=30s ECHO_MAX_CONNECTIONS=5000 cargo run -p ws-examples --example metrics -- --settings echo.toml
//! ```

use anyhow::Result;
use clap::Parser;
use http::{HeaderValue, Response, header};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::interval;
use ws_examples::signal::stop_signal;
use ws_server::{Acceptance, ServerHandle, Settings, describe_metrics};

#[derive(Parser)]
#[command(about = "An echo server with metrics for Prometheus")]
struct Options {
    /// Where to listen, where no settings say it; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
    /// A file of settings in TOML
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let text = match &options.settings {
        Some(file) => std::fs::read_to_string(file)?,
        None => String::new(),
    };
    // What is said last goes before.
    let listen =
        options.settings.is_none().then(|| ("ECHO_LISTEN".into(), format!("ws://{}", options.listen).into()));
    let settings =
        Settings::from_toml_and_vars(&text, "ECHO_", listen.into_iter().chain(std::env::vars_os()))?;

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

    // Known to the hook as soon as the server runs.
    let running = Arc::new(OnceLock::<ServerHandle>::new());
    let asked = Arc::clone(&running);
    let builder = settings.builder()?.plain(move |request| match request.uri().path() {
        "/health" => Some(Response::new("ok\n".into())),
        "/metrics" => {
            if let Some(running) = asked.get() {
                // What is counted on connections is added once a second; now it is as it is at this moment.
                running.update_metrics();
            }
            let mut response = Response::new(prometheus.render().into());
            let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, text);
            Some(response)
        }
        _ => None,
    });
    let server = builder.listeners(settings.listen().await?.listeners)?;
    println!("listening on ws://{}/", server.local_addr()?);
    let running = running.get_or_init(|| {
        server.serve(async |incoming| {
            let mut ws = incoming.accept(Acceptance::default()).await?;
            while let Some(message) = ws.recv().await? {
                ws.send(message).await?;
            }
            Ok(())
        })
    });

    stop_signal().await;
    running.stop(settings.drain()).await;
    Ok(())
}
