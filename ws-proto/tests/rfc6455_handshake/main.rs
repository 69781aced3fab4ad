//! The opening handshake, RFC 6455 §1.2, §1.3 and §4: bytes in, bytes and events out.

use proptest::prelude::*;
use std::time::{Duration, Instant};
use ws_proto::bytes::{Buf, Bytes};
use ws_proto::handshake::{
    Acceptance, ClientHandshake, ClientHandshakeEvent, HandshakeError, ServerHandshake, ServerHandshakeEvent,
    Subprotocol, Upgrade,
};
use ws_proto::http::{HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use ws_proto::{ApiMisuse, Config, ConfigBuilder, Entropy, Negotiated, Role, Transport};

/// The request of §1.2, with the key of §1.3.
const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Origin: http://example.com\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Version: 13\r\n\
    \r\n";

/// The response of §1.2.
const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Protocol: chat\r\n\
    \r\n";

/// Settings whose only nonce is the one of §1.3, so that the bytes are the same each time.
fn settings() -> ConfigBuilder {
    ConfigBuilder::new(Entropy::from_fn(|buf| buf.copy_from_slice(&b"the sample nonce"[..buf.len()])))
}

fn config() -> Config {
    settings().build().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a time to count from; nothing here waits")]
fn start() -> Instant {
    Instant::now()
}

fn server() -> ServerHandshake {
    ServerHandshake::new(config(), start())
}

fn client(request: Request<()>) -> ClientHandshake {
    ClientHandshake::new(request, config(), start()).unwrap()
}

fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

fn written(transmit: &mut impl Buf) -> String {
    String::from_utf8(transmit.copy_to_bytes(transmit.remaining()).to_vec()).unwrap()
}

/// The request of §1.2 with lines replaced (by their name), added, or (with an empty value) taken out.
fn request_with(changes: &[&str]) -> Vec<u8> {
    changed(REQUEST, changes)
}

fn response_with(changes: &[&str]) -> Vec<u8> {
    changed(RESPONSE, changes)
}

fn changed(head: &str, changes: &[&str]) -> Vec<u8> {
    let name = |line: &str| line.split_once(':').map(|(name, _)| name.to_ascii_lowercase());
    let is_changed =
        |line: &str| changes.iter().any(|change| name(line).is_some() && name(change) == name(line));
    let mut lines: Vec<&str> = head.trim_end().split("\r\n").filter(|line| !is_changed(line)).collect();
    lines.extend(changes.iter().filter(|change| !change.ends_with(':')));
    (lines.join("\r\n") + "\r\n\r\n").into_bytes()
}

/// What a server makes of these bytes: the event, and what it wrote.
fn serve(wire: &[u8]) -> (Result<Upgrade, HandshakeError>, String) {
    let mut server = server();
    let event = server.poll_event(&mut &wire[..], start()).expect("the head is whole");
    let outcome = match event {
        ServerHandshakeEvent::Request(upgrade) => Ok(upgrade),
        ServerHandshakeEvent::Failed(error) => Err(error),
        _ => unreachable!(),
    };
    (outcome, written(server.transmit()))
}

/// The status with which a server refuses these bytes, after it was seen that the response is complete.
fn refused(wire: &[u8]) -> u16 {
    let (outcome, response) = serve(wire);
    let error = outcome.expect_err(&String::from_utf8_lossy(wire));
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let mut status = head.split(' ').skip(1);
    let status: u16 = status.next().unwrap().parse().unwrap();
    assert_eq!(error.status().unwrap(), status);
    assert!(head.starts_with("HTTP/1.1 "));
    assert_eq!(body, format!("{error}\n"));
    assert!(head.contains(&format!("\r\nContent-Length: {}", body.len())), "{head}");
    assert!(head.contains("\r\nContent-Type: text/plain"), "{head}");
    assert!(
        head.contains("\r\nConnection: close") || head.contains("\r\nConnection: Upgrade, close"),
        "{head}"
    );
    status
}

fn accepted(wire: &[u8]) -> Upgrade {
    serve(wire).0.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(wire)))
}

/// What a client makes of these bytes as the response to a request that offers `chat` and `superchat`.
fn answer(wire: &[u8]) -> Result<Negotiated, HandshakeError> {
    let mut request = get("ws://server.example.com/chat");
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("chat, superchat"));
    let mut client = client(request);
    match client.poll_event(&mut &wire[..], start()).expect("the head is whole") {
        ClientHandshakeEvent::Response(response) => {
            assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
            assert_eq!(client.transport(), Transport::KeepOpen);
            Ok(client.finish().unwrap())
        }
        ClientHandshakeEvent::Failed(error) => {
            assert_eq!(client.transport(), Transport::Close);
            assert!(client.transmit().is_empty());
            assert!(client.finish().is_none());
            Err(error)
        }
        _ => unreachable!(),
    }
}

mod both_roles;
mod client;
mod server_answer;
mod server_request;
mod time;

mod s1_2_the_examples {
    use super::*;

    #[test]
    fn server_answers_the_request_with_the_response() {
        let mut server = server();
        let wire = [REQUEST.as_bytes(), b"\x81\x00"].concat();
        let mut input = &wire[..];
        let Some(ServerHandshakeEvent::Request(upgrade)) = server.poll_event(&mut input, start()) else {
            panic!()
        };
        assert_eq!(input, b"\x81\x00", "what came behind the head is left for the connection");
        assert_eq!(upgrade.request().uri(), "/chat");
        assert_eq!(upgrade.request().headers()["origin"], "http://example.com");
        assert_eq!(upgrade.subprotocols(), ["chat", "superchat"]);
        assert!(server.poll_event(&mut input, start()).is_none());
        assert_eq!(input.len(), 2);

        server.accept(Acceptance::default().subprotocol(upgrade.subprotocols()[0].clone())).unwrap();
        assert_eq!(written(server.transmit()), RESPONSE);
        assert_eq!(server.transport(), Transport::KeepOpen);
        assert_eq!(server.poll_timeout(), None);
        let negotiated = server.finish().unwrap();
        assert_eq!(negotiated.role(), Role::Server);
        assert_eq!(negotiated.subprotocol().unwrap(), "chat");
    }

    #[test]
    fn client_writes_the_request_and_takes_the_response() {
        let config = settings();
        #[cfg(feature = "deflate")]
        let config = config.deflate(None);
        let request = Request::get("ws://server.example.com/chat")
            .header("origin", "http://example.com")
            .header("sec-websocket-protocol", "chat")
            .header("x-a", "1")
            .header("sec-websocket-protocol", "superchat")
            .header("x-a", "2");
        let mut client =
            ClientHandshake::new(request.body(()).unwrap(), config.build().unwrap(), start()).unwrap();
        assert_eq!(
            written(client.transmit()),
            "GET /chat HTTP/1.1\r\n\
             Host: server.example.com\r\n\
             Upgrade: websocket\r\n\
             Connection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Protocol: chat, superchat\r\n\
             Origin: http://example.com\r\n\
             X-A: 1\r\n\
             X-A: 2\r\n\
             \r\n"
        );
        let wire = [RESPONSE.as_bytes(), b"\x89\x00"].concat();
        let mut input = &wire[..];
        let event = client.poll_event(&mut input, start());
        assert!(matches!(event, Some(ClientHandshakeEvent::Response(_))));
        assert_eq!(input, b"\x89\x00");
        assert!(client.poll_event(&mut input, start()).is_none());
        assert_eq!(client.poll_timeout(), None);
        let negotiated = client.finish().unwrap();
        assert_eq!(negotiated.role(), Role::Client);
        assert_eq!(negotiated.subprotocol().unwrap(), "chat");
    }
}
