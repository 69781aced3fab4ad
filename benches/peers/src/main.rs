//! One server for each library that `compare` measures beside ours, all on the same runtime and the same accept loop:
//! `ws-peers --server NAME [--room] [--listen ADDR] [--workers N] [--stock-runtime]`. It prints `listening on ws://ADDR:PORT/` as its
//! first line.
#![forbid(unsafe_code)]

mod batch;
mod fastwebsockets;
mod raw;
mod room;
mod serve;
mod sockudo;
mod tokio_tungstenite;
mod tokio_websockets;
mod transport;
mod yawc;

use clap::{Parser, ValueEnum};
use serve::Serve;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// A server on another library.
#[derive(Parser)]
struct Arguments {
    /// Which one.
    #[arg(long)]
    server: Library,
    /// A room: what one says, all hear. Without it what one says comes back.
    #[arg(long)]
    room: bool,
    /// Where; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Workers of the runtime.
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// The runtime's intervals are tokio's defaults, not those of our own server.
    #[arg(long)]
    stock_runtime: bool,
    /// Compress with permessage-deflate at this level, in servers that can, where the client offers it.
    #[arg(long)]
    deflate_level: Option<u8>,
    /// Speak TLS: a file with the certificate chain (PEM).
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its private key.
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

/// `…Batch` sends what has come in one flush, by hand; all others are the loop of their documentation.
#[derive(Clone, Copy, ValueEnum)]
enum Library {
    Raw,
    TokioTungstenite,
    #[value(name = "tokio-tungstenite-8k")]
    TokioTungstenite8k,
    #[value(name = "tokio-tungstenite-8k-batch")]
    TokioTungstenite8kBatch,
    Fastwebsockets,
    TokioWebsockets,
    SockudoWs,
    SockudoWsBatch,
    Yawc,
    YawcBatch,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    runtime(&arguments)?.block_on(async {
        let serve = Serve::new(arguments.server, arguments.deflate_level, arguments.room)?;
        let tls = match (&arguments.tls_cert, &arguments.tls_key) {
            (Some(certificates), Some(key)) => Some(transport::tls(certificates, key)?),
            _ => None,
        };
        let listener = TcpListener::bind(arguments.listen).await?;
        println!("listening on ws://{}/", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            match &tls {
                None => serve.spawn(stream),
                Some(tls) => {
                    let (serve, opened) = (serve.clone(), tls.accept(stream));
                    tokio::spawn(async move {
                        serve.spawn(opened.await?);
                        std::io::Result::Ok(())
                    });
                }
            }
        }
    })
}

/// With the settings of our own server, so that it is the libraries that differ; where tails are compared, without.
fn runtime(arguments: &Arguments) -> std::io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(arguments.workers).enable_all();
    if !arguments.stock_runtime {
        builder.global_queue_interval(3);
    }
    builder.build()
}
