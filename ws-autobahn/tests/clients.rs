//! The fuzzing server of the library, with clients over pipes.

mod support;

use std::sync::Arc;
use std::time::Duration;
use tokio::io::DuplexStream;
use ws_autobahn::fuzzing_server::FuzzingServer;
use ws_autobahn::{Behavior, Case, CloseBehavior, Selection};
use ws_proto::{Config, http};
use ws_tokio::{Message, WebSocket};

fn server(cases: &[&str]) -> FuzzingServer {
    let cases = cases.iter().map(|&case| case.to_owned()).collect();
    let selection = Selection { cases, exclude: Vec::new(), beyond: true };
    let cases: Vec<Arc<Case>> =
        selection.resolve().unwrap().into_iter().filter(|case| case.tests_clients()).collect();
    FuzzingServer::new(cases, Default::default(), ())
}

async fn open(server: &FuzzingServer, resource: &str) -> Option<WebSocket<DuplexStream>> {
    let (near, far) = tokio::io::duplex(64 << 10);
    let server = server.clone();
    tokio::spawn(async move { server.serve(far).await });
    let request = http::Request::get(format!("ws://localhost{resource}")).body(()).unwrap();
    ws_tokio::connect(near, request, Config::default()).await.ok().map(|(socket, _)| socket)
}

async fn ask(server: &FuzzingServer, resource: &str) -> Option<String> {
    let message = open(server, resource).await?.recv().await.ok()??;
    message.as_text().map(str::to_owned)
}

async fn echo(server: &FuzzingServer, resource: &str) {
    let Some(mut socket) = open(server, resource).await else { return };
    while let Ok(Some(message)) = socket.recv().await {
        let message: Message = message;
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_control_urls_answer_as_in_the_original_suite() {
    let server = server(&["1.1.1", "2.10", "6.4.1"]);
    assert_eq!(ask(&server, "/getCaseCount").await.as_deref(), Some("3"));
    let info: serde_json::Value =
        serde_json::from_str(&ask(&server, "/getCaseInfo?case=2").await.unwrap()).unwrap();
    assert_eq!(info["id"], "2.10");
    echo(&server, "/runCase?casetuple=2.10&agent=me").await;
    let status = ask(&server, "/getCaseStatus?case=2&agent=me").await;
    assert_eq!(status.as_deref(), Some(r#"{"behavior":"OK"}"#));
    assert!(open(&server, "/runCase?case=4&agent=me").await.is_none(), "there is no such case");
    assert!(open(&server, "/runCase?case=1").await.is_none(), "without an agent");
    assert!(open(&server, "/elsewhere").await.is_none());
    echo(&server, "/updateReports?agent=me&shutdownOnComplete=true").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), server.listen(listener, None))
        .await
        .expect("it was stopped")
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn our_client_passes() {
    let sections = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"];
    let others = ["9.7.2", "12.1.2", "13.5.4", "100.*", "102.*", "104.*"];
    let server = server(&[&sections[..], &others].concat());
    let count: usize = ask(&server, "/getCaseCount").await.unwrap().parse().unwrap();
    for case in 1..=count {
        echo(&server, &format!("/runCase?case={case}&agent=me")).await;
        // The suite may be waiting for the end of a connection that was refused.
        ask(&server, &format!("/getCaseStatus?case={case}&agent=me")).await.unwrap();
    }
    let report = server.report();
    let bad = report.results("me").filter(|result| {
        let verdict = &result.verdict;
        !matches!(verdict.behavior, Behavior::Ok | Behavior::Informational)
            || !matches!(verdict.behavior_close, CloseBehavior::Ok | CloseBehavior::Informational)
    });
    let bad: Vec<String> = bad.map(|result| format!("{} {:?}", result.case.id, result.verdict)).collect();
    assert_eq!(bad, [""; 0]);
    assert_eq!(report.results("me").count(), count);
}
