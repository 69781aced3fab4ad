//! An echo client: sends back whatever it receives, until the connection ends. Exits with 0 after a clean close, else with 1 and one
//! sentence.
//!
//! ```text
//! cargo run --release -p ws-examples --example echo_client -- --url ws://127.0.0.1:9001/
//! ```

use anyhow::Result;
use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use ws_client::{Client, Config, Proxy, Roots};
use ws_examples::report::exit_code;
use ws_examples::{pem, sync_client};

#[derive(Parser)]
#[command(about = "A WebSocket echo client")]
struct Options {
    /// Where to connect to: ws://… or wss://…
    #[arg(long)]
    url: String,
    /// A file of certificates (PEM): trusts these authorities, and no others
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A proxy to connect through: http://, https:// or socks5://[USER:PASSWORD@]HOST:PORT
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Does not offer permessage-deflate
    #[arg(long)]
    no_deflate: bool,
    /// tokio, or a std socket that blocks
    #[arg(long, value_enum, default_value_t = Driver::Tokio)]
    driver: Driver,
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
    match options.driver {
        Driver::Tokio => {
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(echo(options))
        }
        Driver::Sync => sync_client::echo(&options.url, options.ca.as_deref(), config(options)?),
    }
}

async fn echo(options: &Options) -> Result<()> {
    let mut client = Client::builder().config(config(options)?);
    if let Some(path) = &options.ca {
        client = client.roots(Roots::Added).add_roots(pem::certificates(path)?);
    }
    if let Some(url) = &options.proxy {
        client = client.proxy(Proxy::new(url)?);
    }
    let mut ws = client.build().connect(&options.url).await?;
    while let Some(message) = ws.recv().await? {
        ws.send(message).await?;
    }
    Ok(())
}

fn config(options: &Options) -> Result<Config> {
    let config = Config::builder();
    #[cfg(feature = "deflate")]
    let config = if options.no_deflate { config.deflate(None) } else { config };
    #[cfg(not(feature = "deflate"))]
    let _never_compressed = options.no_deflate;
    Ok(config.build()?)
}
