//! What is told of a connection's life.

mod client;
mod common;
mod echo;

use client::{connect, exchange};
use common::server;
use echo::echo;
use tracing::Level;
use ws_testkit::Told;

#[tokio::test]
async fn a_connection_has_a_span_with_its_peer_and_path_and_events_for_its_life() {
    let told = Told::listen(Level::DEBUG);
    let (server, addr) = server().await;
    let running = server.serve(echo);
    let mut client = connect(addr, "/chat").await;
    let peer = client.get_ref().unwrap().local_addr().unwrap();
    client.close(ws_server::CloseCode::NORMAL, "").await.unwrap();
    exchange(addr, b"POST / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    while running.connections() != 0 {
        tokio::task::yield_now().await;
    }
    let text = told.lines().join("\n");
    let span = format!("connection{{peer={peer} path=\"/chat\"}}: ws_server");
    let accepted = text.lines().find(|line| line.contains("result=\"accepted\""));
    assert!(accepted.is_some_and(|line| line.contains("connection{peer=127.0.0.1:")), "{text}");
    let ended = text.lines().find(|line| line.ends_with("the handler has ended"));
    assert!(ended.is_some_and(|line| line.contains(&span)), "{text}");
    assert!(text.contains("result=\"failed\""), "{text}");
    assert!(text.contains("the opening handshake failed: the method is not GET"), "{text}");
}
