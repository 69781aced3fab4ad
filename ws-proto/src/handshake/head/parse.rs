//! Turns a whole head, as [`HeadReader`](super::HeadReader) gives it, into the types of [`http`]. Headers share the
//! head's memory.

use crate::handshake::HandshakeError;
use crate::handshake::list::trim;
use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};

/// Parses a request. The version may be any from 0.9 to 3; no rule of WebSocket is applied here.
pub(in crate::handshake) fn parse_request(mut head: Bytes) -> Result<Request<()>, HandshakeError> {
    let mut line = next_line(&mut head);
    if line.is_empty() {
        line = next_line(&mut head);
    }
    let mut parts = line.split(|&byte| byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(HandshakeError::MalformedRequestLine);
    };
    // First, for a reader of another version could take all the rest for something else.
    let version = parse_version(version).ok_or(HandshakeError::MalformedRequestLine)??;
    let method = Method::from_bytes(method).map_err(|_| HandshakeError::MalformedRequestLine)?;
    if target.len() > MAX_URI_BYTES {
        return Err(HandshakeError::UriTooLong { limit: MAX_URI_BYTES });
    }
    // §3: a fragment is never sent; `Uri` would drop it in silence.
    if target.contains(&b'#') {
        return Err(HandshakeError::MalformedRequestTarget);
    }
    let uri =
        Uri::from_maybe_shared(line.slice_ref(target)).map_err(|_| HandshakeError::MalformedRequestTarget)?;
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.version_mut() = version;
    *request.headers_mut() = parse_headers(head)?;
    Ok(request)
}

/// Parses a response. The reason phrase is dropped: it means nothing (RFC 9112 §4).
pub(in crate::handshake) fn parse_response(mut head: Bytes) -> Result<Response<()>, HandshakeError> {
    let line = next_line(&mut head);
    let mut parts = line.splitn(3, |&byte| byte == b' ');
    let version = parts.next().and_then(parse_version).ok_or(HandshakeError::MalformedStatusLine)??;
    let status = parts.next().and_then(|status| StatusCode::from_bytes(status).ok());
    let mut response = Response::new(());
    *response.status_mut() = status.ok_or(HandshakeError::MalformedStatusLine)?;
    *response.version_mut() = version;
    *response.headers_mut() = parse_headers(head)?;
    Ok(response)
}

/// `None` where it is no version at all. A later minor version of 1 is read as 1.1 (RFC 9110 §2.5).
fn parse_version(version: &[u8]) -> Option<Result<Version, HandshakeError>> {
    let [b'H', b'T', b'T', b'P', b'/', major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] = version else {
        return None;
    };
    Some(match (major, minor) {
        (b'0', b'9') => Ok(Version::HTTP_09),
        (b'1', b'0') => Ok(Version::HTTP_10),
        (b'1', _) => Ok(Version::HTTP_11),
        (b'2', b'0') => Ok(Version::HTTP_2),
        (b'3', b'0') => Ok(Version::HTTP_3),
        _ => Err(HandshakeError::UnsupportedHttpVersion),
    })
}

fn parse_headers(mut head: Bytes) -> Result<HeaderMap, HandshakeError> {
    let mut headers = HeaderMap::with_capacity(USUAL_HEADERS);
    loop {
        let line = next_line(&mut head);
        if line.is_empty() {
            return Ok(headers);
        }
        let colon = line.iter().position(|&byte| byte == b':').ok_or(HandshakeError::MalformedHeader)?;
        let (name, value) = line.split_at_checked(colon).ok_or(HandshakeError::MalformedHeader)?;
        let value = trim(value.get(1..).unwrap_or_default());
        let name = HeaderName::from_bytes(name).map_err(|_| HandshakeError::MalformedHeader)?;
        let value = HeaderValue::from_maybe_shared(line.slice_ref(value))
            .map_err(|_| HandshakeError::MalformedHeader)?;
        headers
            .try_append(name, value)
            .map_err(|_| HandshakeError::TooManyHeaders { limit: MAX_HEADER_NAMES })?;
    }
}

/// Cuts the next line off, without its CRLF. In a head that the reader let through, each CR is followed by its LF.
fn next_line(head: &mut Bytes) -> Bytes {
    let len = head.iter().position(|&byte| byte == b'\r').unwrap_or(head.len());
    let line = head.split_to(len);
    head.advance(head.len().min(2));
    line
}

/// The longest that [`Uri`] can hold; reached only where `max_head_bytes` is set above it.
const MAX_URI_BYTES: usize = 65_534;

/// The most that [`HeaderMap`] can hold; reached only where `max_headers` is set above it.
const MAX_HEADER_NAMES: usize = 1 << 15;

/// A browser sends about 15.
const USUAL_HEADERS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(head: &'static str) -> Result<Request<()>, String> {
        parse_request(Bytes::from(head)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_request_is_read_in_parts() {
        let request =
            request("\r\nGET /a?b=c HTTP/1.1\r\nHost:x\r\nA: \t1 2 \t\r\na:\r\nB::\r\n\r\n").unwrap();
        assert_eq!((request.method(), request.uri().to_string().as_str()), (&Method::GET, "/a?b=c"));
        assert_eq!(request.headers()["host"], "x");
        assert_eq!(request.headers().get_all("a").iter().collect::<Vec<_>>(), ["1 2", ""]);
        assert_eq!(request.headers()["b"], ":");
    }

    #[test]
    fn a_request_line_has_three_parts() {
        for line in [
            "GET",
            "GET /",
            "GET / HTTP/1.1 ",
            "GET  / HTTP/1.1",
            "GET / http/1.1",
            "GET / HTTP/1",
            "GET / HTTP/1.1x",
            "G@T / HTTP/1.1",
        ] {
            let head = Bytes::from(format!("{line}\r\n\r\n"));
            assert!(matches!(parse_request(head), Err(HandshakeError::MalformedRequestLine)), "{line}");
        }
        for target in ["/a#b", "ht!tp://x", "http://", "/\u{7f}", "/<>", "/a\\b\u{1}"] {
            let head = Bytes::from(format!("GET {target} HTTP/1.1\r\n\r\n"));
            assert!(matches!(parse_request(head), Err(HandshakeError::MalformedRequestTarget)), "{target}");
        }
    }

    #[test]
    fn a_header_has_a_token_and_a_colon() {
        for line in ["a", ":", ": b", "a : b", "a\t: b", "a b: c", "é: b", "\"a\": b"] {
            let head = Bytes::from(format!("GET / HTTP/1.1\r\n{line}\r\n\r\n"));
            assert!(matches!(parse_request(head), Err(HandshakeError::MalformedHeader)), "{line}");
        }
    }

    #[test]
    fn a_status_line_may_lack_its_reason() {
        for (line, status) in [
            ("HTTP/1.1 101 Switching Protocols", 101),
            ("HTTP/1.1 404 ", 404),
            ("HTTP/1.0 500", 500),
            ("HTTP/1.1 200 \u{e9}", 200),
        ] {
            let response = parse_response(Bytes::from(format!("{line}\r\n\r\n"))).unwrap();
            assert_eq!(response.status().as_u16(), status);
        }
        for line in [
            "",
            "HTTP/1.1",
            "HTTP/1.1 ",
            "HTTP/1.1 10",
            "HTTP/1.1 1011",
            "HTTP/1.1 099",
            "HTTP/1.1  101",
            "ICY 200 OK",
            "http/1.1 200",
        ] {
            let response = parse_response(Bytes::from(format!("{line}\r\n\r\n")));
            assert!(matches!(response, Err(HandshakeError::MalformedStatusLine)), "{line}");
        }
    }
}
