//! A tunnel by HTTP CONNECT ([RFC 9110 §9.3.6]).
//!
//! [RFC 9110 §9.3.6]: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6

use super::{Proxy, ProxyError};
use crate::{Destination, Error, auth};
use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use ws_proto::http::StatusCode;

/// Asks for a way to the host. Then the stream is that of the host.
pub(crate) async fn tunnel<S>(stream: &mut S, proxy: &Proxy, to: &Destination) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = request(proxy, to)?;
    stream.write_all(&request).await.map_err(ProxyError::Io)?;
    stream.flush().await.map_err(ProxyError::Io)?;
    let status = status(stream).await?;
    if status.is_success() { Ok(()) } else { Err(ProxyError::Refused(status).into()) }
}

fn request(proxy: &Proxy, to: &Destination) -> Result<Vec<u8>, Error> {
    let Destination { host, port } = to;
    let place = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let mut request = format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n").into_bytes();
    if let Some(credentials) = proxy.credentials() {
        let value = auth::basic(&credentials.user, &credentials.password).ok_or(Error::Credentials)?;
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    Ok(request)
}

/// The status of the final response. Nothing may come behind its head: in HTTP and in TLS it is the client that begins.
async fn status<S: AsyncRead + Unpin>(stream: &mut S) -> Result<StatusCode, ProxyError> {
    let mut head = BytesMut::new();
    let mut seen = 0;
    // All interim responses count together, so that no row of them is endless.
    let mut left = MAX_HEAD_BYTES;
    loop {
        if let Some(len) = end(&head, seen) {
            let status = parse(head.get(..len).unwrap_or_default())?;
            head.advance(len);
            seen = 0;
            if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
                continue;
            }
            return if head.is_empty() || !status.is_success() {
                Ok(status)
            } else {
                Err(ProxyError::Malformed)
            };
        }
        seen = head.len();
        if left == 0 {
            return Err(ProxyError::HeadTooLarge { limit: MAX_HEAD_BYTES });
        }
        match stream.read_buf(&mut (&mut head).limit(left)).await.map_err(ProxyError::Io)? {
            0 => return Err(ProxyError::EndOfStream),
            read => left -= read,
        }
    }
}

/// Where the head ends, if it does; its first `seen` bytes were looked at before.
fn end(head: &[u8], seen: usize) -> Option<usize> {
    let from = seen.saturating_sub(EMPTY_LINE.len() - 1);
    let at = head.get(from..)?.windows(EMPTY_LINE.len()).position(|window| window == EMPTY_LINE)?;
    Some(from + at + EMPTY_LINE.len())
}

fn parse(head: &[u8]) -> Result<StatusCode, ProxyError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(head) {
        Ok(_) => {}
        Err(httparse::Error::TooManyHeaders) => {
            return Err(ProxyError::HeadTooLarge { limit: MAX_HEAD_BYTES });
        }
        Err(_) => return Err(ProxyError::Malformed),
    }
    let status = response.code.and_then(|code| StatusCode::from_u16(code).ok());
    status.ok_or(ProxyError::Malformed)
}

const EMPTY_LINE: &[u8] = b"\r\n\r\n";

/// A usual one has less than 500.
const MAX_HEAD_BYTES: usize = 16 << 10;
const MAX_HEADERS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    async fn answered(answer: &[u8]) -> Result<StatusCode, ProxyError> {
        status(&mut &answer[..]).await
    }

    #[tokio::test]
    async fn the_final_status_counts() {
        for (answer, expected) in [
            ("HTTP/1.1 200 Connection established\r\n\r\n", 200),
            ("HTTP/1.0 200 OK\r\nVia: x\r\n\r\n", 200),
            ("HTTP/1.1 204\r\n\r\n", 204),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 200),
            ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n<html>", 407),
        ] {
            assert_eq!(answered(answer.as_bytes()).await.unwrap(), expected, "{answer}");
        }
    }

    #[tokio::test]
    async fn what_is_no_answer_is_an_error() {
        for answer in [
            "SSH-2.0-none\r\n\r\n",
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 20\r\n\r\n",
            "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\nthe host must not begin",
        ] {
            assert!(matches!(answered(answer.as_bytes()).await, Err(ProxyError::Malformed)), "{answer}");
        }
        for answer in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
            assert!(matches!(answered(answer.as_bytes()).await, Err(ProxyError::EndOfStream)), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_head_without_an_end_is_cut_off() {
        let long = format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(1 << 20));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(200));
        let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1 << 10);
        for answer in [long, many, interim] {
            let mut rest = answer.as_bytes();
            assert!(matches!(status(&mut rest).await, Err(ProxyError::HeadTooLarge { .. })));
            assert!(answer.len() - rest.len() <= MAX_HEAD_BYTES);
        }
    }

    #[tokio::test]
    async fn the_head_may_come_byte_by_byte() {
        let (mut near, mut far) = tokio::io::duplex(1);
        let writing = async move {
            far.write_all(b"HTTP/1.1 200 OK\r\na: b\r\n\r\n").await.unwrap();
            far
        };
        let (status, _far) = tokio::join!(status(&mut near), writing);
        assert_eq!(status.unwrap(), 200);
    }

    #[test]
    fn the_request_names_the_host_and_holds_the_credentials() {
        let to = |host: &str| Destination { host: host.to_owned(), port: 443 };
        let proxy = Proxy::new("http://proxy.example").unwrap();
        assert_eq!(
            request(&proxy, &to("example.com")).unwrap(),
            b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"
        );
        let request_of = |proxy: &Proxy| String::from_utf8(request(proxy, &to("::1")).unwrap()).unwrap();
        let written = request_of(&proxy.clone().basic_auth("Aladdin", "open sesame"));
        assert!(written.starts_with("CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n"), "{written}");
        assert!(
            written.ends_with("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"),
            "{written}"
        );
        let broken = request(&proxy.basic_auth("a\r\nb: c", ""), &to("::1"));
        assert!(matches!(broken, Err(Error::Credentials)));
    }

    #[test]
    fn a_proxy_that_says_nothing_is_waited_for() {
        let (mut near, _far) = tokio::io::duplex(64);
        let waiting = pin!(status(&mut near));
        assert!(matches!(waiting.poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
    }
}
