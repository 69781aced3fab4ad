//! Writes heads in the form of HTTP/1.1. The types of [`http`] hold no CR, LF or NUL, so nothing can be slipped in.

use http::{HeaderMap, HeaderName, Request, Response, Uri};

/// Appends the head of a request whose target is written as a path (RFC 9112 §3.2.1).
pub(in crate::handshake) fn write_request(request: &Request<()>, wire: &mut Vec<u8>) {
    wire.reserve(USUAL_HEAD_BYTES);
    wire.extend_from_slice(request.method().as_str().as_bytes());
    wire.push(b' ');
    write_resource_name(request.uri(), wire);
    wire.extend_from_slice(b" HTTP/1.1\r\n");
    write_headers(request.headers(), wire);
}

/// Appends the head of a response; what follows it is up to the caller.
pub(in crate::handshake) fn write_response<T>(response: &Response<T>, wire: &mut Vec<u8>) {
    wire.reserve(USUAL_HEAD_BYTES);
    let status = response.status();
    wire.extend_from_slice(b"HTTP/1.1 ");
    wire.extend_from_slice(status.as_str().as_bytes());
    wire.push(b' ');
    wire.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    wire.extend_from_slice(b"\r\n");
    write_headers(response.headers(), wire);
}

/// The "resource name" of RFC 6455 §3: the path, `/` where it is empty, and the query. Bytes beyond ASCII, which
/// [`Uri`] lets through, are percent-encoded (RFC 3986 §2.1).
fn write_resource_name(uri: &Uri, wire: &mut Vec<u8>) {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    if !target.starts_with('/') {
        wire.push(b'/');
    }
    for &byte in target.as_bytes() {
        if byte.is_ascii() {
            wire.push(byte);
        } else {
            wire.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}

fn write_headers(headers: &HeaderMap, wire: &mut Vec<u8>) {
    for (name, value) in headers {
        write_name(name, wire);
        wire.extend_from_slice(b": ");
        wire.extend_from_slice(value.as_bytes());
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"\r\n");
}

/// Names have no case (RFC 9110 §5.1), but some small peers look for `Sec-WebSocket-Accept` to the letter.
fn write_name(name: &HeaderName, wire: &mut Vec<u8>) {
    let mut rest = name.as_str();
    if let Some(behind) = rest.strip_prefix("sec-websocket-") {
        wire.extend_from_slice(b"Sec-WebSocket-");
        rest = behind;
    }
    let mut starts_word = true;
    for byte in rest.bytes() {
        wire.push(if starts_word { byte.to_ascii_uppercase() } else { byte });
        starts_word = byte == b'-';
    }
}

/// A 101 has 129 bytes and a request some 170; more with a subprotocol, an extension or an origin.
const USUAL_HEAD_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn target(uri: &str) -> String {
        let mut wire = Vec::new();
        write_resource_name(&uri.parse().unwrap(), &mut wire);
        String::from_utf8(wire).unwrap()
    }

    #[test]
    fn the_resource_name_is_never_empty() {
        // RFC 6455 §3
        assert_eq!(target("ws://example.com"), "/");
        assert_eq!(target("ws://example.com?a=b"), "/?a=b");
        assert_eq!(target("ws://example.com/chat?a=b"), "/chat?a=b");
        assert_eq!(target("ws://example.com/caf\u{e9}"), "/caf%C3%A9");
    }

    #[test]
    fn names_are_written_in_the_usual_case() {
        let mut wire = Vec::new();
        for name in ["host", "sec-websocket-key", "sec-websocket-protocol", "x-forwarded-for", "x--1-a"] {
            write_name(&name.parse().unwrap(), &mut wire);
            wire.push(b' ');
        }
        assert_eq!(wire, b"Host Sec-WebSocket-Key Sec-WebSocket-Protocol X-Forwarded-For X--1-A ");
    }
}
