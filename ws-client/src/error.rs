//! Why there is no connection, by how far it got.

use crate::proxy::ProxyError;
use crate::redirect::RedirectError;
use std::fmt;
use std::io;
use ws_proto::ApiMisuse;
use ws_proto::bytes::Bytes;
use ws_proto::handshake::HandshakeError;
use ws_proto::http::{HeaderMap, Response, StatusCode};
use ws_tokio::OpenError;

/// Why there is no connection, by how far it got. Each is one sentence that says what to do about it, and none holds a credential: not in
/// `Display`, not in `Debug`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The URL is not one of WebSocket. Nothing was sent.
    Url(UrlError),
    /// The request cannot be sent as it is, for example because of a header that only the handshake may set. Nothing was sent.
    Misuse(ApiMisuse),
    /// A user name with a colon (RFC 7617 §2), or a user name, password or token with a control character, which no header can hold. Nothing
    /// was sent.
    Credentials,
    /// The URL says `wss`, or the proxy `https`, and this crate was built without the feature `tls`. Nothing was sent.
    NoTls,
    /// TLS cannot be set up here: the system has no roots, one that was added is malformed, a client certificate does not fit its key, or a
    /// feature is missing, which the text names. Nothing was sent.
    TlsConfig(io::Error),
    /// The host's name was not resolved.
    Dns(io::Error),
    /// No address of the host could be connected to; this is what the last one gave.
    Connect(io::Error),
    /// There is no way through the proxy.
    Proxy(ProxyError),
    /// The TLS handshake failed, as a rule because the certificate is not trusted or is for another name; see
    /// [`is_certificate`](Self::is_certificate).
    Tls(io::Error),
    /// The server answered the opening request with another status than 101.
    Refused(Box<Refusal>),
    /// The server sent us elsewhere, and we do not go there.
    Redirect(RedirectError),
    /// The server broke a rule of the opening handshake.
    Handshake(HandshakeError),
    /// The stream failed during the opening handshake.
    Io(io::Error),
    /// A deadline was over at this stage: that of the stage, or that of connecting as a whole.
    Timeout(Stage),
}

/// How far connecting has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The settings and the URL are looked at. Nothing leaves this program.
    Request,
    /// The host's name is resolved.
    Dns,
    /// A connection to one of its addresses is opened.
    Connect,
    /// The proxy is connected to, and asked for a way to the host.
    Proxy,
    /// TLS is negotiated with the host.
    Tls,
    /// The opening request is sent and its response awaited.
    Handshake,
    /// The server answered with another place to go to.
    Redirect,
}

/// What a server answered that does not want a WebSocket: with another status than 101 (RFC 6455 §4.1).
///
/// `Debug` shows the status, the names of the headers and the length of the body, for the rest may hold credentials.
#[derive(Clone)]
#[non_exhaustive]
pub struct Refusal {
    /// The status, for example 401 or 503.
    pub status: StatusCode,
    /// All its headers, for example `WWW-Authenticate` or `Retry-After`.
    pub headers: HeaderMap,
    /// The beginning of the body: at most 16 KiB, and what arrived of it within a second.
    pub body: Bytes,
}

impl Error {
    /// How far connecting had got.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        match self {
            Self::Url(_) | Self::Misuse(_) | Self::Credentials | Self::NoTls | Self::TlsConfig(_) => {
                Stage::Request
            }
            Self::Dns(_) => Stage::Dns,
            Self::Connect(_) => Stage::Connect,
            Self::Proxy(_) => Stage::Proxy,
            Self::Tls(_) => Stage::Tls,
            Self::Refused(_) | Self::Handshake(_) | Self::Io(_) => Stage::Handshake,
            Self::Redirect(_) => Stage::Redirect,
            Self::Timeout(stage) => *stage,
        }
    }

    /// What the server answered, where it [refused](Self::Refused).
    #[must_use]
    pub const fn response(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Is it the certificate of the server, or of the proxy, that was not accepted? Trying again does not help then.
    #[must_use]
    pub fn is_certificate(&self) -> bool {
        match self {
            Self::Tls(error) | Self::Proxy(ProxyError::Tls(error)) => is_certificate(error),
            _ => false,
        }
    }
}

#[cfg(feature = "tls")]
fn is_certificate(error: &io::Error) -> bool {
    let rustls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(rustls, Some(rustls::Error::InvalidCertificate(_)))
}

#[cfg(not(feature = "tls"))]
const fn is_certificate(_: &io::Error) -> bool {
    false
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Misuse(error) => write!(f, "{error}; change the request or the settings of the client"),
            Self::Credentials => f.write_str(
                "user, password or token have characters that their header cannot hold; encode or replace them",
            ),
            Self::NoTls => f.write_str("TLS needs the feature `tls` of ws-client; switch it on"),
            Self::TlsConfig(error) => {
                write!(f, "TLS cannot be set up: {error}; look at roots and certificates in the settings")
            }
            Self::Dns(error) => {
                write!(f, "the host's name was not resolved: {error}; check the name and the network")
            }
            Self::Connect(error) => {
                write!(f, "the host cannot be connected to: {error}; check that it listens at this port")
            }
            Self::Proxy(error) => error.fmt(f),
            Self::Tls(error) if is_certificate(error) => {
                write!(f, "the server's certificate is not accepted: {error}; check the name, or add its root")
            }
            Self::Tls(error) => {
                write!(f, "the TLS handshake failed: {error}; check that the server speaks TLS at this port")
            }
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Redirect(error) => error.fmt(f),
            Self::Handshake(error) => {
                let check = match error {
                    HandshakeError::ControlCharacter => "it may want TLS: try wss://",
                    _ => "check what answers there",
                };
                write!(f, "the server broke a rule of the opening handshake: {error}; {check}")
            }
            Self::Io(error) => {
                write!(f, "the stream failed in the opening handshake: {error}; try again later")
            }
            Self::Timeout(stage) => write!(
                f,
                "{}; try again, or allow more time",
                match stage {
                    Stage::Request => "there was no time to connect",
                    Stage::Dns => "the host's name was not resolved in time",
                    Stage::Connect => "the host did not accept a connection in time",
                    Stage::Proxy => "the proxy did not open a way to the host in time",
                    Stage::Tls => "the TLS handshake did not end in time",
                    Stage::Handshake => "the server did not answer the opening request in time",
                    Stage::Redirect => "the redirects took too long",
                }
            ),
        }
    }
}

/// The source goes on where `Display` ends, so that a printed chain says nothing twice.
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Url(error) => error.source(),
            Self::Misuse(error) => error.source(),
            Self::Proxy(error) => error.source(),
            Self::Redirect(error) => error.source(),
            Self::Handshake(error) => error.source(),
            Self::TlsConfig(error)
            | Self::Dns(error)
            | Self::Connect(error)
            | Self::Tls(error)
            | Self::Io(error) => error.source(),
            Self::Credentials | Self::NoTls | Self::Refused(_) | Self::Timeout(_) => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.status.as_u16() {
            401 => "give it valid credentials",
            403 => "it does not let this client in",
            404 | 410 => "check the path of the URL",
            407 => "a proxy on the way wants credentials",
            426 => "it speaks another version of the protocol",
            429 | 503 => "try again later, as its Retry-After says",
            300..=399 => "allow redirects, or connect to where its Location points",
            500..=599 => "try again later",
            _ => "check that the URL is that of a WebSocket",
        };
        write!(f, "the server answered {} and opens no WebSocket; {what}", self.status)
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("status", &self.status)
            .field("headers", &self.headers.keys().map(|name| name.as_str()).collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

impl From<Response<Bytes>> for Refusal {
    fn from(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        Self { status: parts.status, headers: parts.headers, body }
    }
}

impl From<UrlError> for Error {
    fn from(error: UrlError) -> Self {
        Self::Url(error)
    }
}

impl From<ProxyError> for Error {
    fn from(error: ProxyError) -> Self {
        Self::Proxy(error)
    }
}

impl From<RedirectError> for Error {
    fn from(error: RedirectError) -> Self {
        Self::Redirect(error)
    }
}

impl From<HandshakeError> for Error {
    fn from(error: HandshakeError) -> Self {
        match error {
            HandshakeError::Refused(response) => Self::Refused(Box::new((*response).into())),
            HandshakeError::Timeout => Self::Timeout(Stage::Handshake),
            error => Self::Handshake(error),
        }
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Handshake(error) => error.into(),
            OpenError::Misuse(error) => Self::Misuse(error),
            OpenError::Io(error) => Self::Io(error),
            // The driver may learn of more ways to fail; all of them are behind TCP and TLS.
            error => Self::Io(io::Error::other(error)),
        }
    }
}

/// What makes a URL none of WebSocket (RFC 6455 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// It does not follow the grammar of URLs (RFC 3986), or has no host.
    Malformed,
    /// It has characters that must be encoded.
    NotAscii,
    /// The scheme is neither `ws` nor `wss`.
    Scheme,
    /// There is a user or a password before the host.
    Userinfo,
    /// The port is none from 1 to 65,535.
    Port,
    /// There is a fragment.
    Fragment,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the URL is malformed (RFC 6455 §3); write it as wss://host/path",
            Self::NotAscii => {
                "the URL has characters beyond ASCII (RFC 6455 §3); encode the host by IDNA, the rest by percent signs"
            }
            Self::Scheme => "the scheme of the URL is neither ws nor wss (RFC 6455 §3); write it as wss://host/path",
            Self::Userinfo => {
                "the URL has a user or a password (RFC 6455 §3); give them as settings of the client instead"
            }
            Self::Port => "the port of the URL is none from 1 to 65535 (RFC 6455 §3); correct it or leave it out",
            Self::Fragment => "the URL has a fragment, which means nothing here (RFC 6455 §3); leave it out",
        })
    }
}

impl std::error::Error for UrlError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_small() {
        assert!(size_of::<Error>() <= 32, "{}", size_of::<Error>());
    }

    #[test]
    fn what_is_missing_for_tls_is_named() {
        assert_eq!(Error::NoTls.to_string(), "TLS needs the feature `tls` of ws-client; switch it on");
    }

    #[test]
    fn a_refusal_shows_nothing_that_could_be_a_credential() {
        let response = Response::builder().status(401).header("set-cookie", "session=s3cret");
        let refusal = Refusal::from(response.body(Bytes::from("you sent s3cret")).unwrap());
        let error = Error::Refused(Box::new(refusal));
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("set-cookie") && shown.contains("give it valid credentials"), "{shown}");
        assert_eq!(error.response().unwrap().headers["set-cookie"], "session=s3cret");
    }
}
