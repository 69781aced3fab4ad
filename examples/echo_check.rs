//! Checks an echo server: sends text, binary, fragments, a burst, pings and Close frames as a plan says, and looks at what comes back.
//! For each connection one line of JSON: `{"scenario": "/matrix", "fault": null or a sentence}`. Exits with 0 where there was no fault.
//!
//! ```text
//! cargo run --release -p ws-examples --example echo_server -- --listen 127.0.0.1:9001
//! cargo run --release -p ws-examples --example echo_check -- --url ws://127.0.0.1:9001 --plan .ci/interop/matrix.json
//! ```

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use ws_examples::check::{Line, Plan, Scenario, Tokio};
use ws_examples::way::{Either, Way};

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
    /// Is permessage-deflate to be agreed on?
    #[arg(long, value_name = "BOOL")]
    compressed: Option<bool>,
    #[command(flatten)]
    way: Way,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let plan = std::fs::read_to_string(&options.plan)
        .with_context(|| format!("{} cannot be read", options.plan.display()))?;
    let plan: Plan = serde_json::from_str(&plan)?;
    let client = options.way.client()?;
    let mut faults = 0;
    for scenario in Scenario::all(&plan) {
        let fault = check(scenario, &options, &client).err().map(|error| format!("{error:#}"));
        faults += u32::from(fault.is_some());
        println!("{}", json!({"scenario": scenario.to_string(), "fault": fault}));
    }
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check(scenario: Scenario<'_>, options: &Options, client: &Either) -> Result<()> {
    let url = if options.one_path { options.url.clone() } else { format!("{}{scenario}", options.url) };
    let mut line: Box<dyn Line> = match client {
        Either::Tokio(client) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let socket = runtime.block_on(client.connect(&url))?;
            Box::new(Tokio { runtime, socket })
        }
        Either::Sync(client) => Box::new(client.connect(&url)?),
    };
    if let Some(expected) = options.compressed {
        let compressed = line.negotiated().deflate().is_some();
        ensure!(compressed == expected, "permessage-deflate agreed on: {compressed}, not {expected}");
    }
    scenario.run(&mut *line)
}
