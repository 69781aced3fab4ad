//! `ws-autobahn`: conformance of WebSocket endpoints, from the command line.
#![forbid(unsafe_code)]

mod fuzz;
mod testee;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Conformance of WebSocket endpoints
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Test a server
    FuzzingClient(fuzz::ClientOptions),
    /// Test clients: a server with the URLs of the original suite
    FuzzingServer(fuzz::ServerOptions),
    /// Tell where two runs differ, by their index.json
    Compare(fuzz::CompareOptions),
    /// Run our own client under the Autobahn suite's fuzzing server
    TesteeClient(testee::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::FuzzingClient(options) => fuzz::client(options).await,
        Command::FuzzingServer(options) => fuzz::server(options).await,
        Command::Compare(options) => fuzz::compare(&options),
        Command::TesteeClient(options) => testee::run(&options).await.map(|()| ExitCode::SUCCESS),
    };
    match outcome {
        Ok(status) => status,
        Err(error) => {
            eprintln!("ws-autobahn: {error:#}");
            ExitCode::from(2)
        }
    }
}
