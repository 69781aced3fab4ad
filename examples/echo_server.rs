//! An echo server: text and binary come back as they went, on every path, over tokio or over plain sockets, with TLS or without.
//!
//! ```text
//! cargo run --release -p ws-examples --example echo_server -- --listen 127.0.0.1:9001
//! cargo run --release -p ws-examples --example echo_client -- --url ws://127.0.0.1:9001/
//! ```

use anyhow::Result;
use clap::{Parser, ValueEnum};
use std::net::{SocketAddr, TcpListener};
use std::num::{NonZeroU16, NonZeroUsize};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;
use ws_examples::limits::Limits;
use ws_examples::report::exit_code;
use ws_examples::sync_server;
#[cfg(feature = "deflate")]
use ws_server::proto::deflate::DeflateConfig;
use ws_server::{Acceptance, Config, Runner, Server, Tls};

#[derive(Parser)]
#[command(about = "A WebSocket echo server")]
struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
    /// A file with the certificate chain (PEM): serves wss://
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// A file with its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Does not agree to permessage-deflate
    #[arg(long)]
    no_deflate: bool,
    /// How hard permessage-deflate tries, from 0 to 9
    #[cfg(feature = "deflate")]
    #[arg(long, value_name = "N", default_value_t = DeflateConfig::default().level)]
    deflate_level: u8,
    /// Tasks of tokio, or std sockets and threads that poll them
    #[arg(long, value_enum, default_value_t = Driver::Tokio)]
    driver: Driver,
    /// Workers of the runtime, or threads that poll; by default as many as there are processors
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroU16>,
    /// With tokio: a runtime for each thread, instead of one for all
    #[arg(long)]
    per_core: bool,
    #[command(flatten)]
    limits: Limits,
}

#[derive(Clone, Copy, ValueEnum)]
enum Driver {
    Tokio,
    Sync,
}

// Not private: `benches/mimalloc` is this program with another allocator.
pub(crate) fn main() -> ExitCode {
    exit_code(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificates), Some(key)) => Some(Tls::from_files(certificates, key)?),
        _ => None,
    };
    let threads = options.threads.map(NonZeroUsize::from);
    match options.driver {
        Driver::Tokio => {
            let runner = if options.per_core { Runner::per_core() } else { Runner::new() };
            let runner = threads.map_or(runner, |threads| runner.threads(threads));
            let listening = runner.bind(options.listen)?;
            announce(listening.local_addr()?, tls.is_some());
            let config = Arc::new(config(options)?);
            listening.run(async |listener| serve(listener, Arc::clone(&config), tls.clone()).await)
        }
        Driver::Sync => {
            let listener = TcpListener::bind(options.listen)?;
            announce(listener.local_addr()?, tls.is_some());
            let tls = tls.map(|tls| tls.config());
            let threads = threads.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get);
            Ok(sync_server::serve(listener, config(options)?, tls, threads)?)
        }
    }
}

async fn serve(listener: tokio::net::TcpListener, config: Arc<Config>, tls: Option<Tls>) -> Result<()> {
    let mut server = Server::builder().config(config);
    if let Some(tls) = tls {
        server = server.tls(tls);
    }
    let running = server.listeners([listener.into()])?.serve(async |incoming| {
        let mut ws = incoming.accept(Acceptance::default()).await?;
        while let Some(message) = ws.recv().await? {
            ws.send(message).await?;
        }
        Ok(())
    });
    running.stopped().await;
    Ok(())
}

fn config(options: &Options) -> Result<Config> {
    let config = options.limits.apply(Config::builder());
    #[cfg(feature = "deflate")]
    let config = config.deflate(
        (!options.no_deflate)
            .then(|| DeflateConfig { level: options.deflate_level, ..DeflateConfig::default() }),
    );
    #[cfg(not(feature = "deflate"))]
    let _never_compressed = options.no_deflate;
    Ok(config.build()?)
}

fn announce(addr: SocketAddr, is_secure: bool) {
    println!("listening on {}://{addr}/", if is_secure { "wss" } else { "ws" });
}
