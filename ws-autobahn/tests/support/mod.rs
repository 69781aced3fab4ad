//! How to run cases against endpoints in memory.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::io;
use std::sync::Arc;
use tokio::io::DuplexStream;
use ws_autobahn::fuzzing_client::{self, Options};
use ws_autobahn::fuzzing_server::FuzzingServer;
use ws_autobahn::report::Report;
use ws_autobahn::{Behavior, Case, CloseBehavior, Selection};
use ws_proto::Config;

/// Runs cases against a server that gets the other end of each pipe.
pub(crate) async fn run<F, O>(cases: &[&str], beyond: bool, endpoint: F) -> Report
where
    F: Fn(DuplexStream) -> O + Send + Sync + 'static,
    O: Future<Output = ()> + Send + 'static,
{
    let cases = select(cases, beyond, Case::tests_servers);
    let connect = move || {
        let (near, far) = tokio::io::duplex(64 << 10);
        tokio::spawn(endpoint(far));
        async { io::Result::Ok(near) }
    };
    let options = Options { agent: Some("endpoint".to_owned()), ..Options::default() };
    let mut report = Report::new();
    let run = fuzzing_client::run(connect, cases, options, |result| report.add(result)).await;
    if let Err(error) = run {
        // An endpoint that never switches protocols is given up; the cases that were tried say why.
        assert!(!not_good(&report).is_empty(), "{error}");
    }
    report
}

/// Runs cases against a client, which gets the other end of each pipe, and what to ask for.
pub(crate) async fn run_client<F, O>(cases: &[&str], beyond: bool, client: F) -> FuzzingServer
where
    F: Fn(DuplexStream, String) -> O,
    O: Future<Output = ()> + Send + 'static,
{
    let cases = select(cases, beyond, Case::tests_clients);
    let count = cases.len();
    let server = FuzzingServer::new(cases, Default::default(), ());
    for case in 1..=count {
        let (near, far) = tokio::io::duplex(64 << 10);
        tokio::spawn(client(near, format!("/runCase?case={case}&agent=endpoint")));
        server.serve(far).await;
    }
    server
}

fn select(cases: &[&str], beyond: bool, audience: fn(&Case) -> bool) -> Vec<Arc<Case>> {
    let cases = cases.iter().map(|&case| case.to_owned()).collect();
    let selection = Selection { cases, exclude: Vec::new(), beyond };
    selection.resolve().expect("known cases").into_iter().filter(|case| audience(case)).collect()
}

/// The cases that were not as wanted, with their verdicts.
pub(crate) fn not_good(report: &Report) -> Vec<String> {
    report
        .results("endpoint")
        .filter(|result| {
            let good = matches!(result.verdict.behavior, Behavior::Ok | Behavior::Informational)
                && matches!(result.verdict.behavior_close, CloseBehavior::Ok | CloseBehavior::Informational);
            !good
        })
        .map(|result| {
            let verdict = &result.verdict;
            format!(
                "{} {} / {}: {} {}",
                result.case.id,
                verdict.behavior,
                verdict.behavior_close,
                verdict.result,
                verdict.result_close
            )
        })
        .collect()
}

/// The echo server of this workspace.
pub(crate) async fn echo(stream: DuplexStream) {
    let Ok(incoming) = ws_tokio::accept(stream, Config::default()).await else { return };
    let Ok(mut socket) = incoming.accept(ws_proto::handshake::Acceptance::default()).await else { return };
    while let Ok(Some(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}
