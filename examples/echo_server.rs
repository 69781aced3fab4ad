//! An echo server: text and binary come back as they went, on every path, over tokio or over plain sockets, with TLS or without.
//!
//! ```text
//! cargo run --release -p ws-examples --example echo_server -- --listen 127.0.0.1:9001
//! cargo run --release -p ws-examples --example echo_client -- --url ws://127.0.0.1:9001/
//! ```

use anyhow::Result;
use clap::{Parser, ValueEnum};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::available_parallelism;
use tokio::runtime;
use ws_examples::limits::Limits;
use ws_examples::report::exit_code;
use ws_examples::sync_server;
use ws_server::{Acceptance, Config, Server, Tls};

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
    /// Tasks of tokio, or std sockets and threads that poll them
    #[arg(long, value_enum, default_value_t = Driver::Tokio)]
    driver: Driver,
    /// Workers of the runtime, or threads that poll; by default as many as there are processors
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    #[command(flatten)]
    limits: Limits,
}

#[derive(Clone, Copy, ValueEnum)]
enum Driver {
    Tokio,
    Sync,
}

fn main() -> ExitCode {
    exit_code(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificates), Some(key)) => Some(Tls::from_files(certificates, key)?),
        _ => None,
    };
    let threads = match options.threads {
        Some(threads) => threads.into(),
        None => available_parallelism().map_or(1, Into::into),
    };
    match options.driver {
        Driver::Tokio => {
            let mut runtime = runtime::Builder::new_multi_thread();
            // With the default of 31 (or what tokio estimates) a worker that is busy with its own tasks looks too seldom at what came from
            // the network, and with hundreds of busy connections some wait for long.
            runtime.worker_threads(threads).global_queue_interval(3).enable_all();
            runtime.build()?.block_on(serve(options, tls))
        }
        Driver::Sync => {
            let listener = TcpListener::bind(options.listen)?;
            announce(listener.local_addr()?, tls.is_some());
            let tls = tls.map(|tls| tls.config().clone());
            Ok(sync_server::serve(listener, config(options)?, tls, threads)?)
        }
    }
}

async fn serve(options: &Options, tls: Option<Tls>) -> Result<()> {
    let is_secure = tls.is_some();
    let mut server = Server::builder().config(config(options)?);
    if let Some(tls) = tls {
        server = server.tls(tls);
    }
    let server = server.bind(options.listen).await?;
    announce(server.local_addr()?, is_secure);
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

fn config(options: &Options) -> Result<Config> {
    let config = options.limits.apply(Config::builder());
    #[cfg(feature = "deflate")]
    let config = if options.no_deflate { config.deflate(None) } else { config };
    #[cfg(not(feature = "deflate"))]
    let _never_compressed = options.no_deflate;
    Ok(config.build()?)
}

fn announce(addr: SocketAddr, is_secure: bool) {
    println!("listening on {}://{addr}/", if is_secure { "wss" } else { "ws" });
}
