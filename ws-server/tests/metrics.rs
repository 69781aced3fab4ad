//! What is counted.

mod client;
mod common;

use client::{connect, exchange, open};
use common::{echo, server};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::time::Duration;
use ws_server::proto::http::Request;
use ws_server::proto::{MessageKind, Negotiated, Role};
use ws_server::{Config, MemoryBudget, Server, ServerHandle, describe_metrics};

#[tokio::test]
async fn connections_handshakes_refusals_and_errors_are_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    // The tasks of this test's runtime run on this thread too.
    let _guard = metrics::set_default_local_recorder(&recorder);
    describe_metrics();
    let (server, addr) = server().await;
    let running = server.serve(echo);

    let mut first = connect(addr, "/").await;
    first.send("hello").await.unwrap();
    first.recv().await.unwrap();
    let second = connect(addr, "/").await;
    let foreign =
        Request::get(format!("ws://{addr}/")).header("origin", "https://elsewhere.example").body(());
    open(addr, foreign.unwrap()).await.err().unwrap();
    exchange(addr, b"POST / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    until_open(&running, 2).await;
    let rendered = recorder.handle().render();
    for line in [
        "ws_server_connections_total 4",
        "ws_server_handshakes_total{result=\"accepted\"} 2",
        "ws_server_handshakes_total{result=\"refused\"} 1",
        "ws_server_handshakes_total{result=\"failed\"} 1",
        "ws_server_refused_total{reason=\"origin\"} 1",
        "ws_server_errors_total{family=\"handshake\"} 1",
        "# HELP ws_server_connections Connections that are open now, those in their handshakes included",
    ] {
        assert!(rendered.lines().any(|found| found == line), "{line} is not in\n{rendered}");
    }

    first.close(ws_server::CloseCode::NORMAL, "").await.unwrap();
    running.stop(Duration::ZERO).await;
    drop((first, second));
    until_open(&running, 0).await;
    let rendered = recorder.handle().render();
    assert!(rendered.lines().any(|line| line == "ws_server_connections 0"), "{rendered}");
    assert!(rendered.lines().any(|line| line == "ws_server_connection_seconds_count 4"), "{rendered}");
    assert!(rendered.contains("ws_server_closes_total{by=\"client\",code=\"1000\"} 1"), "{rendered}");
}

#[tokio::test]
async fn what_ends_a_handler_is_counted_by_its_family() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let config = Config::builder().max_message_bytes(10).build().unwrap();
    let server = Server::builder().config(config).bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    let running = server.serve(async |incoming| match incoming.request().uri().path() {
        "/panic" => panic!("as asked for"),
        "/error" => Err("as asked for".into()),
        _ => echo(incoming).await,
    });
    for path in ["/panic", "/error"] {
        let request = Request::get(format!("ws://{addr}{path}")).body(()).unwrap();
        open(addr, request).await.err().unwrap();
    }
    let mut client = connect(addr, "/").await;
    client.send("eleven byte").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), None);
    drop(client);
    until_open(&running, 0).await;
    let rendered = recorder.handle().render();
    for family in ["panic", "handler", "limit"] {
        let line = format!("ws_server_errors_total{{family=\"{family}\"}} 1");
        assert!(rendered.contains(&line), "{line} is not in\n{rendered}");
    }
}

#[tokio::test]
async fn memory_that_was_given_up_and_requests_that_it_kept_out_are_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let budget = MemoryBudget::new(100_000);
    let server = Server::builder().memory_budget(budget.clone()).bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    let running = server.serve(echo);
    let mut client = connect(addr, "/").await;
    client.send_fragment(MessageKind::Binary, vec![0; 200_000], false).await.unwrap();
    assert_eq!(client.recv().await.unwrap(), None);
    drop(client);
    until_open(&running, 0).await;
    let (near, _far) = tokio::io::duplex(100);
    let negotiated = Negotiated::new(Role::Server);
    let mut other = ws_tokio::WebSocket::from_parts(near, Default::default(), negotiated, Config::default());
    other.set_memory_budget(budget);
    other.send(vec![7; 200_000]).await.unwrap();
    open(addr, Request::get(format!("ws://{addr}/")).body(()).unwrap()).await.err().unwrap();
    until_open(&running, 0).await;
    let rendered = recorder.handle().render();
    for line in [
        "ws_server_gave_up_memory_total 1",
        "ws_server_closes_total{by=\"failure\",code=\"1013\"} 1",
        "ws_server_errors_total{family=\"limit\"} 1",
        "ws_server_refused_total{reason=\"memory_budget\"} 1",
    ] {
        assert!(rendered.lines().any(|found| found == line), "{line} is not in\n{rendered}");
    }
}

/// Until so many connections are open: what has ended was counted by then.
async fn until_open(running: &ServerHandle, count: usize) {
    while running.connections() != count {
        tokio::task::yield_now().await;
    }
}
