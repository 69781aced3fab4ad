//! Opening handshakes that are endless, ambiguous or not text (§4).

use ws_proto::bytes::Buf;
use ws_proto::handshake::{
    ClientHandshake, ClientHandshakeEvent, HandshakeError, ServerHandshake, ServerHandshakeEvent,
    Subprotocol, Upgrade,
};
use ws_proto::http::{HeaderValue, Request, Uri};
use ws_proto::{ConfigBuilder, Entropy, Transport};
use ws_testkit::Clock;

/// Lines of a request that is served, and the values that a client waits for in the response.
const REQUEST: [(&str, &str); 6] = [
    ("Host", "example.com"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
    ("Origin", "http://example.com"),
];
const RESPONSE: [(&str, &str); 3] = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
];

/// Settings with the nonce of RFC 6455 §1.3.
fn settings() -> ConfigBuilder {
    ConfigBuilder::new(Entropy::from_fn(|buf| buf.copy_from_slice(&b"the sample nonce"[..buf.len()])))
}

fn head(first: &str, lines: &[(&str, &str)]) -> Vec<u8> {
    let lines: String = lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{first}\r\n{lines}\r\n").into_bytes()
}

fn request(lines: &[(&str, &str)]) -> Vec<u8> {
    head("GET /chat HTTP/1.1", &[&REQUEST[..], lines].concat())
}

fn response(lines: &[(&str, &str)]) -> Vec<u8> {
    head("HTTP/1.1 101 Switching Protocols", &[&RESPONSE[..], lines].concat())
}

/// What a server says to `wire` that comes in pieces of `size`, and how many bytes it read before it said so.
fn serve(
    settings: ConfigBuilder,
    wire: &[u8],
    size: usize,
) -> (Result<Upgrade, HandshakeError>, usize, String) {
    let clock = Clock::new();
    let mut server = ServerHandshake::new(settings.build().unwrap(), clock.now());
    let mut read = 0;
    for piece in wire.chunks(size) {
        read += piece.len();
        let outcome = match server.poll_event(&mut &piece[..], clock.now()) {
            None => continue,
            Some(ServerHandshakeEvent::Request(upgrade)) => Ok(upgrade),
            Some(ServerHandshakeEvent::Failed(error)) => Err(error),
            Some(other) => panic!("{other:?}"),
        };
        let transmit = server.transmit();
        let answer = transmit.copy_to_bytes(transmit.remaining());
        if outcome.is_err() {
            assert_eq!(server.transport(), Transport::ShutdownWrite);
        }
        return (outcome, read, String::from_utf8(answer.to_vec()).unwrap());
    }
    panic!("the head is whole");
}

/// The same of a client.
fn dial(settings: ConfigBuilder, wire: &[u8], size: usize) -> (Result<(), HandshakeError>, usize) {
    let clock = Clock::new();
    let request = Request::get("ws://example.com/chat").header("sec-websocket-protocol", "chat");
    let config = settings.build().unwrap();
    let mut client = ClientHandshake::new(request.body(()).unwrap(), config, clock.now()).unwrap();
    let mut read = 0;
    for piece in wire.chunks(size) {
        read += piece.len();
        match client.poll_event(&mut &piece[..], clock.now()) {
            None => {}
            Some(ClientHandshakeEvent::Response(_)) => return (Ok(()), read),
            Some(ClientHandshakeEvent::Failed(error)) => return (Err(error), read),
            Some(other) => panic!("{other:?}"),
        }
    }
    panic!("the head is whole");
}

#[test]
fn a_header_of_64_kib_in_single_bytes_fails_after_16_kib() {
    let long = "a".repeat(64 << 10);
    let (outcome, read, answer) = serve(settings(), &request(&[("X-Long", &long)]), 1);
    assert!(matches!(outcome, Err(HandshakeError::HeadTooLarge { limit: 16_384 })));
    assert_eq!(read, 16_385);
    assert!(answer.starts_with("HTTP/1.1 431 "));
    let (outcome, read) = dial(settings(), &response(&[("X-Long", &long)]), 1);
    assert!(matches!(outcome, Err(HandshakeError::HeadTooLarge { limit: 16_384 })));
    assert_eq!(read, 16_385);
}

#[test]
fn a_hundred_and_one_headers_before_those_of_the_upgrade_fail_as_too_many_and_as_nothing_else() {
    let many: Vec<_> = (0..101).map(|_| ("X-A", "1")).collect();
    let wire = head("GET /chat HTTP/1.1", &[&many[..], &REQUEST].concat());
    let (outcome, _, answer) = serve(settings(), &wire, wire.len());
    assert!(matches!(outcome, Err(HandshakeError::TooManyHeaders { limit: 100 })));
    assert!(answer.starts_with("HTTP/1.1 431 "));
    let wire = head("HTTP/1.1 101 Switching Protocols", &[&many[..], &RESPONSE].concat());
    assert!(matches!(
        dial(settings(), &wire, wire.len()).0,
        Err(HandshakeError::TooManyHeaders { limit: 100 })
    ));
}

#[test]
fn bytes_beyond_ascii_in_any_header_of_either_role_never_panic() {
    for bytes in [&b"\xFF"[..], b"caf\xC3\xA9", b"\x80\x80", "\u{6c34}".as_bytes()] {
        for (name, value) in REQUEST {
            let whole = request(&[]);
            let line = format!("{name}: {value}");
            let at = whole.windows(line.len()).position(|window| window == line.as_bytes()).unwrap();
            let mut wire = whole.clone();
            wire.splice(at + name.len() + 2..at + line.len(), bytes.iter().copied());
            let (outcome, _, _) = serve(settings(), &wire, wire.len());
            assert_eq!(outcome.is_ok(), name == "Origin", "{name}");
        }
        for (name, value) in RESPONSE {
            let whole = response(&[]);
            let line = format!("{name}: {value}");
            let at = whole.windows(line.len()).position(|window| window == line.as_bytes()).unwrap();
            let mut wire = whole.clone();
            wire.splice(at + name.len() + 2..at + line.len(), bytes.iter().copied());
            assert!(dial(settings(), &wire, wire.len()).0.is_err(), "{name}");
        }
        for name in ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "X-Other"] {
            let mut line = name.as_bytes().to_vec();
            line.extend_from_slice(b": ");
            line.extend_from_slice(bytes);
            line.extend_from_slice(b"\r\n\r\n");
            for (head, role) in [(request(&[]), "server"), (response(&[]), "client")] {
                let wire = [&head[..head.len() - 2], &line].concat();
                let is_ok = match role {
                    "server" => serve(settings(), &wire, wire.len()).0.is_ok(),
                    _ => dial(settings(), &wire, wire.len()).0.is_ok(),
                };
                assert_eq!(is_ok, name == "X-Other", "{name} at a {role}");
            }
        }
    }
}

#[test]
fn a_megabyte_of_names_commas_or_quotes_in_a_list_takes_one_pass() {
    let most = 2 << 20;
    for (name, text) in [
        ("Sec-WebSocket-Protocol", ",".repeat(1 << 20)),
        ("Sec-WebSocket-Protocol", "a, ".repeat(1 << 18)),
        ("Sec-WebSocket-Extensions", "a;b=\"".repeat(1 << 18)),
        ("Sec-WebSocket-Extensions", "a;b=\"\\".repeat(1 << 18)),
        ("Sec-WebSocket-Extensions", "permessage-deflate;".repeat(1 << 16)),
        ("Connection", "a ,".repeat(1 << 18)),
    ] {
        // Quadratic time over a megabyte would not end while anybody waits.
        let wire = request(&[(name, &text)]);
        let (outcome, _, _) = serve(settings().max_head_bytes(most), &wire, 4_096);
        assert_eq!(outcome.is_ok(), name == "Connection");
        let wire = response(&[(name, &text)]);
        assert_eq!(dial(settings().max_head_bytes(most), &wire, 4_096).0.is_ok(), name == "Connection");
    }
}

#[test]
fn an_upgrade_is_served_only_where_nobody_on_the_way_could_see_another_request() {
    for (first, lines) in [
        ("GET /chat HTTP/1.0", &[][..]),
        ("POST /chat HTTP/1.1", &[]),
        ("GET /chat HTTP/1.1", &[("Content-Length", "5")]),
        ("GET /chat HTTP/1.1", &[("Content-Length", "0"), ("Content-Length", "5")]),
        ("GET /chat HTTP/1.1", &[("Transfer-Encoding", "chunked")]),
        ("GET /chat HTTP/1.1", &[("Host", "another.example")]),
        ("GET /chat HTTP/1.1", &[("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]),
    ] {
        let wire = head(first, &[&REQUEST[..], lines].concat());
        let (outcome, _, answer) = serve(settings(), &wire, wire.len());
        assert!(outcome.is_err(), "{first} {lines:?}");
        assert!(!answer.starts_with("HTTP/1.1 101 ") && answer.contains("\r\nConnection: "), "{answer}");
    }
    for missing in ["Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Host"] {
        let lines: Vec<_> = REQUEST.into_iter().filter(|(name, _)| *name != missing).collect();
        let wire = head("GET /chat HTTP/1.1", &lines);
        let (outcome, _, answer) = serve(settings(), &wire, wire.len());
        assert!(outcome.is_err() && !answer.starts_with("HTTP/1.1 101 "), "{missing}");
    }
    for missing in ["Upgrade", "Connection", "Sec-WebSocket-Accept"] {
        let lines: Vec<_> = RESPONSE.into_iter().filter(|(name, _)| *name != missing).collect();
        let wire = head("HTTP/1.1 101 Switching Protocols", &lines);
        assert!(dial(settings(), &wire, wire.len()).0.is_err(), "{missing}");
    }
}

#[test]
fn line_breaks_cannot_be_put_into_a_request_or_a_response() {
    assert!(HeaderValue::from_bytes(b"a\r\nX-Injected: 1").is_err());
    assert!("ws://example.com/\r\nX-Injected: 1".parse::<Uri>().is_err());
    assert!("ws://example.com\r\n/".parse::<Uri>().is_err());
    for name in ["chat\r\nX-Injected: 1", "chat\n", "chat\0", "a b", "a,b", ""] {
        assert!(Subprotocol::new(name).is_err(), "{name:?}");
    }
}

#[test]
fn bytes_behind_a_request_are_the_connections_and_no_second_request() {
    let wire = [request(&[]), b"GET /admin HTTP/1.1\r\n\r\n".to_vec()].concat();
    let clock = Clock::new();
    let mut server = ServerHandshake::new(settings().build().unwrap(), clock.now());
    let mut input = &wire[..];
    assert!(matches!(server.poll_event(&mut input, clock.now()), Some(ServerHandshakeEvent::Request(_))));
    assert!(server.poll_event(&mut input, clock.now()).is_none());
    assert!(input.starts_with(b"GET /admin"), "nothing of it was read");
}
