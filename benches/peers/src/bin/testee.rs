//! tokio-tungstenite's client under a fuzzing server, the original suite's or ours: it asks how many cases there are, echoes in each, and has
//! the reports written. `testee --url URL --agent NAME`.
#![forbid(unsafe_code)]

use anyhow::Context;
use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

#[derive(Parser)]
struct Arguments {
    /// Where the fuzzing server listens.
    #[arg(long)]
    url: String,
    /// What the report is to call this client; goes into URLs as it is.
    #[arg(long)]
    agent: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Arguments { url, agent } = Arguments::parse();
    let base = url.trim_end_matches('/');
    let count =
        first_text(&format!("{base}/getCaseCount")).await.context("the suite does not tell its cases")?;
    let count: u32 = count.parse().context("the number of cases is not a number")?;
    for case in 1..=count {
        // Judged by the suite.
        let _ = echo(&format!("{base}/runCase?case={case}&agent={agent}")).await;
    }
    echo(&format!("{base}/updateReports?agent={agent}")).await.context("the suite does not write its reports")
}

async fn first_text(url: &str) -> anyhow::Result<String> {
    let message = connect(url).await?.next().await.context("the connection ended without a message")??;
    Ok(message.into_text()?.as_str().to_owned())
}

async fn echo(url: &str) -> anyhow::Result<()> {
    let mut socket = connect(url).await?;
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

async fn connect(url: &str) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, Error> {
    Ok(connect_async(url).await?.0)
}
