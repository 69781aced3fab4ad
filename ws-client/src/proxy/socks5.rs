//! A way through a SOCKS5 proxy ([RFC 1928]), with a user and a password where it wants them ([RFC 1929]).
//!
//! [RFC 1928]: https://www.rfc-editor.org/rfc/rfc1928
//! [RFC 1929]: https://www.rfc-editor.org/rfc/rfc1929

use super::{Credentials, Proxy, ProxyError};
use crate::Destination;
use std::io;
use std::net::IpAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Asks for a way to the host. Then the stream is that of the host. No byte more is read than belongs to an answer.
pub(crate) async fn tunnel<S>(stream: &mut S, proxy: &Proxy, to: &Destination) -> Result<(), ProxyError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // Made first: what cannot be asked for is an error before anything is sent.
    let request = request(to)?;
    let login = proxy.credentials().map(login).transpose()?;

    let methods: &[u8] = if login.is_some() { &[NO_AUTH, USER_AND_PASSWORD] } else { &[NO_AUTH] };
    write(stream, &counted(&[VERSION], methods)?).await?;
    let [version, method] = read(stream).await?;
    match (version, method, login) {
        (VERSION, NO_AUTH, _) => {}
        (VERSION, USER_AND_PASSWORD, Some(login)) => {
            write(stream, &login).await?;
            match read(stream).await? {
                [LOGIN_VERSION, 0] => {}
                [LOGIN_VERSION, _] => return Err(ProxyError::BadCredentials),
                _ => return Err(ProxyError::Malformed),
            }
        }
        // 0xff, or one that was not offered.
        (VERSION, ..) => return Err(ProxyError::NoAuthMethod),
        _ => return Err(ProxyError::Malformed),
    }

    write(stream, &request).await?;
    let [version, reply, _reserved, kind] = read(stream).await?;
    match (version, reply) {
        (VERSION, 0) => {}
        (VERSION, reply) => return Err(ProxyError::Socks(reply.into())),
        _ => return Err(ProxyError::Malformed),
    }
    // The address that the proxy connects from means nothing to us.
    let len = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(read::<1>(stream).await?[0]),
        _ => return Err(ProxyError::Malformed),
    };
    let mut address_and_port = [0; 255 + 2];
    let unused = address_and_port.get_mut(..len + 2).ok_or(ProxyError::Malformed)?;
    stream.read_exact(unused).await.map_err(ended)?;
    Ok(())
}

/// ```text
/// 05 | 01 CONNECT | 00 | kind | address | port, 2 bytes
/// ```
fn request(to: &Destination) -> Result<Vec<u8>, ProxyError> {
    let mut request = match to.host.parse() {
        Ok(IpAddr::V4(address)) => [&[VERSION, CONNECT, 0, IPV4][..], &address.octets()].concat(),
        Ok(IpAddr::V6(address)) => [&[VERSION, CONNECT, 0, IPV6][..], &address.octets()].concat(),
        Err(_) => counted(&[VERSION, CONNECT, 0, NAME], to.host.as_bytes())?,
    };
    request.extend_from_slice(&to.port.to_be_bytes());
    Ok(request)
}

/// ```text
/// 01 | length | user | length | password
/// ```
fn login(credentials: &Credentials) -> Result<Vec<u8>, ProxyError> {
    let user = counted(&[LOGIN_VERSION], credentials.user.as_bytes())?;
    counted(&user, credentials.password.as_bytes())
}

/// `start`, and `bytes` behind their length, which is 1 to 255.
fn counted(start: &[u8], bytes: &[u8]) -> Result<Vec<u8>, ProxyError> {
    let len = u8::try_from(bytes.len()).ok().filter(|&len| len > 0).ok_or(ProxyError::TooLong)?;
    Ok([start, &[len], bytes].concat())
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<(), ProxyError> {
    stream.write_all(bytes).await.map_err(ProxyError::Io)?;
    stream.flush().await.map_err(ProxyError::Io)
}

async fn read<const N: usize>(stream: &mut (impl AsyncRead + Unpin)) -> Result<[u8; N], ProxyError> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.map_err(ended)?;
    Ok(bytes)
}

fn ended(error: io::Error) -> ProxyError {
    if error.kind() == io::ErrorKind::UnexpectedEof { ProxyError::EndOfStream } else { ProxyError::Io(error) }
}

const VERSION: u8 = 5;
const LOGIN_VERSION: u8 = 1;
const NO_AUTH: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// What the client wrote to a proxy that answers so, and how it ended.
    async fn talk(proxy: &str, host: &str, answers: &[u8]) -> (Vec<u8>, Result<(), ProxyError>) {
        let (mut near, mut far) = tokio::io::duplex(4096);
        far.write_all(answers).await.unwrap();
        let proxy = Proxy::new(proxy).unwrap();
        let to = Destination { host: host.to_owned(), port: 443 };
        let writing = async {
            let ended = tunnel(&mut near, &proxy, &to).await;
            near.shutdown().await.unwrap();
            ended
        };
        let mut written = Vec::new();
        far.shutdown().await.unwrap();
        let (ended, read) = tokio::join!(writing, far.read_to_end(&mut written));
        read.unwrap();
        (written, ended)
    }

    #[tokio::test]
    async fn names_and_addresses_are_asked_for_in_their_form() {
        let granted = b"\x05\0\x05\0\0\x01\x7f\0\0\x01\x12\x34";
        for (host, asked) in [
            ("a.example", &b"\x05\x01\0\x03\x09a.example\x01\xbb"[..]),
            ("127.0.0.1", b"\x05\x01\0\x01\x7f\0\0\x01\x01\xbb"),
            ("::1", b"\x05\x01\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb"),
        ] {
            let (written, ended) = talk("socks5://proxy", host, granted).await;
            ended.unwrap();
            assert_eq!(written, [b"\x05\x01\0", asked].concat(), "{host}");
        }
        for answer in
            [&b"\x05\0\x05\0\0\x03\x03abc\x12\x34"[..], b"\x05\0\x05\0\0\x04aaaabbbbccccdddd\x12\x34"]
        {
            talk("socks5://proxy", "a", answer).await.1.unwrap();
        }
    }

    #[tokio::test]
    async fn user_and_password_are_told_where_they_are_wanted() {
        let (written, ended) =
            talk("socks5://me:pw@proxy", "a", b"\x05\x02\x01\0\x05\0\0\x01\x7f\0\0\x01\x12\x34").await;
        ended.unwrap();
        assert_eq!(written, b"\x05\x02\0\x02\x01\x02me\x02pw\x05\x01\0\x03\x01a\x01\xbb");
        let (written, _) = talk("socks5://me:pw@proxy", "a", b"\x05\0").await;
        assert_eq!(written, b"\x05\x02\0\x02\x05\x01\0\x03\x01a\x01\xbb");
    }

    #[tokio::test]
    async fn each_refusal_has_its_error() {
        let of = async |proxy: &str, answers: &[u8]| talk(proxy, "a", answers).await.1.unwrap_err();
        assert!(matches!(of("socks5://p", b"\x05\xff").await, ProxyError::NoAuthMethod));
        // It asks for what was not offered.
        assert!(matches!(of("socks5://p", b"\x05\x02").await, ProxyError::NoAuthMethod));
        assert!(matches!(of("socks5://a:b@p", b"\x05\x02\x01\x01").await, ProxyError::BadCredentials));
        assert!(matches!(of("socks5://a:b@p", b"\x05\x02\x05\0").await, ProxyError::Malformed));
        for garbage in [&b"HTTP/1.1 400"[..], b"\x05\0\x04\0\0\x01", b"\x05\0\x05\0\0\x02"] {
            assert!(matches!(of("socks5://p", garbage).await, ProxyError::Malformed));
        }
        for short in [&b""[..], b"\x05", b"\x05\0\x05\0", b"\x05\0\x05\0\0\x03\xff", b"\x05\0\x05\0\0\x01abc"]
        {
            assert!(matches!(of("socks5://p", short).await, ProxyError::EndOfStream), "{short:?}");
        }
        for (code, reply) in [
            (1, SocksReply::GeneralFailure),
            (2, SocksReply::NotAllowed),
            (5, SocksReply::ConnectionRefused),
            (9, SocksReply::Unassigned(9)),
        ] {
            let error = of("socks5://p", &[5, 0, 5, code, 0, 1]).await;
            assert!(matches!(error, ProxyError::Socks(it) if it == reply), "{error:?}");
        }
    }

    #[tokio::test]
    async fn what_has_no_room_is_an_error_before_anything_is_sent() {
        let long = "a".repeat(256);
        for (proxy, host) in
            [("socks5://proxy", long.as_str()), (&format!("socks5://u:{long}@p"), "a"), ("socks5://u@p", "a")]
        {
            let (written, ended) = talk(proxy, host, b"").await;
            assert!(matches!(ended, Err(ProxyError::TooLong)) && written.is_empty(), "{proxy} {host}");
        }
    }

    use super::super::SocksReply;
}
