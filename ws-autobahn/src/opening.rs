//! The opening handshake ([RFC 6455 §4]) written and read by hand, so that cases can bend it.
//!
//! [RFC 6455 §4]: https://www.rfc-editor.org/rfc/rfc6455#section-4

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use std::fmt::Write as _;
use ws_proto::Entropy;

use crate::deflate::{Offer, Params};

/// Where a client's request goes.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The value of `Host`.
    pub host: String,
    /// Path and query.
    pub resource: String,
    /// The value of `Origin`, if there is to be one.
    pub origin: Option<String>,
    /// Subprotocols to offer.
    pub protocols: Vec<String>,
}

/// An opening handshake that is itself the test: what differs from a good one, and how the endpoint is to take it.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    /// The first line, where it is not the usual one.
    pub(crate) first_line: Option<&'static str>,
    /// Headers to be left out.
    pub(crate) without: &'static [&'static str],
    /// Lines to be added.
    pub(crate) with: Vec<String>,
    /// Pieces of this many bytes.
    pub(crate) chop: Option<usize>,
    /// Is the endpoint to go along with it?
    pub(crate) want: Want,
}

/// How an endpoint is to take a handshake.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Want {
    /// Open the connection.
    Accepted,
    /// Refuse: by a status other than 101 as server, by ending the connection without a frame as client.
    Refused,
    /// Open the connection, without permessage-deflate.
    WithoutDeflate,
    /// Open the connection with these agreed on, or without permessage-deflate.
    Deflate(fn(&Params) -> bool),
    /// As client: send a good request, with a key that it has not sent before.
    GoodRequest,
}

impl Probe {
    pub(crate) const fn new(want: Want) -> Self {
        Self { first_line: None, without: &[], with: Vec::new(), chop: None, want }
    }

    pub(crate) const fn first_line(mut self, line: &'static str) -> Self {
        self.first_line = Some(line);
        self
    }

    pub(crate) const fn without(mut self, names: &'static [&'static str]) -> Self {
        self.without = names;
        self
    }

    pub(crate) fn with(mut self, line: impl Into<String>) -> Self {
        self.with.push(line.into());
        self
    }

    pub(crate) const fn chop(mut self, size: usize) -> Self {
        self.chop = Some(size);
        self
    }
}

/// A nonce for `Sec-WebSocket-Key`.
pub(crate) fn key(entropy: &Entropy) -> String {
    let mut nonce = [0; 16];
    entropy.fill(&mut nonce);
    STANDARD.encode(nonce)
}

/// The answer to a key (RFC 6455 §4.2.2).
pub(crate) fn accept(key: &str) -> String {
    STANDARD
        .encode(Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize())
}

/// A client's request.
pub(crate) fn request(target: &Target, key: &str, offers: &[Offer], probe: Option<&Probe>) -> String {
    let resource = if target.resource.is_empty() { "/" } else { &target.resource };
    let mut lines = vec![
        format!("Host: {}", target.host),
        concat!("User-Agent: ws-autobahn/", env!("CARGO_PKG_VERSION")).to_owned(),
        "Upgrade: WebSocket".to_owned(),
        "Connection: Upgrade".to_owned(),
        "Pragma: no-cache".to_owned(),
        "Cache-Control: no-cache".to_owned(),
        format!("Sec-WebSocket-Key: {key}"),
    ];
    if let Some(origin) = &target.origin {
        lines.push(format!("Origin: {origin}"));
    }
    if !target.protocols.is_empty() {
        lines.push(format!("Sec-WebSocket-Protocol: {}", target.protocols.join(",")));
    }
    if !offers.is_empty() {
        let offers: Vec<String> = offers.iter().map(|offer| offer.to_header()).collect();
        lines.push(format!("Sec-WebSocket-Extensions: {}", offers.join(", ")));
    }
    lines.push("Sec-WebSocket-Version: 13".to_owned());
    let first = match probe.and_then(|probe| probe.first_line) {
        Some(line) => line.replace("{resource}", resource),
        None => format!("GET {resource} HTTP/1.1"),
    };
    head(first, lines, probe)
}

/// A server's answer to this key.
pub(crate) fn response(key: &str, extensions: Option<&str>, probe: Option<&Probe>) -> String {
    let mut lines = vec![
        concat!("Server: ws-autobahn/", env!("CARGO_PKG_VERSION")).to_owned(),
        "Upgrade: WebSocket".to_owned(),
        "Connection: Upgrade".to_owned(),
        format!("Sec-WebSocket-Accept: {}", accept(key)),
    ];
    lines.extend(extensions.map(|extensions| format!("Sec-WebSocket-Extensions: {extensions}")));
    let first = probe.and_then(|probe| probe.first_line).unwrap_or("HTTP/1.1 101 Switching Protocols");
    head(first.to_owned(), lines, probe)
}

fn head(first: String, mut lines: Vec<String>, probe: Option<&Probe>) -> String {
    if let Some(probe) = probe {
        let left_out = |line: &String| {
            let name = line.split(':').next().unwrap_or_default();
            probe.without.iter().any(|without| name.eq_ignore_ascii_case(without))
        };
        lines.retain(|line| !left_out(line));
        lines.extend(probe.with.iter().cloned());
    }
    let mut head = first;
    for line in lines {
        let _ = write!(head, "\r\n{line}");
    }
    head.push_str("\r\n\r\n");
    head
}

/// What a server's good answer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) params: Option<Params>,
    /// The value of `Server`.
    pub(crate) server: Option<String>,
}

/// Checks a server's answer; `offered` is whether compression was. The error is a sentence.
pub(crate) fn check_response(
    head: &[u8],
    key: &str,
    offered: bool,
    protocols: &[String],
) -> Result<Answer, String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    response.parse(head).map_err(|error| format!("the answer is not HTTP: {error}"))?;
    let status = response.code.unwrap_or_default();
    if status != 101 {
        return Err(format!("the server answered with status {status}"));
    }
    if !values(response.headers, "upgrade").any(|value| value.trim().eq_ignore_ascii_case("websocket")) {
        return Err("the answer has no Upgrade: websocket".to_owned());
    }
    if !has_token(response.headers, "connection", "upgrade") {
        return Err("the answer has no Connection: Upgrade".to_owned());
    }
    let mut accepts = values(response.headers, "sec-websocket-accept");
    if accepts.next().is_none_or(|value| value.trim() != accept(key)) || accepts.next().is_some() {
        return Err("Sec-WebSocket-Accept does not answer the key".to_owned());
    }
    let chosen = joined(response.headers, "sec-websocket-protocol");
    if !chosen.is_empty() && !protocols.contains(&chosen) {
        return Err(format!("the server chose the subprotocol {chosen:?}, which was not offered"));
    }
    let params = Params::from_response(&joined(response.headers, "sec-websocket-extensions"), offered)?;
    let server = values(response.headers, "server").next().map(str::to_owned);
    Ok(Answer { params, server })
}

/// A client's request, as far as the suite reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// The pairs of the query, decoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) key: String,
    pub(crate) extensions: String,
}

impl Request {
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a client's request. The error is a sentence.
pub(crate) fn check_request(head: &[u8]) -> Result<Request, String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(head).map_err(|error| format!("the request is not HTTP: {error}"))?;
    if request.method != Some("GET") || request.version != Some(1) {
        return Err("the request is not GET over HTTP/1.1".to_owned());
    }
    let (path, query) = resource(request.path.unwrap_or_default());
    if values(request.headers, "host").count() != 1 {
        return Err("the request has not one Host".to_owned());
    }
    if !has_token(request.headers, "upgrade", "websocket")
        || !has_token(request.headers, "connection", "upgrade")
    {
        return Err("the request asks for no upgrade to WebSocket".to_owned());
    }
    if !values(request.headers, "sec-websocket-version").eq(["13"]) {
        return Err("the request is not for version 13".to_owned());
    }
    let mut keys = values(request.headers, "sec-websocket-key");
    let key =
        keys.next().map(str::trim).filter(|key| STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16));
    let (Some(key), None) = (key, keys.next()) else {
        return Err("Sec-WebSocket-Key is not base64 of 16 bytes".to_owned());
    };
    Ok(Request {
        path,
        query,
        key: key.to_owned(),
        extensions: joined(request.headers, "sec-websocket-extensions"),
    })
}

/// What a request is for, however wrong the rest of it is.
pub(crate) fn wanted(head: &[u8]) -> Request {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let target = String::from_utf8_lossy(line);
    let (path, query) = resource(target.split(' ').nth(1).unwrap_or_default());
    Request { path, query, ..Request::default() }
}

/// The path, and the pairs of the query.
fn resource(target: &str) -> (String, Vec<(String, String)>) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (path.to_owned(), query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect())
}

/// Where the head ends in `bytes`, if it has ended.
pub(crate) fn head_len(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

const MAX_HEADERS: usize = 128;

fn values<'a>(headers: &'a [httparse::Header<'a>], name: &str) -> impl Iterator<Item = &'a str> {
    headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name)).map(|header| {
        // What is not UTF-8 equals nothing that is looked for.
        std::str::from_utf8(header.value).unwrap_or("\u{FFFD}")
    })
}

fn joined(headers: &[httparse::Header<'_>], name: &str) -> String {
    values(headers, name).collect::<Vec<_>>().join(", ")
}

fn has_token(headers: &[httparse::Header<'_>], name: &str, token: &str) -> bool {
    values(headers, name).any(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
}

fn pair(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (decoded(name), decoded(value))
}

/// Undoes the encoding of a query: `+` and `%20`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, tail @ ..]) => {
                let digit =
                    |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                match (digit(*high), digit(*low)) {
                    (Some(high), Some(low)) => {
                        bytes.push(high << 4 | low);
                        rest = tail;
                    }
                    _ => bytes.push(b'%'),
                }
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_understood_by_the_other_end_and_its_answer_too() {
        let target = Target {
            host: "localhost:9001".to_owned(),
            resource: "/runCase?case=7&agent=a%20b+c%2f%zz".to_owned(),
            ..Target::default()
        };
        let key = key(&Entropy::os());
        let request = request(&target, &key, &[Offer::default()], None);
        assert_eq!(head_len(request.as_bytes()), Some(request.len()));
        let request = check_request(request.as_bytes()).unwrap();
        assert_eq!(
            (request.path.as_str(), request.param("case"), request.param("agent")),
            ("/runCase", Some("7"), Some("a b c/%zz"))
        );
        let (params, extensions) =
            Params::from_offers(&request.extensions, &[Offer::default()]).unwrap().unwrap();
        let response = response(&request.key, Some(&extensions), None);
        let answer = check_response(response.as_bytes(), &key, true, &[]).unwrap();
        assert_eq!(answer.params, Some(params));
        assert!(check_response(response.as_bytes(), &key, false, &[]).is_err(), "nothing was offered");
        assert!(check_response(response.as_bytes(), "another key", true, &[]).is_err());
        let chosen = response.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat\r\n\r\n");
        assert!(
            check_response(chosen.as_bytes(), &key, true, &[]).is_err(),
            "a subprotocol that was not offered"
        );
        assert!(check_response(chosen.as_bytes(), &key, true, &["chat".to_owned()]).is_ok());
    }

    #[test]
    fn a_probe_bends_the_head() {
        let probe = Probe::new(Want::Refused)
            .first_line("POST {resource} HTTP/1.0")
            .without(&["host"])
            .with("X-Extra: 1");
        let request = request(&Target::default(), "key", &[], Some(&probe));
        assert!(request.starts_with("POST / HTTP/1.0\r\nUser-Agent"), "{request}");
        assert!(request.ends_with("\r\nX-Extra: 1\r\n\r\n") && !request.contains("Host"), "{request}");
        assert!(check_request(request.as_bytes()).is_err());
    }
}
