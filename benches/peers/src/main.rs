//! One echo server for each library that `compare` measures beside ours, all on the same runtime and the same accept loop:
//! `ws-peers --server NAME [--listen ADDR] [--workers N]`. It prints `listening on ws://ADDR:PORT/` as its first line.
#![forbid(unsafe_code)]

mod batch;
mod fastwebsockets;
mod raw;
mod sockudo;
mod tokio_tungstenite;
mod tokio_websockets;
mod yawc;

use clap::{Parser, ValueEnum};
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

/// An echo server on another library.
#[derive(Parser)]
struct Arguments {
    /// Which one.
    #[arg(long)]
    server: Server,
    /// Where; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Workers of the runtime.
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Compress with permessage-deflate at this level, in servers that can, where the client offers it.
    #[arg(long)]
    deflate_level: Option<u8>,
}

/// `…Batch` sends what has come in one flush, by hand; all others are the loop of their documentation.
#[derive(Clone, Copy, ValueEnum)]
enum Server {
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
    runtime(arguments.workers)?.block_on(async {
        let listener = TcpListener::bind(arguments.listen).await?;
        println!("listening on ws://{}/", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            serve(arguments.server, arguments.deflate_level, stream);
        }
    })
}

/// With the settings of our own echo server, so that it is the libraries that differ.
fn runtime(workers: usize) -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(workers).global_queue_interval(3).enable_all().build()
}

/// A task for each connection. How it ends is nobody's business here: the generator sees it.
fn serve(server: Server, deflate_level: Option<u8>, stream: TcpStream) {
    // Each in an arm of its own, so that no task is as large as the largest of them.
    match server {
        Server::Raw => drop(tokio::spawn(raw::echo(stream))),
        Server::TokioTungstenite => drop(tokio::spawn(tokio_tungstenite::echo(stream, None))),
        Server::TokioTungstenite8k => drop(tokio::spawn(tokio_tungstenite::echo(stream, Some(8 << 10)))),
        Server::TokioTungstenite8kBatch => {
            drop(tokio::spawn(tokio_tungstenite::echo_batched(stream, Some(8 << 10))));
        }
        Server::Fastwebsockets => drop(tokio::spawn(fastwebsockets::echo(stream))),
        Server::TokioWebsockets => drop(tokio::spawn(tokio_websockets::echo(stream))),
        Server::SockudoWs => match deflate_level {
            Some(level) => drop(tokio::spawn(sockudo::echo_compressed(stream, level))),
            None => drop(tokio::spawn(sockudo::echo(stream))),
        },
        Server::SockudoWsBatch => drop(tokio::spawn(sockudo::echo_batched(stream))),
        Server::Yawc => drop(tokio::spawn(yawc::serve(stream, deflate_level, false))),
        Server::YawcBatch => drop(tokio::spawn(yawc::serve(stream, deflate_level, true))),
    }
}
