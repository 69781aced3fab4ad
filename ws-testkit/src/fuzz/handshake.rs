//! The opening handshake of both roles.

use super::choose::Choices;
use crate::{Chunks, Clock, Rng};
use ws_proto::bytes::{Buf, Bytes};
use ws_proto::handshake::{
    Acceptance, ClientHandshake, ClientHandshakeEvent, ServerHandshake, ServerHandshakeEvent,
};
use ws_proto::http::{Request, Response, StatusCode};
use ws_proto::{Config, ConfigBuilder, Entropy, Role, Transport};

/// What came of a handshake, in words that can be compared.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    told: Vec<String>,
    /// Input that was left for the connection.
    left: Vec<u8>,
    wrote: Vec<u8>,
    negotiated: Option<String>,
}

/// Bytes that may be a request or a response: the outcome is the same however they are cut, one event is told at most, what is written is
/// one well-formed head with its body, and what a server accepts a client takes.
///
/// # Panics
/// Where one of these does not hold.
pub fn handshake(data: &[u8]) {
    let mut choices = Choices::new(data);
    let role = choices.role();
    let chunks = choices.chunks();
    let decision = choices.up_to(3);
    let ends: bool = choices.any();
    let wire = choices.rest();
    let run = |chunks| match role {
        Role::Server => serve(wire, chunks, decision, ends),
        Role::Client => dial(wire, chunks, ends),
    };
    let whole = run(Chunks::whole());
    assert_eq!(run(chunks), whole, "the same however it arrives");
    assert!(whole.told.len() <= 1, "one event at most");
    if role == Role::Server && !whole.wrote.is_empty() {
        check_response(&whole.wrote, whole.negotiated.is_some());
    }
}

fn serve(wire: &[u8], mut chunks: Chunks, decision: usize, ends: bool) -> Outcome {
    let clock = Clock::new();
    let mut server = ServerHandshake::new(config(), clock.now());
    let mut outcome = Outcome::default();
    let mut rest = wire;
    loop {
        let (front, back) = rest.split_at(chunks.size(rest.len()));
        let mut input = front;
        while let Some(event) = server.poll_event(&mut input, clock.now()) {
            match event {
                ServerHandshakeEvent::Request(upgrade) => {
                    outcome.told.push(format!("{:?}", upgrade.request()));
                    decide(&mut server, &upgrade, decision, &clock);
                }
                event => outcome.told.push(format!("{event:?}")),
            }
        }
        rest = rest.split_at(front.len() - input.len()).1;
        if back.is_empty() || !input.is_empty() {
            break;
        }
    }
    outcome.left = rest.to_vec();
    if ends {
        server.handle_eof(clock.now());
        if let Some(event) = server.poll_event(&mut &[][..], clock.now()) {
            outcome.told.push(format!("{event:?}"));
        }
    }
    let transmit = server.transmit();
    outcome.wrote = transmit.copy_to_bytes(transmit.remaining()).to_vec();
    time_out(&mut server, &mut outcome, clock);
    outcome.negotiated = server.finish().map(|negotiated| format!("{negotiated:?}"));
    outcome
}

/// Lets the time run out, which ends whatever was not decided.
fn time_out(server: &mut ServerHandshake, outcome: &mut Outcome, mut clock: Clock) {
    while let Some(deadline) = server.poll_timeout() {
        clock.jump_to(deadline);
        server.handle_timeout(clock.now());
        if let Some(event) = server.poll_event(&mut &[][..], clock.now()) {
            outcome.told.push(format!("{event:?}"));
        }
        let transmit = server.transmit();
        outcome.wrote.extend_from_slice(&transmit.copy_to_bytes(transmit.remaining()));
    }
    let refused = outcome.told.first().is_some_and(|told| told.starts_with("Failed"));
    if refused {
        assert_eq!(server.transport(), Transport::Close, "a refusal ends in time");
    }
}

fn decide(
    server: &mut ServerHandshake,
    upgrade: &ws_proto::handshake::Upgrade,
    decision: usize,
    clock: &Clock,
) {
    let decided = match decision {
        0 => server.accept(Acceptance::default()).is_ok(),
        1 => {
            let mut acceptance = Acceptance::default();
            if let Some(last) = upgrade.subprotocols().last() {
                acceptance = acceptance.subprotocol(last.clone());
            }
            server.accept(acceptance).is_ok()
        }
        2 => {
            let mut response = Response::new(Bytes::from_static(b"no"));
            *response.status_mut() = StatusCode::FORBIDDEN;
            server.reject(response, clock.now()).is_ok()
        }
        _ => true,
    };
    assert!(decided, "a request that was told can be answered");
}

/// One response: a head without control characters, and a body of the length that it says.
fn check_response(wrote: &[u8], accepted: bool) {
    let end = wrote.windows(4).position(|window| window == b"\r\n\r\n");
    let Some((head, body)) = end.and_then(|end| wrote.split_at_checked(end + 4)) else {
        panic!("a response has a head: {wrote:?}");
    };
    let Ok(head) = str::from_utf8(head) else { panic!("a head of ours is text: {head:?}") };
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next().unwrap_or_default();
    assert!(status.starts_with("HTTP/1.1 "), "{status:?}");
    assert_eq!(status.starts_with("HTTP/1.1 101 "), accepted);
    let mut len = None;
    for line in lines {
        let Some((name, value)) = line.split_once(": ") else { panic!("{line:?} is no header") };
        assert!(!name.is_empty() && !line.chars().any(char::is_control), "{line:?}");
        if name.eq_ignore_ascii_case("content-length") {
            len = value.parse().ok();
        }
    }
    assert!(body.len() == len.unwrap_or(0) || body.is_empty(), "the body has the length that is told");
}

fn dial(wire: &[u8], mut chunks: Chunks, ends: bool) -> Outcome {
    let clock = Clock::new();
    let request = Request::get("ws://example.com/chat").header("sec-websocket-protocol", "chat, superchat");
    let Ok(request) = request.body(()) else { panic!("a fixed request") };
    let Ok(mut client) = ClientHandshake::new(request, config(), clock.now()) else {
        panic!("a fixed request")
    };
    let mut outcome = Outcome::default();
    let mut rest = wire;
    loop {
        let (front, back) = rest.split_at(chunks.size(rest.len()));
        let mut input = front;
        while let Some(event) = client.poll_event(&mut input, clock.now()) {
            if let ClientHandshakeEvent::Response(response) = &event {
                assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
            }
            outcome.told.push(format!("{event:?}"));
        }
        rest = rest.split_at(front.len() - input.len()).1;
        if back.is_empty() || !input.is_empty() {
            break;
        }
    }
    // What stands behind a head that was read is the connection's, or the body of a refusal; of a fault nothing more is said.
    if outcome.told.iter().any(|told| told.starts_with("Response") || told.contains("Refused")) {
        outcome.left = rest.to_vec();
    }
    if ends {
        client.handle_eof(clock.now());
    } else if let Some(deadline) = client.poll_timeout() {
        client.handle_timeout(deadline);
    }
    if let Some(event) = client.poll_event(&mut &[][..], clock.now()) {
        outcome.told.push(format!("{event:?}"));
    }
    assert_eq!(outcome.told.len(), 1, "a handshake that is over was told");
    outcome.negotiated = client.finish().map(|negotiated| format!("{negotiated:?}"));
    outcome
}

/// Settings whose only nonce is the one of RFC 6455 §1.3, so that a corpus can hold responses that are right.
fn settings() -> ConfigBuilder {
    let nonce = Entropy::from_fn(|buf| {
        let mut rng = Rng::new(0);
        for (i, slot) in buf.iter_mut().enumerate() {
            *slot = NONCE.get(i).copied().unwrap_or_else(|| rng.next_u64().to_le_bytes()[0]);
        }
    });
    ConfigBuilder::new(nonce).max_head_bytes(4 << 10).max_headers(40)
}

fn config() -> Config {
    match settings().build() {
        Ok(config) => config,
        Err(error) => panic!("settings of a target are valid: {error}"),
    }
}

const NONCE: &[u8; 16] = b"the sample nonce";
