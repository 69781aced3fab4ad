//! A memory budget on real sockets.

#[path = "../echo/mod.rs"]
mod echo;
mod hostile;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
#[path = "../trust/mod.rs"]
mod trust;

use echo::echo;
use hostile::MESSAGE;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use ws_server::proto::bytes::{Bytes, BytesMut};
use ws_server::proto::handshake::HandshakeError;
use ws_server::proto::http::Request;
use ws_server::proto::{ControlPayload, MessageKind, Negotiated, Role};
use ws_server::{CloseCode, Config, Error, MemoryBudget, Message, Server, ServerBuilder};
use ws_tokio::{OpenError, WebSocket};

/// What the settings of these tests have in common, and what is told.
fn settings(budget: &MemoryBudget) -> (ServerBuilder, mpsc::UnboundedReceiver<String>) {
    let (errors, told) = mpsc::unbounded_channel();
    let config = Config::builder().max_message_bytes(MESSAGE).max_frame_bytes(MESSAGE).ping_interval(None);
    let builder = Server::builder()
        .config(config.deflate(None).build().unwrap())
        .memory_budget(budget.clone())
        .on_error(move |error, peer| {
            if matches!(error, Error::GaveUpMemory { .. } | Error::MemoryBudgetReached { .. }) {
                assert!(peer.is_some());
                let _ = errors.send(error.to_string());
            }
        });
    (builder, told)
}

async fn tcp(addr: SocketAddr) -> TcpStream {
    TcpStream::connect(addr).await.unwrap()
}

async fn open<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
) -> Result<WebSocket<S>, OpenError> {
    let request = Request::get("ws://localhost/").body(()).unwrap();
    Ok(ws_tokio::connect(stream, request, Config::default()).await?.0)
}

/// A socket that is none of a server's, and holds more than the budget.
async fn greedy(budget: &MemoryBudget) -> (WebSocket<DuplexStream>, DuplexStream) {
    let (near, far) = tokio::io::duplex(100);
    let negotiated = Negotiated::new(Role::Server);
    let mut socket = WebSocket::from_parts(near, BytesMut::new(), negotiated, Config::default());
    socket.set_memory_budget(budget.clone());
    socket.send(vec![7; 2 * budget.limit_bytes()]).await.unwrap();
    assert!(budget.is_reached());
    (socket, far)
}

#[tokio::test]
async fn while_the_budget_is_reached_new_ones_get_503_and_those_who_hold_nothing_go_on() {
    newcomers_are_refused(|builder| builder, tcp).await;
}

async fn newcomers_are_refused<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    with: impl FnOnce(ServerBuilder) -> ServerBuilder,
    dial: impl AsyncFn(SocketAddr) -> S,
) {
    let budget = MemoryBudget::new(100_000);
    let (builder, mut told) = settings(&budget);
    let server = with(builder).bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(echo);
    let mut honest = open(dial(addr).await).await.unwrap();
    let greedy = greedy(&budget).await;
    let Err(OpenError::Handshake(HandshakeError::Refused(refused))) = open(dial(addr).await).await else {
        panic!("it was let in")
    };
    assert_eq!(refused.status().as_u16(), 503);
    assert_eq!(&refused.body()[..], b"the server has no memory left for more connections\n");
    assert_eq!(told.recv().await.unwrap(), "the connections hold 100000 bytes already (memory_budget)");
    for _ in 0..10 {
        honest.send("still here").await.unwrap();
        assert_eq!(honest.recv().await.unwrap(), Some(Message::from("still here")));
    }
    drop(greedy.0.into_parts());
    open(dial(addr).await).await.unwrap();
    assert!(told.try_recv().is_err(), "nobody had to give up memory");
}

#[tokio::test]
async fn the_greediest_are_closed_with_1013_first_and_the_others_go_on() {
    the_greediest_go(|builder| builder, tcp).await;
}

async fn the_greediest_go<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    with: impl FnOnce(ServerBuilder) -> ServerBuilder,
    dial: impl AsyncFn(SocketAddr) -> S,
) {
    let budget = MemoryBudget::new(1_000_000);
    let (builder, mut told) = settings(&budget);
    let server = with(builder).bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    let running = server.serve(echo);
    // In an order that is none; the last passes the budget.
    let mut clients = Vec::new();
    for len in [200_000, 500_000, 100_000, 300_000] {
        let mut client = open(dial(addr).await).await.unwrap();
        client.send_fragment(MessageKind::Binary, vec![0; len], false).await.unwrap();
        client.ping(ControlPayload::empty()).await.unwrap();
        // Its pong, or its end.
        let event = client.recv_event().await;
        clients.push((len, client, event));
    }
    for (len, client, event) in &mut clients {
        if *len == 500_000 {
            let end =
                if event.is_ok() { client.recv_event().await } else { std::mem::replace(event, Ok(None)) };
            assert!(matches!(end, Ok(None)), "{end:?}");
            let close = client.close_info().unwrap().received;
            assert_eq!(close.code, CloseCode::TRY_AGAIN_LATER);
            assert_eq!(close.reason, "there is no memory left for this connection");
        } else {
            client.send_fragment(MessageKind::Binary, Bytes::new(), true).await.unwrap();
            assert_eq!(client.recv().await.unwrap().unwrap().len(), *len);
        }
    }
    let told = told.recv().await.unwrap();
    let expected = "the connection held 5";
    assert!(told.starts_with(expected), "{told}");
    drop(clients);
    running.stop(Duration::from_secs(60)).await;
    assert_eq!(budget.used_bytes(), 0);
}
