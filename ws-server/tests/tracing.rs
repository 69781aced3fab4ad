//! What is told of a connection's life.

mod client;
mod common;

use client::{connect, exchange};
use common::{echo, server};
use std::io;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// All that was written.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl io::Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Told {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_connection_has_a_span_with_its_peer_and_path_and_events_for_its_life() {
    let told = Told::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .without_time()
        .with_writer(told.clone())
        .finish();
    // The tasks of this test's runtime run on this thread too.
    let _guard = tracing::subscriber::set_default(subscriber);
    let (server, addr) = server().await;
    let running = server.serve(echo);
    let mut client = connect(addr, "/chat").await;
    let peer = client.get_ref().unwrap().local_addr().unwrap();
    client.close(ws_server::CloseCode::NORMAL, "").await.unwrap();
    exchange(addr, b"POST / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    while running.connections() != 0 {
        tokio::task::yield_now().await;
    }
    let text = String::from_utf8(told.0.lock().unwrap().clone()).unwrap();
    let span = format!("connection{{peer={peer} path=\"/chat\"}}: ws_server");
    let accepted = text.lines().find(|line| line.contains("result=\"accepted\""));
    assert!(accepted.is_some_and(|line| line.contains("connection{peer=127.0.0.1:")), "{text}");
    let ended = text.lines().find(|line| line.ends_with("the handler has ended"));
    assert!(ended.is_some_and(|line| line.contains(&span)), "{text}");
    assert!(text.contains("result=\"failed\""), "{text}");
    assert!(text.contains("the opening handshake failed: the method is not GET"), "{text}");
}
