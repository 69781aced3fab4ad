//! What is counted.
#![expect(
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "counts are whole numbers, far below 2^53"
)]

mod client;
mod common;
mod echo;

use client::{connect, exchange, open};
use common::server;
use echo::echo;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use std::time::Duration;
use ws_server::proto::http::Request;
use ws_server::proto::{MessageKind, Negotiated, Role};
use ws_server::{Acceptance, Config, MemoryBudget, Server, ServerHandle, describe_metrics};

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

/// The value of a line of what Prometheus would read.
fn value(recorder: &PrometheusRecorder, name: &str) -> f64 {
    let rendered = recorder.handle().render();
    let value = rendered.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{name} is not in\n{rendered}")).parse().unwrap()
}

/// Messages, bytes, and bytes of compressed messages without and with compression.
fn traffic(recorder: &PrometheusRecorder, direction: &str) -> [f64; 4] {
    ["messages", "bytes", "compressed_plain_bytes", "compressed_wire_bytes"]
        .map(|what| value(recorder, &format!("ws_server_{what}_total{{direction=\"{direction}\"}}")))
}

#[tokio::test]
async fn messages_and_bytes_are_those_of_the_clients_whenever_it_is_looked() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (server, addr) = server().await;
    let running = server.serve(echo);
    let mut clients = [connect(addr, "/").await, connect(addr, "/").await];
    let long = "compressible ".repeat(1_000);
    for round in 1..=3 {
        for client in &mut clients {
            for message in ["short", &long] {
                client.send(message).await.unwrap();
                client.recv().await.unwrap().unwrap();
            }
        }
        running.update_metrics();
        running.update_metrics();
        let counts = clients.each_ref().map(|client| client.counts());
        let sum = |of: fn(&ws_tokio::Counts) -> u64| counts.iter().map(of).sum::<u64>();
        let plain = 2 * round * long.len() as u64;
        let expected = |wire: u64| [4 * round, 2 * round * 5 + plain, plain, wire].map(|n| n as f64);
        assert_eq!(traffic(&recorder, "received"), expected(sum(|counts| counts.sent_compressed.wire_bytes)));
        assert_eq!(traffic(&recorder, "sent"), expected(sum(|counts| counts.received_compressed.wire_bytes)));
    }
    // What came since the last look counts when the connection ends, and nothing counts twice.
    let [mut first, second] = clients;
    first.send("last words").await.unwrap();
    first.recv().await.unwrap().unwrap();
    drop((first, second));
    until_open(&running, 0).await;
    running.update_metrics();
    for direction in ["received", "sent"] {
        let [messages, bytes, ..] = traffic(&recorder, direction);
        assert_eq!((messages, bytes), (13.0, (6 * (5 + long.len()) + 10) as f64));
    }
    assert_eq!(value(&recorder, "ws_server_unsent_bytes"), 0.0);
}

#[tokio::test]
async fn connections_are_looked_at_every_second() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (server, addr) = server().await;
    server.serve(echo);
    let mut client = connect(addr, "/").await;
    client.send("hello").await.unwrap();
    client.recv().await.unwrap().unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::task::yield_now().await;
    assert_eq!(traffic(&recorder, "received")[..2], [1.0, 5.0]);
    client.send("again").await.unwrap();
}

#[tokio::test]
async fn bytes_that_wait_are_told_until_their_connection_is_gone() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (server, addr) = server().await;
    let (sender, mut closers) = tokio::sync::mpsc::channel(1);
    let running = server.serve(move |incoming| {
        let sender = sender.clone();
        async move {
            let mut socket = incoming.accept(Acceptance::default()).await?;
            // More than the system takes, of a client that does not read.
            let noise: Vec<u8> =
                (0..16_000_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
            socket.send_uncompressed(noise).await?;
            sender.send(socket.closer()).await?;
            std::future::pending().await
        }
    });
    let client = connect(addr, "/").await;
    let closer = closers.recv().await.unwrap();
    let waiting = || closer.status().unwrap().unsent_bytes;
    loop {
        let before = waiting();
        running.update_metrics();
        let told = value(&recorder, "ws_server_unsent_bytes");
        if waiting() == before {
            assert!(before > 0);
            assert_eq!(told, before as f64);
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(value(&recorder, "ws_server_queue_bytes_count") >= 1.0);
    running.stop(Duration::ZERO).await;
    drop(client);
    until_open(&running, 0).await;
    assert_eq!(value(&recorder, "ws_server_unsent_bytes"), 0.0);
}

#[tokio::test]
async fn each_round_trip_of_a_ping_is_told_once() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (server, addr) = server().await;
    let running = server.serve(async |incoming| {
        let mut socket = incoming.accept(Acceptance::default()).await?;
        for _ in 0..2 {
            socket.ping(ws_tokio::ControlPayload::empty()).await?;
            while !matches!(socket.recv_event().await?, Some(ws_tokio::Event::Pong(_))) {}
            socket.send("answered").await?;
            socket.recv_event().await?;
        }
        Ok(())
    });
    let mut client = connect(addr, "/").await;
    for round in [1.0, 2.0] {
        client.recv().await.unwrap().unwrap();
        running.update_metrics();
        running.update_metrics();
        assert_eq!(value(&recorder, "ws_server_ping_round_trip_seconds_count"), round);
        client.send("go on").await.unwrap();
    }
}

/// Until so many connections are open: what has ended was counted by then.
async fn until_open(running: &ServerHandle, count: usize) {
    while running.connections() != count {
        tokio::task::yield_now().await;
    }
}
