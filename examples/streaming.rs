//! A message that is never in memory as a whole: sent piece by piece, and received as its pieces arrive.
//!
//! ```text
//! cargo run --release -p ws-examples --example streaming -- --mib 1024
//! ```

use anyhow::{Context, Result, ensure};
use clap::Parser;
use ws_client::{Client, CloseCode};
use ws_proto::bytes::Bytes;
use ws_proto::{Delivery, MessageKind};
use ws_server::{Acceptance, BoxError, Config, Incoming, Server};
use ws_tokio::Event;

#[derive(Parser)]
#[command(about = "Sends and receives a large message piece by piece")]
struct Options {
    /// Length of the message
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=2048))]
    mib: u32,
}

const MIB: usize = 1 << 20;
const PIECE: usize = 64 << 10;

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
    let mut left = len;
    while left > 0 {
        // Here a file would be read. `send_fragment` waits while too much is queued, so the sender is no faster than the receiver.
        let piece = Bytes::from(vec![b'x'; left.min(PIECE)]);
        left -= piece.len();
        ws.send_fragment(MessageKind::Binary, piece, left == 0).await?;
    }
    let answer = ws.recv().await?.context("the server closed")?;
    println!("sent a message of {len} bytes in pieces of {PIECE}");
    println!("the server says: {}", answer.as_text().unwrap_or_default());
    ensure!(answer.as_text().is_some_and(|text| text.starts_with(&format!("{len} bytes "))));
    ws.close(CloseCode::NORMAL, "").await?;
    Ok(())
}

/// Counts what comes, and holds one piece at a time.
async fn receive(incoming: Incoming) -> Result<(), BoxError> {
    let mut ws = incoming.accept(Acceptance::default()).await?;
    let (mut bytes, mut pieces, mut largest) = (0, 0, 0);
    while let Some(event) = ws.recv_event().await? {
        // Pings and pongs come by here too, in between the pieces.
        let Event::Fragment(fragment) = event else { continue };
        if fragment.first {
            (bytes, pieces, largest) = (0, 0, 0);
        }
        bytes += fragment.payload.len();
        pieces += 1;
        largest = largest.max(fragment.payload.len());
        if fragment.fin {
            ws.send(format!("{bytes} bytes came in {pieces} pieces, the largest of {largest} bytes")).await?;
        }
    }
    Ok(())
}
