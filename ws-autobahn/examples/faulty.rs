//! Echo servers and clients with one fault, over sockets, so that the original suite can judge them as well.
//!
//! ```text
//! faulty --list
//! faulty --fault no-pong --listen 127.0.0.1:0       # prints `listening on ws://127.0.0.1:PORT`
//! faulty --fault no-pong --connect ws://127.0.0.1:9001 --agent no-pong
//! ```

#[path = "../tests/faulty/mod.rs"]
mod faulty;

use anyhow::{Context, Result, bail};
use clap::Parser;
use faulty::{Area, Fault, Who};
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use ws_client::Client;
use ws_proto::Config;

/// An echo with one fault
#[derive(Debug, Parser)]
struct Arguments {
    /// Print all faults as JSON
    #[arg(long)]
    list: bool,
    /// What is to be wrong
    #[arg(long, value_name = "NAME", default_value = "none")]
    fault: String,
    /// Be a server, at this address
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Be a client of the fuzzing server at this URL, and run all of its cases
    #[arg(long, value_name = "URL", conflicts_with = "listen")]
    connect: Option<String>,
    /// What the report is to call the client; else its fault
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.list {
        println!("{}", list());
        return Ok(());
    }
    let fault = Fault::ALL.iter().find(|fault| fault.name() == arguments.fault);
    let &fault = fault.with_context(|| format!("there is no fault {:?}; see --list", arguments.fault))?;
    match (arguments.listen, arguments.connect) {
        (Some(address), _) => listen(address, fault).await,
        (None, Some(url)) => {
            connect(&url, arguments.agent.as_deref().unwrap_or_else(|| fault.name()), fault).await
        }
        (None, None) => bail!("nothing to do: give --listen, --connect or --list"),
    }
}

fn list() -> serde_json::Value {
    let entry = |fault: &Fault| {
        let roles: &[&str] = match fault.who() {
            Who::Both => &["server", "client"],
            Who::Server => &["server"],
            Who::Client => &["client"],
        };
        let area = match fault.area() {
            Area::Frames => "frames",
            Area::Compression => "compression",
        };
        let cases = faulty::cases(fault.area());
        json!({ "name": fault.name(), "what": fault.what(), "roles": roles, "area": area, "cases": cases })
    };
    Fault::ALL.iter().map(entry).collect()
}

async fn listen(address: SocketAddr, fault: Fault) -> Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(faulty::serve(stream, fault));
    }
}

/// The fault is in the connections of the cases, not in those that ask for them.
async fn connect(url: &str, agent: &str, fault: Fault) -> Result<()> {
    let base = url.trim_end_matches('/');
    let host = base.strip_prefix("ws://").context("the URL does not begin with ws://")?;
    // The original answers no one while it writes reports.
    let config = Config::builder().handshake_timeout(LONGEST_CASE).build()?;
    let client = Client::builder().config(config).connect_timeout(LONGEST_CASE).build();
    let count = client.connect(&format!("{base}/getCaseCount")).await?.recv().await?;
    let count = count.context("the suite does not tell its cases")?;
    let count: u32 = count.as_text().context("the number of cases is binary")?.parse()?;
    for case in 1..=count {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let resource = format!("/runCase?case={case}&agent={agent}");
        // What the suite makes of a connection that does not end is up to the suite.
        let _ = timeout(LONGEST_CASE, faulty::connect(stream, host, &resource, fault)).await;
    }
    // The last case is over for the suite a little later than for us. A case that it never began has no status.
    let status = format!("{base}/getCaseStatus?case={count}&agent={agent}");
    let _ = timeout(LAST_CASE, async {
        client.connect(&status).await?.recv().await.map_err(anyhow::Error::from)
    })
    .await;
    let mut socket = client.connect(&format!("{base}/updateReports?agent={agent}")).await?;
    while socket.recv().await?.is_some() {}
    Ok(())
}

const LAST_CASE: Duration = Duration::from_secs(5);
const LONGEST_CASE: Duration = Duration::from_secs(150);
