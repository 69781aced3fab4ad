//! Futures of the server that are dropped after every number of polls, over TCP on this machine.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use ws_server::{Acceptance, Connecting, Server};

/// A server on a free port of this machine.
async fn server() -> (Server, std::net::SocketAddr) {
    let server = Server::builder().bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    (server, addr)
}

/// Polls `future` so often, with everybody else running in between, and drops it where it is not ready then.
async fn within<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

#[tokio::test]
async fn an_accept_that_is_dropped_loses_no_connection() {
    let (mut server, addr) = server().await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(TcpStream::connect(addr).await.unwrap().local_addr().unwrap());
    }
    let mut accepted = Vec::new();
    while accepted.len() < clients.len() {
        if let Some(connecting) = within(1, server.accept()).await {
            accepted.push(connecting.peer_addr().unwrap());
        }
    }
    assert_eq!(accepted, clients);
}

/// A client that sends its request byte by byte, one for each poll of the handshake, and then a message.
async fn dribble(mut client: TcpStream, request: &[u8]) -> TcpStream {
    for byte in request {
        // The server may be gone, which is what the caller wants to see.
        let _gone = client.write_all(&[*byte]).await;
        yield_now().await;
    }
    client
}

#[tokio::test]
async fn a_handshake_that_is_dropped_closes_the_connection_and_leaves_the_next_alone() {
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let (mut server, addr) = server().await;
    let open = async |connecting: Connecting| {
        connecting.handshake().await.unwrap().unwrap().accept(Acceptance::default()).await.unwrap()
    };
    let mut polls = 0;
    loop {
        polls += 1;
        let client = TcpStream::connect(addr).await.unwrap();
        client.set_nodelay(true).unwrap();
        let connecting = server.accept().await;
        let (opened, mut client) = tokio::join!(within(polls, open(connecting)), dribble(client, REQUEST));
        if let Some(socket) = opened {
            drop(socket);
            break;
        }
        // All that a client may see is the end, at the latest behind an answer that was on its way.
        let mut answer = Vec::new();
        let _end_or_reset = client.read_to_end(&mut answer).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 101"), "{polls} polls: {answer:?}");
    }
    assert!(polls > 10, "it was dropped at many points before it was ready, not only {polls}");
}
