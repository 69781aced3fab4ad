//! An echo client: sends back whatever it receives, until the connection ends. Exits with 0 after a clean close, else with 1 and one
//! sentence.
//!
//! ```text
//! cargo run --release -p ws-examples --example echo_client -- --url ws://127.0.0.1:9001/
//! ```

use anyhow::Result;
use clap::Parser;
use std::process::ExitCode;
use ws_client::{Client, blocking};
use ws_examples::report::exit_code;
use ws_examples::way::{Either, Way};

#[derive(Parser)]
#[command(about = "A WebSocket echo client")]
struct Options {
    /// Where to connect to: ws://… or wss://…
    #[arg(long)]
    url: String,
    #[command(flatten)]
    way: Way,
}

fn main() -> ExitCode {
    exit_code(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    match options.way.client()? {
        Either::Tokio(client) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(echo(&client, &options.url))
        }
        Either::Sync(client) => echo_blocking(&client, &options.url),
    }
}

async fn echo(client: &Client, url: &str) -> Result<()> {
    let mut ws = client.connect(url).await?;
    while let Some(message) = ws.recv().await? {
        ws.send(message).await?;
    }
    Ok(())
}

fn echo_blocking(client: &blocking::Client, url: &str) -> Result<()> {
    let mut ws = client.connect(url)?;
    while let Some(message) = ws.recv()? {
        // Fed, not sent: all the replies to what was read at once leave in one write, before `recv` blocks.
        ws.feed(message)?;
    }
    Ok(())
}
