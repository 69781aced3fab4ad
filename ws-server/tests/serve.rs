//! Handlers: what they see before they accept, and what becomes of their connection when they fail.

mod client;
mod common;
mod echo;

use client::{connect, exchange, open};
use common::server;
use echo::echo;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use ws_proto::{Failure, LimitError};
use ws_server::proto::bytes::Bytes;
use ws_server::proto::http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use ws_server::{Acceptance, CloseCode, Config, Message, Router, Server, Subprotocol};

#[tokio::test]
async fn a_handler_echoes_to_many_clients_at_once() {
    let (server, addr) = server().await;
    let running = server.serve(echo);
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(connect(addr, "/").await);
    }
    for (number, client) in clients.iter_mut().enumerate() {
        client.send(format!("hello {number}")).await.unwrap();
    }
    for (number, client) in clients.iter_mut().enumerate() {
        assert_eq!(client.recv().await.unwrap(), Some(Message::from(format!("hello {number}"))));
    }
    assert_eq!(running.connections(), 20);
}

#[tokio::test]
async fn a_handler_sees_the_request_before_it_accepts() {
    let (server, addr) = server().await;
    server.serve(async |incoming| {
        let request = incoming.request();
        assert_eq!(request.method(), "GET");
        assert_eq!(request.uri().path(), "/chat");
        assert_eq!(request.uri().query(), Some("room=7"));
        assert_eq!(request.headers()["x-token"], "secret");
        assert_eq!(incoming.subprotocols(), ["v2", "v1"]);
        assert_eq!(incoming.peer_addr().unwrap().ip(), IpAddr::from([127, 0, 0, 1]));
        assert!(incoming.stream().tcp().unwrap().nodelay()?);
        let acceptance = Acceptance::default()
            .subprotocol(Subprotocol::new("v1")?)
            .header(HeaderName::from_static("x-server"), HeaderValue::from_static("ours"));
        let mut socket = incoming.accept(acceptance).await?;
        let peer = socket.get_ref().map(|stream| stream.peer_addr().unwrap().to_string());
        socket.send(peer.unwrap_or_default()).await?;
        Ok(())
    });
    let request = Request::get(format!("ws://{addr}/chat?room=7"))
        .header("x-token", "secret")
        .header("sec-websocket-protocol", "v2, v1")
        .body(());
    let (mut client, response) = open(addr, request.unwrap()).await.unwrap();
    assert_eq!(response.headers()["x-server"], "ours");
    assert_eq!(client.negotiated().subprotocol().unwrap(), "v1");
    let ours = client.get_ref().unwrap().local_addr().unwrap().to_string();
    assert_eq!(client.recv().await.unwrap(), Some(Message::from(ours)));
}

#[tokio::test]
async fn a_handler_may_take_its_time_and_reject() {
    let (server, addr) = server().await;
    server.serve(async |incoming| {
        tokio::task::yield_now().await;
        let mut response = Response::new(Bytes::from_static(b"no such place\n"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response.headers_mut().insert("retry-after", HeaderValue::from_static("never"));
        Ok(incoming.reject(response).await?)
    });
    let response = exchange(addr, REQUEST).await;
    assert!(response.starts_with("HTTP/1.1 404 Not Found\r\n"), "{response}");
    assert!(response.contains("Retry-After: never\r\n"), "{response}");
    assert!(response.ends_with("\r\n\r\nno such place\n"), "{response}");
}

#[tokio::test]
async fn a_malformed_request_is_answered_and_told_and_nobody_else_notices() {
    let (server, addr, mut errors) = server_with_errors(Config::default()).await;
    server.serve(echo);
    let mut client = connect(addr, "/").await;
    let response = exchange(addr, b"POST / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(response.starts_with("HTTP/1.1 405 "), "{response}");
    let error = errors.recv().await.unwrap();
    assert!(error.starts_with("the opening handshake failed: the method is not GET"), "{error}");
    client.send("still there").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(Message::from("still there")));
}

#[tokio::test]
async fn a_client_that_says_nothing_is_answered_with_408() {
    let config = Config::builder().handshake_timeout(Duration::from_millis(20)).build().unwrap();
    let (server, addr, mut errors) = server_with_errors(config).await;
    server.serve(echo);
    let response = exchange(addr, b"").await;
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
    assert!(errors.recv().await.unwrap().contains("in time"));
}

#[tokio::test]
async fn limits_are_those_of_the_config() {
    let config = Config::builder().max_message_bytes(10).build().unwrap();
    let server = Server::builder().config(config).bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    let (failure, mut failures) = mpsc::unbounded_channel();
    server.serve(move |incoming| {
        let failure = failure.clone();
        async move {
            let mut socket = incoming.accept(Acceptance::default()).await?;
            failure.send(socket.recv().await)?;
            Ok(())
        }
    });
    let mut client = connect(addr, "/").await;
    client.send("eleven byte").await.unwrap();
    let Some(Err(ws_tokio::Error::Failed(Failure::Limit(limit)))) = failures.recv().await else {
        panic!("accepted")
    };
    assert_eq!(limit, LimitError::MessageTooBig { limit: 10, actual: 11 });
    assert_eq!(client.recv().await.unwrap(), None);
    assert_eq!(client.close_info().unwrap().received.code, CloseCode::MESSAGE_TOO_BIG);
}

#[tokio::test]
async fn a_handler_that_panics_closes_its_connection_with_1011_and_no_other() {
    let (server, addr, mut errors) = server_with_errors(Config::default()).await;
    server.serve(async |incoming| {
        let mut socket = incoming.accept(Acceptance::default()).await?;
        while let Some(message) = socket.recv().await? {
            assert_ne!(message.as_text(), Some("panic"), "as asked for");
            socket.send(message).await?;
        }
        Ok(())
    });
    let (mut one, mut other) = (connect(addr, "/").await, connect(addr, "/").await);
    one.send("panic").await.unwrap();
    assert_eq!(one.recv().await.unwrap(), None);
    assert_eq!(one.close_info().unwrap().received.code, CloseCode::INTERNAL_ERROR);
    let error = errors.recv().await.unwrap();
    assert!(error.starts_with("the handler panicked: ") && error.contains("as asked for"), "{error}");
    other.send("still there").await.unwrap();
    assert_eq!(other.recv().await.unwrap(), Some(Message::from("still there")));
}

#[tokio::test]
async fn a_handler_that_ends_without_an_answer_answers_500() {
    let (server, addr, mut errors) = server_with_errors(Config::default()).await;
    server.serve(async |incoming| match incoming.request().uri().path() {
        "/nowhere" => Err("lost".into()),
        path => panic!("{path}"),
    });
    let response = exchange(addr, REQUEST).await;
    assert!(response.starts_with("HTTP/1.1 500 "), "{response}");
    assert_eq!(errors.recv().await.unwrap(), "the handler ended with an error: lost");

    let request = Request::get(format!("ws://{addr}/panic")).body(()).unwrap();
    let error = open(addr, request).await.err().unwrap();
    assert!(error.to_string().contains("500"), "{error}");
    assert_eq!(errors.recv().await.unwrap(), "the handler panicked: /panic");
}

#[tokio::test]
async fn connections_can_be_accepted_one_by_one() {
    let (mut server, addr) = server().await;
    let client = tokio::spawn(async move { connect(addr, "/one").await });
    let connecting = server.accept().await;
    assert_eq!(connecting.peer_addr().unwrap().ip(), IpAddr::from([127, 0, 0, 1]));
    let incoming = connecting.handshake().await.unwrap().unwrap();
    assert_eq!(incoming.request().uri().path(), "/one");
    let mut socket = incoming.accept(Acceptance::default()).await.unwrap();
    let mut client = client.await.unwrap();
    socket.send("hello").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(Message::from("hello")));
}

#[tokio::test]
async fn binding_tries_the_addresses_in_turn_and_tells_the_last_error() {
    let (taken, addr) = server().await;
    let bound = Server::builder().bind(&[addr, "127.0.0.1:0".parse().unwrap()][..]).await.unwrap();
    assert_ne!(bound.local_addr().unwrap(), addr);
    let error = Server::builder().bind(addr).await.err().unwrap();
    let expected =
        format!("cannot listen on {addr}: something listens there already; stop it, or choose another");
    assert_eq!(error.to_string(), expected);
    drop(taken);
}

#[tokio::test]
async fn a_server_that_is_dropped_stops_listening() {
    let (server, addr) = server().await;
    let mut waiting = TcpStream::connect(addr).await.unwrap();
    drop(server);
    // Accepted by nobody, so the kernel ends it: by a reset, or by an end of stream.
    let read = waiting.read_u8().await;
    assert!(read.is_err());
    assert!(TcpStream::connect(addr).await.is_err());
}

/// A server, and what it tells of errors.
async fn server_with_errors(config: Config) -> (Server, SocketAddr, mpsc::UnboundedReceiver<String>) {
    let (errors, told) = mpsc::unbounded_channel();
    let builder = Server::builder().config(config).on_error(move |error, peer| {
        assert!(peer.is_some());
        let _ = errors.send(error.to_string());
    });
    let server = builder.bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    (server, addr, told)
}

/// A valid request.
const REQUEST: &[u8] =
    b"GET /nowhere HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

#[tokio::test]
async fn plain_requests_are_answered_beside_the_upgrade() {
    let builder = Server::builder().plain(|request| match request.uri().path() {
        "/health" => Some(Response::new("ok\n".into())),
        _ => None,
    });
    let server = builder.bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(echo);
    let response = exchange(addr, b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n") && response.ends_with("\r\n\r\nok\n"), "{response}");
    let response = exchange(addr, b"HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(response.contains("Content-Length: 3\r\n") && response.ends_with("\r\n\r\n"), "{response}");
    let response = exchange(addr, b"GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(response.starts_with("HTTP/1.1 426 "), "{response}");
    connect(addr, "/health").await;
}

#[tokio::test]
async fn a_router_picks_the_handler_by_the_path() {
    let (server, addr) = server().await;
    let greet = async |incoming: ws_server::Incoming| {
        let name = incoming.param("room").unwrap_or("nobody").to_owned();
        let mut socket = incoming.accept(Acceptance::default()).await?;
        Ok(socket.send(name).await?)
    };
    let router = Router::new().route("/rooms/{room}", greet).unwrap().route("/rooms/main", echo).unwrap();
    let error = router.clone().route("/rooms/{other}", greet).err().unwrap();
    assert!(error.to_string().starts_with("\"/rooms/{other}\" cannot be routed: "), "{error}");
    server.serve(router.into_handler());
    let mut client = connect(addr, "/rooms/7%2F8?x=1").await;
    assert_eq!(client.recv().await.unwrap(), Some(Message::from("7%2F8")));
    let mut client = connect(addr, "/rooms/main").await;
    client.send("hello").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(Message::from("hello")));
    let response = exchange(addr, REQUEST).await;
    assert!(response.starts_with("HTTP/1.1 404 "), "{response}");
}
