//! Connecting over TCP on this machine.

mod echo;

use echo::echo;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use ws_client::proto::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use ws_client::{Client, CloseCode, Config, Error, Message, Stage, Subprotocol, UrlError};
use ws_proto::ApiMisuse;
use ws_proto::handshake::HandshakeError;
use ws_server::{Acceptance, Server};

async fn echo_server() -> SocketAddr {
    let server = Server::builder().bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(echo);
    addr
}

/// A listener that hands over the head of the first request, and then answers `response`.
async fn scripted(response: &'static str) -> (SocketAddr, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let head = tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(tcp.read_u8().await.unwrap());
        }
        tcp.write_all(response.as_bytes()).await.unwrap();
        String::from_utf8(head).unwrap()
    });
    (addr, head)
}

#[tokio::test]
async fn connects_and_talks() {
    let addr = echo_server().await;
    let mut socket = ws_client::connect(&format!("ws://{addr}/")).await.unwrap();
    for message in [Message::from("hello"), Message::from(vec![7; 100_000])] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.recv().await.unwrap(), Some(message));
    }
    assert!(socket.get_ref().unwrap().tcp().unwrap().nodelay().unwrap());
    assert_eq!(socket.close(CloseCode::NORMAL, "").await.unwrap().received.code, CloseCode::NORMAL);
}

#[tokio::test]
async fn path_query_host_and_headers_are_sent_as_they_were_given() {
    let (addr, head) = scripted("HTTP/1.1 403 Forbidden\r\n\r\n").await;
    let client = Client::builder()
        .header(header::AUTHORIZATION, HeaderValue::from_static("Bearer 7f3a"))
        .header(HeaderName::from_static("x-twice"), HeaderValue::from_static("one"))
        .header(HeaderName::from_static("x-twice"), HeaderValue::from_static("two"))
        .subprotocol(Subprotocol::new("v2").unwrap())
        .subprotocol(Subprotocol::new("v1").unwrap())
        .build();
    let error = client.connect(&format!("ws://{addr}/a%20b?c=d")).await.err().unwrap();
    let Error::Refused(response) = error else { panic!("{error:?}") };
    assert_eq!(response.status, StatusCode::FORBIDDEN);
    let head = head.await.unwrap();
    assert!(head.starts_with("GET /a%20b?c=d HTTP/1.1\r\n"), "{head}");
    let head = head.to_ascii_lowercase();
    for line in [
        &format!("host: {addr}"),
        "authorization: bearer 7f3a",
        "x-twice: one",
        "x-twice: two",
        "sec-websocket-protocol: v2, v1",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} in {head}");
    }
}

#[tokio::test]
async fn a_url_without_a_path_asks_for_the_root() {
    for (rest, expected) in [("", "GET / HTTP/1.1"), ("?a=b", "GET /?a=b HTTP/1.1")] {
        let (addr, head) = scripted("HTTP/1.1 403 Forbidden\r\n\r\n").await;
        assert!(ws_client::connect(&format!("ws://{addr}{rest}")).await.is_err());
        assert_eq!(head.await.unwrap().lines().next(), Some(expected));
    }
}

#[tokio::test]
async fn the_response_can_be_had_too() {
    let server = Server::builder().bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(async |incoming| {
        let chosen = incoming.subprotocols()[1].clone();
        let cookie = HeaderValue::from_static("a=b");
        let acceptance = Acceptance::default().subprotocol(chosen).header(header::SET_COOKIE, cookie);
        incoming.accept(acceptance).await?.recv().await?;
        Ok(())
    });
    let client = Client::builder()
        .subprotocol(Subprotocol::new("v2").unwrap())
        .subprotocol(Subprotocol::new("v1").unwrap())
        .build();
    let (socket, response) = client.connect_with_response(&format!("ws://{addr}/")).await.unwrap();
    assert_eq!(response.headers()["set-cookie"], "a=b");
    assert_eq!(socket.negotiated().subprotocol().unwrap(), "v1");
}

#[tokio::test]
async fn names_and_ipv6_addresses_are_connected_to() {
    let addr = echo_server().await;
    ws_client::connect(&format!("ws://localhost:{}/", addr.port())).await.unwrap();
    // Where the machine has no IPv6 there is nothing to connect to.
    let Ok(server) = Server::builder().bind("[::1]:0").await else { return };
    let addr = server.local_addr().unwrap();
    server.serve(echo);
    ws_client::connect(&format!("ws://[::1]:{}/", addr.port())).await.unwrap();
}

#[tokio::test]
async fn what_cannot_work_is_told_by_stage() {
    let error = ws_client::connect("ws://example.com/#top").await.err().unwrap();
    assert!(matches!(error, Error::Url(UrlError::Fragment)), "{error:?}");

    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = ws_client::connect(&format!("ws://{nobody}/")).await.err().unwrap();
    assert!(
        matches!(&error, Error::Connect(io) if io.kind() == std::io::ErrorKind::ConnectionRefused),
        "{error:?}"
    );

    let (addr, _) = scripted("SSH-2.0-none\r\n\r\n").await;
    let error = ws_client::connect(&format!("ws://{addr}/")).await.err().unwrap();
    assert!(matches!(error, Error::Handshake(HandshakeError::MalformedStatusLine)), "{error:?}");

    let addr = echo_server().await;
    let client = Client::builder().header(header::UPGRADE, HeaderValue::from_static("h2c")).build();
    let error = client.connect(&format!("ws://{addr}/")).await.err().unwrap();
    assert!(matches!(error, Error::Misuse(ApiMisuse::ReservedHeader)), "{error:?}");
}

#[tokio::test]
async fn a_refusal_is_told_with_its_response() {
    let server = Server::builder().bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(async |incoming| {
        let response =
            Response::builder().status(401).header("www-authenticate", "Bearer").body("who?".into())?;
        Ok(incoming.reject(response).await?)
    });
    let error = ws_client::connect(&format!("ws://{addr}/")).await.err().unwrap();
    let Error::Refused(response) = error else { panic!("{error:?}") };
    assert_eq!(response.status, StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn one_deadline_holds_for_connecting_and_says_how_far_it_got() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let client = Client::builder().connect_timeout(Duration::from_millis(50)).build();
    let error = client.connect(&format!("ws://{addr}/")).await.err().unwrap();
    assert!(matches!(error, Error::Timeout(Stage::Handshake)), "{error:?}");

    let config = Config::builder().handshake_timeout(Duration::from_millis(50)).build().unwrap();
    let client = Client::builder().config(config).build();
    let error = client.connect(&format!("ws://{addr}/")).await.err().unwrap();
    assert!(matches!(error, Error::Timeout(Stage::Handshake)), "{error:?}");
}

#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn wss_without_the_feature_names_the_feature() {
    let error = ws_client::connect("wss://localhost/").await.err().unwrap();
    assert!(error.to_string().contains("`tls`"), "{error}");
}

#[test]
fn credentials_are_not_in_debug_output() {
    let builder = Client::builder().header(header::AUTHORIZATION, HeaderValue::from_static("Bearer 7f3a"));
    assert!(!format!("{builder:?}").contains("7f3a"));
    assert!(!format!("{:?}", builder.build()).contains("7f3a"));
}
