//! permessage-deflate parameters that are out of range, repeated, or named like something else (RFC 7692 §7.1).

use ws_proto::handshake::{Acceptance, ClientHandshake, ClientHandshakeEvent, HandshakeError, Upgrade};
use ws_proto::http::Request;
use ws_proto::{ConfigBuilder, Entropy};
use ws_testkit::Clock;

/// Values of `Sec-WebSocket-Extensions` that no end may take.
const WRONG: &[&str] = &[
    "permessage-deflate; server_max_window_bits=0",
    "permessage-deflate; server_max_window_bits=7",
    "permessage-deflate; server_max_window_bits=16",
    "permessage-deflate; server_max_window_bits=08",
    "permessage-deflate; server_max_window_bits=256",
    "permessage-deflate; server_max_window_bits=4294967304",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; client_max_window_bits=7",
    "permessage-deflate; client_max_window_bits=16",
    "permessage-deflate; server_no_context_takeover=1",
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    "permessage-deflate; server_max_window_bits=10; server_max_window_bits=11",
    "permessage-deflate; constructor",
    "permessage-deflate; __proto__=1",
    "permessage-deflate; toString; hasOwnProperty",
    "permessage-deflate; len",
];

/// Values that are no list at all.
const MALFORMED: &[&str] = &[
    "",
    ",",
    "permessage-deflate; ",
    "permessage-deflate; =1",
    "permessage-deflate; a=\"",
    "a; b=\"\"",
    "a;;b",
];

fn settings() -> ConfigBuilder {
    ConfigBuilder::new(Entropy::from_fn(|buf| buf.copy_from_slice(&b"the sample nonce"[..buf.len()])))
}

fn offer(extensions: &str) -> Result<Upgrade, HandshakeError> {
    let request = Request::get("/")
        .header("host", "example.com")
        .header("upgrade", "websocket")
        .header("connection", "upgrade")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-extensions", extensions);
    Upgrade::from_request(&request.body(()).unwrap(), &settings().build().unwrap())
}

fn answer(extensions: &str) -> Result<(), HandshakeError> {
    let clock = Clock::new();
    let request = Request::get("ws://example.com/").body(()).unwrap();
    let mut client = ClientHandshake::new(request, settings().build().unwrap(), clock.now()).unwrap();
    let wire = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: {extensions}\r\n\r\n"
    );
    match client.poll_event(&mut wire.as_bytes(), clock.now()) {
        Some(ClientHandshakeEvent::Response(_)) => Ok(()),
        Some(ClientHandshakeEvent::Failed(error)) => Err(error),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_server_goes_on_without_compression_where_an_offer_is_wrong() {
    for extensions in WRONG {
        let upgrade = offer(extensions).unwrap_or_else(|error| panic!("{extensions}: {error}"));
        let (response, negotiated) = upgrade.accept(Acceptance::default()).unwrap();
        assert!(negotiated.deflate().is_none(), "{extensions}");
        assert!(!response.headers().contains_key("sec-websocket-extensions"), "{extensions}");
    }
}

#[test]
fn a_client_fails_where_an_answer_is_wrong() {
    for extensions in WRONG.iter().chain(&["permessage-deflate, permessage-deflate", "x-other"]) {
        assert!(answer(extensions).is_err(), "{extensions}");
    }
    assert!(answer("permessage-deflate").is_ok(), "what is right is taken");
}

#[test]
fn both_roles_fail_where_the_header_is_no_list() {
    for extensions in MALFORMED {
        assert!(matches!(offer(extensions), Err(HandshakeError::MalformedExtensions)), "{extensions:?}");
        assert!(matches!(answer(extensions), Err(HandshakeError::MalformedExtensions)), "{extensions:?}");
    }
}
