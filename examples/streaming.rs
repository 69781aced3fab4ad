//! A message that is never in memory as a whole: written and read as a byte stream.
//!
//! ```text
//! cargo run --release -p ws-examples --example streaming -- --mib 1024
//! ```

use anyhow::{Context, Result, ensure};
use clap::Parser;
use tokio::io::AsyncReadExt;
use ws_client::{Client, CloseCode};
use ws_proto::{Delivery, MessageKind};
use ws_server::{Acceptance, BoxError, Config, Incoming, Server};

#[derive(Parser)]
#[command(about = "Sends and receives a large message as a byte stream")]
struct Options {
    /// Length of the message
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=2048))]
    mib: u32,
}

const MIB: usize = 1 << 20;

#[tokio::main]
async fn main() -> Result<()> {
    let len = Options::parse().mib as usize * MIB;
    // Streaming delivery, and a limit to suit: what a message may have in all, though it is never held as a whole. A message of 2 GiB is
    // 32,768 frames here; by default there may be twice as many.
    let config = Config::builder().delivery(Delivery::Streaming).max_message_bytes(2048 * MIB).build()?;
    let server = Server::builder().config(config).bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/", server.local_addr()?);
    server.serve(receive);

    let mut ws = Client::default().connect(&url).await?;
    // In place of a file. The copy waits while too much is queued, so the sender is no faster than the receiver.
    let mut source = tokio::io::repeat(b'x').take(len as u64);
    let mut message = ws.send_writer(MessageKind::Binary);
    tokio::io::copy(&mut source, &mut message).await?;
    message.finish().await?;
    let answer = ws.recv().await?.context("the server closed")?;
    println!("sent a message of {len} bytes");
    println!("the server says: {}", answer.as_text().unwrap_or_default());
    ensure!(answer.as_text().is_some_and(|text| text.starts_with(&format!("{len} bytes "))));
    ws.close(CloseCode::NORMAL, "").await?;
    Ok(())
}

/// Reads messages to their end, a buffer at a time.
async fn receive(incoming: Incoming) -> Result<(), BoxError> {
    let mut ws = incoming.accept(Acceptance::default()).await?;
    while let Some(mut message) = ws.recv_reader().await? {
        let bytes = tokio::io::copy_buf(&mut message, &mut tokio::io::sink()).await?;
        ws.send(format!("{bytes} bytes came")).await?;
    }
    Ok(())
}
