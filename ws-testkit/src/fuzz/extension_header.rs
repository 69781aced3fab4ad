//! `Sec-WebSocket-Extensions`, by its public ways in: a server's request, and the negotiation of both roles.

use super::choose::Choices;
use crate::Clock;
use ws_proto::bytes::Buf;
use ws_proto::handshake::{
    Acceptance, ClientHandshake, ClientHandshakeEvent, HandshakeError, ServerHandshake, ServerHandshakeEvent,
    Upgrade,
};
use ws_proto::http::header::SEC_WEBSOCKET_EXTENSIONS;
use ws_proto::http::{HeaderValue, Request};
use ws_proto::{Config, Negotiated};

/// Either lines of the header as they may come: refused where a second reader of the grammar refuses them, and only there, and answered with
/// what is right by the same reader. Or two configurations, whose ends must agree.
///
/// # Panics
/// Where one of these does not hold.
pub fn extension_header(data: &[u8]) {
    let mut choices = Choices::new(data);
    if choices.any() { agree(choices) } else { read(choices.rest()) }
}

fn read(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').take(20).collect();
    let mut request = Request::get("/")
        .header("host", "example.com")
        .header("upgrade", "websocket")
        .header("connection", "upgrade")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", crate::vectors::ACCEPT_KEY.0);
    for line in &lines {
        let Ok(value) = HeaderValue::from_bytes(line) else { return };
        request = request.header(SEC_WEBSOCKET_EXTENSIONS, value);
    }
    let Ok(request) = request.body(()) else { return };
    let elements: Option<usize> = lines.iter().map(|line| grammar(line)).sum();
    let config = build(crate::config());
    match Upgrade::from_request(&request, &config) {
        Err(HandshakeError::MalformedExtensions) => {
            assert!(matches!(elements, None | Some(0)), "{lines:?} follows the grammar");
        }
        Err(error) => panic!("nothing else is wrong: {error}"),
        Ok(upgrade) => {
            assert!(elements.is_some_and(|elements| elements > 0), "{lines:?} does not follow the grammar");
            let Ok((response, negotiated)) = upgrade.accept(Acceptance::default()) else {
                panic!("a request that was told can be accepted")
            };
            let answer = response.headers().get(SEC_WEBSOCKET_EXTENSIONS);
            assert_eq!(answer.is_some(), negotiated.deflate().is_some());
            assert!(answer.is_none_or(|answer| grammar(answer.as_bytes()) == Some(1)));
            assert!(negotiated.deflate().is_none_or(|params| params.server_max_window_bits.get() >= 9));
        }
    }
}

/// How many extensions are in a line of the header, by RFC 6455 §9.1 read a second time: split first, look inside afterwards.
fn grammar(line: &[u8]) -> Option<usize> {
    let mut count = 0;
    for element in split(line, b',')? {
        if element.is_empty() {
            continue;
        }
        count += 1;
        let mut parts = split(element, b';')?.into_iter();
        if !is_token(parts.next()?) {
            return None;
        }
        for param in parts {
            let sides = split(param, b'=')?;
            match sides.as_slice() {
                [name] if is_token(name) => {}
                [name, value] if is_token(name) && is_value(value) => {}
                _ => return None,
            }
        }
    }
    Some(count)
}

/// `bytes` split at `at` outside of quotes, without the whitespace around; `None` where a quote does not end.
fn split(bytes: &[u8], at: u8) -> Option<Vec<&[u8]>> {
    let mut pieces = Vec::new();
    let (mut quoted, mut escaped, mut begin) = (false, false, 0);
    for (i, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if *byte == at && !quoted => {
                pieces.push(trim(bytes.get(begin..i)?));
                begin = i + 1;
            }
            _ => {}
        }
    }
    pieces.push(trim(bytes.get(begin..)?));
    (!quoted && !escaped).then_some(pieces)
}

fn trim(bytes: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let begin = bytes.iter().position(|byte| !is_space(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_space(byte)).map_or(begin, |last| last + 1);
    bytes.get(begin..end).unwrap_or_default()
}

fn is_value(value: &[u8]) -> bool {
    let [b'"', inner @ .., b'"'] = value else { return is_token(value) };
    let mut unquoted = Vec::new();
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(byte) => unquoted.push(*byte),
                None => return false,
            },
            b'"' => return false,
            byte => unquoted.push(*byte),
        }
    }
    is_token(&unquoted)
}

fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes.iter().all(|byte| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(byte))
}

/// The client and the server of ours with any settings come to the same parameters, within what each allows.
fn agree(mut choices: Choices<'_>) {
    let [ours, theirs] = [choices.deflate_config(), choices.deflate_config()];
    let clock = Clock::new();
    let Ok(request) = Request::get("ws://example.com/").body(()) else { return };
    let config = build(crate::config().deflate(ours.clone()));
    let Ok(mut client) = ClientHandshake::new(request, config, clock.now()) else { return };
    let mut server = ServerHandshake::new(build(crate::config().deflate(theirs.clone())), clock.now());
    let transmit = client.transmit();
    let wire = transmit.copy_to_bytes(transmit.remaining());
    let Some(ServerHandshakeEvent::Request(_)) = server.poll_event(&mut &wire[..], clock.now()) else {
        panic!("a client of ours asks right")
    };
    assert!(server.accept(Acceptance::default()).is_ok());
    let transmit = server.transmit();
    let wire = transmit.copy_to_bytes(transmit.remaining());
    let Some(ClientHandshakeEvent::Response(_)) = client.poll_event(&mut &wire[..], clock.now()) else {
        panic!("a client of ours takes what a server of ours answers")
    };
    let params = |negotiated: Option<Negotiated>| negotiated.and_then(|it| it.deflate().copied());
    let (at_client, at_server) = (params(client.finish()), params(server.finish()));
    assert_eq!(at_client, at_server);
    if let Some(params) = at_client {
        assert!(params.server_max_window_bits <= ours.server_max_window_bits);
        assert!(
            params.client_max_window_bits <= ours.client_max_window_bits.min(theirs.client_max_window_bits)
        );
    }
}

fn build(settings: ws_proto::ConfigBuilder) -> Config {
    match settings.build() {
        Ok(config) => config,
        Err(error) => panic!("settings of a target are valid: {error}"),
    }
}
