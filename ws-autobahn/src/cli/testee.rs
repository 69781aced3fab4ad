//! `testee-client`: our client under a fuzzing server, by its control protocol: it asks how many cases there are, opens each, echoes what
//! comes, and has the reports written.

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::net::TcpStream;
use std::sync::Arc;
use ws_client::Client;
use ws_proto::http::{Request, Uri};
use ws_proto::{Config, Message};

/// Options of `testee-client`.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Where the suite's fuzzing server listens
    #[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:9001")]
    url: String,
    /// What the report is to call this client
    #[arg(long, value_name = "NAME", default_value = "ws-client")]
    agent: String,
    /// What drives the connections
    #[arg(long, value_enum, default_value_t = Driver::Tokio)]
    driver: Driver,
    /// Ask the suite to end, too, after it has written its reports
    #[arg(long)]
    shutdown: bool,
}

const AFTER_HELP: &str = "\
It runs all cases of a fuzzing server, of this program or of the original suite, and has the reports written; the verdicts
are the server's to tell.

Exit status: 0 when all cases were run, 2 when the server could not be reached or has died.

Example:
  ws-autobahn fuzzing-server --listen 127.0.0.1:9001 &
  ws-autobahn testee-client --url ws://127.0.0.1:9001 --shutdown; wait $!";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Driver {
    /// ws-client on tokio
    Tokio,
    /// ws-sync on std sockets
    Sync,
}

/// Runs all cases, whatever a single one does to its connection.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let agent = utf8_percent_encode(&options.agent, NON_ALPHANUMERIC);
    let base = options.url.trim_end_matches('/');
    let endpoint = match options.driver {
        Driver::Tokio => Endpoint::Tokio(Client::builder().config(Config::default()).build()),
        Driver::Sync => Endpoint::Sync(Arc::new(Config::default())),
    };
    let count = endpoint
        .first_message(&format!("{base}/getCaseCount"))
        .await
        .with_context(|| format!("{base} does not tell how many cases there are"))?;
    let count: u32 =
        count.as_text().and_then(|text| text.parse().ok()).context("the number of cases is not a number")?;
    for case in 1..=count {
        let _judged_by_the_suite = endpoint.echo(&format!("{base}/runCase?case={case}&agent={agent}")).await;
    }
    let shutdown = if options.shutdown { "&shutdownOnComplete=true" } else { "" };
    endpoint
        .echo(&format!("{base}/updateReports?agent={agent}{shutdown}"))
        .await
        .with_context(|| format!("{base} does not write its reports"))
}

enum Endpoint {
    Tokio(Client),
    Sync(Arc<Config>),
}

impl Endpoint {
    async fn first_message(&self, url: &str) -> Result<Message> {
        let message = match self {
            Self::Tokio(client) => client.connect(url).await?.recv().await?,
            Self::Sync(config) => dial(url, config)?.recv()?,
        };
        message.context("the connection ended without a message")
    }

    async fn echo(&self, url: &str) -> Result<()> {
        match self {
            Self::Tokio(client) => {
                let mut socket = client.connect(url).await?;
                while let Some(message) = socket.recv().await? {
                    socket.send(message).await?;
                }
            }
            Self::Sync(config) => {
                let mut socket = dial(url, config)?;
                while let Some(message) = socket.recv()? {
                    socket.send(message)?;
                }
            }
        }
        Ok(())
    }
}

fn dial(url: &str, config: &Arc<Config>) -> Result<ws_sync::WebSocket<TcpStream>> {
    let uri: Uri = url.parse()?;
    let host = uri.host().context("the URL names no host")?;
    let stream = TcpStream::connect((host, uri.port_u16().unwrap_or(80)))?;
    stream.set_nodelay(true)?;
    let (socket, _response) = ws_sync::connect(stream, Request::get(uri).body(())?, Arc::clone(config))?;
    Ok(socket)
}
