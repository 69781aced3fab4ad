//! `ws-autobahn`: conformance of WebSocket endpoints, from the command line.
#![forbid(unsafe_code)]

mod cli;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Conformance of WebSocket endpoints: the 517 cases of the Autobahn suite, and some beyond it
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Exit status:
  0  all as wanted
  1  a case fell short
  2  the run could not be made or finished: the endpoint could not be reached, the arguments are wrong, it was interrupted

Examples:
  ws-autobahn fuzzing-client --url ws://127.0.0.1:9001/     test a server that echoes
  ws-autobahn fuzzing-server --listen 127.0.0.1:9001        test a client that echoes
  ws-autobahn list --cases '6.4.*' --long                   what cases do and want to see
  ws-autobahn fuzzing-client --help                         all about one command";

#[derive(Debug, Subcommand)]
enum Command {
    /// Test a server, which has to echo
    FuzzingClient(cli::client::Options),
    /// Test clients, which have to echo: a server with the URLs of the original suite
    FuzzingServer(cli::server::Options),
    /// Tell where two runs differ, by their index.json
    Compare(cli::compare::Options),
    /// List the cases, and what they do and want to see
    List(cli::list::Options),
    /// Run the client of this project under a fuzzing server
    TesteeClient(cli::testee::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::FuzzingClient(options) => cli::client::run(&options).await,
        Command::FuzzingServer(options) => cli::server::run(&options).await,
        Command::Compare(options) => cli::compare::run(&options),
        Command::List(options) => cli::list::run(&options),
        Command::TesteeClient(options) => cli::testee::run(&options).await.map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        cli::tell(&error);
        ExitCode::from(2)
    })
}
