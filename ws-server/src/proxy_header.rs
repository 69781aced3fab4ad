//! The head that proxies of TCP put before a connection: the PROXY protocol, versions 1 and 2.

use proxy_header::{ParseConfig, ProxyHeader};
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Reads the head and nothing behind it. Gives the client's address, or nothing where the proxy speaks for itself, as for a health check.
///
/// # Errors
/// `InvalidData` where there is no such head.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let malformed =
        || io::Error::new(io::ErrorKind::InvalidData, "there is no PROXY header before the connection");
    let mut head = vec![0; SHORTEST];
    stream.read_exact(&mut head).await?;
    if head.starts_with(b"PROXY ") {
        // The text ends with a line feed: byte by byte, for what is behind it belongs to the connection.
        while head.last() != Some(&b'\n') {
            if head.len() >= LONGEST_TEXT {
                return Err(malformed());
            }
            head.push(stream.read_u8().await?);
        }
    } else if head.starts_with(SIGNATURE) {
        head.push(stream.read_u8().await?);
        let (high, low) = match head.as_slice() {
            [.., high, low] => (*high, *low),
            _ => return Err(malformed()),
        };
        let rest = usize::from(u16::from_be_bytes([high, low]));
        if rest > LONGEST_BINARY {
            return Err(malformed());
        }
        let fixed = head.len();
        head.resize(fixed + rest, 0);
        if let Some(rest) = head.get_mut(fixed..) {
            stream.read_exact(rest).await?;
        }
    } else {
        return Err(malformed());
    }
    match ProxyHeader::parse(&head, ParseConfig::default()) {
        Ok((header, _)) => Ok(header.proxied_address().map(|address| address.source)),
        Err(_) => Err(malformed()),
    }
}

/// The shortest head of all, `PROXY UNKNOWN` and the end of its line; one byte less than the fixed part of the binary one.
const SHORTEST: usize = 15;
const LONGEST_TEXT: usize = 107;
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Addresses, and some kilobytes of what else the proxy knows.
const LONGEST_BINARY: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use proxy_header::ProxiedAddress;

    async fn parse(bytes: &[u8]) -> (io::Result<Option<SocketAddr>>, usize) {
        let mut rest = bytes;
        let address = read(&mut rest).await;
        (address, rest.len())
    }

    #[tokio::test]
    async fn both_versions_are_read_to_their_end_and_no_further() {
        let text = b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\nGET /";
        let (address, rest) = parse(text).await;
        assert_eq!((address.unwrap(), rest), (Some("192.0.2.1:4711".parse().unwrap()), 5));
        let (address, rest) = parse(b"PROXY UNKNOWN\r\nGET /").await;
        assert_eq!((address.unwrap(), rest), (None, 5));

        let from = "[2001:db8::1]:4711".parse().unwrap();
        let header =
            ProxyHeader::with_address(ProxiedAddress::stream(from, "[2001:db8::2]:443".parse().unwrap()));
        let mut binary = Vec::new();
        header.encode_v2(&mut binary).unwrap();
        binary.extend_from_slice(b"GET /");
        let (address, rest) = parse(&binary).await;
        assert_eq!((address.unwrap(), rest), (Some(from), 5));
    }

    #[tokio::test]
    async fn whatever_is_no_head_is_refused_in_bounded_memory() {
        for bytes in [
            &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
            b"PROXY TCP4 192.0.2.1 192.0.2.2 4711\r\n........",
            b"PROXY TCP4 999.0.2.1 192.0.2.2 1 1\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
            b"\r\n\r\n\0\r\nQUIT\n\x31\x11\x00\x00",
            &[b"PROXY ".as_slice(), &[b'x'; 200]].concat(),
            b"PROXY",
            b"",
        ] {
            assert!(parse(bytes).await.0.is_err(), "{bytes:?}");
        }
    }
}
