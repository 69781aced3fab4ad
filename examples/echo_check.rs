//! Checks an echo server: sends text, binary, fragments, a burst, pings and Close frames as a plan says, and looks at what comes back.
//! For each connection one line of JSON: `{"scenario": "/matrix", "fault": null or a sentence}`. Exits with 0 where there was no fault.
//!
//! ```text
//! cargo run --release -p ws-examples --example echo_server -- --listen 127.0.0.1:9001
//! cargo run --release -p ws-examples --example echo_check -- --url ws://127.0.0.1:9001 --plan .ci/interop/matrix.json
//! ```

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::Runtime;
use ws_client::{Client, Config, Proxy, Roots};
use ws_examples::check::{Line, Plan, Scenario, Tokio};
use ws_examples::{pem, sync_client};

#[derive(Parser)]
#[command(about = "Checks an echo server")]
struct Options {
    /// Where to connect to: ws://… or wss://…; the name of the scenario is put behind it
    #[arg(long)]
    url: String,
    /// Puts nothing behind the URL
    #[arg(long)]
    one_path: bool,
    /// What to send (JSON)
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// A file of certificates (PEM): trusts these authorities, and no others
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A proxy to connect through: http://, https:// or socks5://[USER:PASSWORD@]HOST:PORT
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Does not offer permessage-deflate
    #[arg(long)]
    no_deflate: bool,
    /// Is permessage-deflate to be agreed on?
    #[arg(long, value_name = "BOOL")]
    compressed: Option<bool>,
    /// tokio, or std sockets that block
    #[arg(long, value_enum, default_value_t = Driver::Tokio)]
    driver: Driver,
}

#[derive(Clone, Copy, ValueEnum)]
enum Driver {
    Tokio,
    Sync,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let plan = std::fs::read_to_string(&options.plan)
        .with_context(|| format!("{} cannot be read", options.plan.display()))?;
    let plan: Plan = serde_json::from_str(&plan)?;
    let config = Config::builder();
    let config = if options.no_deflate { config.deflate(None) } else { config };
    let config = Arc::new(config.build()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut faults = 0;
    for scenario in Scenario::all(&plan) {
        let fault = check(scenario, &options, &config, &runtime).err().map(|error| format!("{error:#}"));
        faults += u32::from(fault.is_some());
        println!("{}", json!({"scenario": scenario.to_string(), "fault": fault}));
    }
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check(scenario: Scenario<'_>, options: &Options, config: &Arc<Config>, runtime: &Runtime) -> Result<()> {
    let url = if options.one_path { options.url.clone() } else { format!("{}{scenario}", options.url) };
    let mut line: Box<dyn Line> = match options.driver {
        Driver::Tokio => {
            let mut client = Client::builder().config(Arc::clone(config));
            if let Some(path) = &options.ca {
                client = client.roots(Roots::Added).add_roots(pem::certificates(path)?);
            }
            if let Some(url) = &options.proxy {
                client = client.proxy(Proxy::new(url)?);
            }
            Box::new(Tokio { runtime, socket: runtime.block_on(client.build().connect(&url))? })
        }
        Driver::Sync => {
            let tls =
                options.ca.as_deref().map(|path| sync_client::trusting(&std::fs::read(path)?)).transpose()?;
            Box::new(sync_client::connect(&url, tls, Arc::clone(config))?.0)
        }
    };
    if let Some(expected) = options.compressed {
        let compressed = line.negotiated().deflate().is_some();
        ensure!(compressed == expected, "permessage-deflate agreed on: {compressed}, not {expected}");
    }
    scenario.run(&mut *line)
}
