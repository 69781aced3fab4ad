//! A server that SIGINT or SIGTERM stops without loss: no new connections, 1012 to everyone, spread over some time, and a report.
//!
//! ```text
//! cargo run -p ws-examples --example graceful_shutdown -- --listen 127.0.0.1:9001 --grace 10
//! ```

use anyhow::Result;
use clap::Parser;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use ws_examples::signal::stop_signal;
use ws_server::{Acceptance, Drain, Server};

#[derive(Parser)]
#[command(about = "An echo server that stops gracefully")]
struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
    /// How long connections have to end, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    grace: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let server = Server::builder().bind(options.listen).await?;
    println!("listening on ws://{}/", server.local_addr()?);
    let answered = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&answered);
    let running = server.serve(move |incoming| {
        let answered = Arc::clone(&counter);
        async move {
            let mut ws = incoming.accept(Acceptance::default()).await?;
            // After the Close frame of the server this still gives what the client had sent, and then ends.
            while let Some(message) = ws.recv().await? {
                ws.send(message).await?;
                answered.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        }
    });

    stop_signal().await;
    println!("stopping, {} connections are open", running.connections());
    let report = running.stop(Drain::new(Duration::from_secs(options.grace)).restarts()).await;
    println!("{} connections ended, {} were cut", report.ended, report.aborted);
    println!("{} of them cleanly, {} with bytes that were not sent", report.clean, report.unsent);
    println!("{} messages were answered", answered.load(Ordering::Relaxed));
    Ok(())
}
