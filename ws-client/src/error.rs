//! Why there is no connection, by how far it got.

use std::fmt;
use std::io;
use ws_proto::ApiMisuse;
use ws_proto::handshake::HandshakeError;
use ws_tokio::OpenError;

/// Why there is no connection, by how far it got.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The URL is not one of WebSocket. Nothing was sent.
    Url(UrlError),
    /// A header was added that only the handshake may set. The request was not sent.
    Misuse(ApiMisuse),
    /// The URL says `wss`, and this crate was built without the feature `tls`. Nothing was sent.
    NoTls,
    /// There is nothing to check certificates with: the system has no roots, one that was added is malformed, or none of the features
    /// that give some is on. Nothing was sent.
    Roots(io::Error),
    /// The name was not resolved.
    Resolve(io::Error),
    /// No address of the host could be connected to; this is what the last one gave.
    Tcp(io::Error),
    /// The TLS handshake failed, as a rule because the certificate is not trusted or is for another name.
    Tls(io::Error),
    /// The server broke a rule of the opening handshake, took longer for it than `handshake_timeout`, or refused:
    /// [`HandshakeError::Refused`] has its response.
    Handshake(HandshakeError),
    /// The stream failed during the opening handshake.
    Io(io::Error),
    /// The time for connecting as a whole was over at this stage.
    Timeout(Stage),
}

/// How far connecting has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The host's name is resolved.
    Resolve,
    /// TCP connects.
    Tcp,
    /// TLS is negotiated.
    Tls,
    /// The opening request is sent and its response awaited.
    Handshake,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Misuse(error) => error.fmt(f),
            Self::NoTls => f.write_str("wss:// needs the feature `tls` of ws-client"),
            Self::Roots(error) => write!(f, "certificates cannot be checked: {error}"),
            Self::Resolve(error) => write!(f, "the host was not found: {error}"),
            Self::Tcp(error) => write!(f, "the host cannot be connected to: {error}"),
            Self::Tls(error) => write!(f, "the TLS handshake failed: {error}"),
            Self::Handshake(error) => write!(f, "the opening handshake failed: {error}"),
            Self::Io(error) => write!(f, "the stream failed in the opening handshake: {error}"),
            Self::Timeout(Stage::Resolve) => f.write_str("the host's name was not resolved in time"),
            Self::Timeout(Stage::Tcp) => f.write_str("the host did not accept the connection in time"),
            Self::Timeout(Stage::Tls) => f.write_str("the TLS handshake did not end in time"),
            Self::Timeout(Stage::Handshake) => f.write_str("the opening handshake did not end in time"),
        }
    }
}

/// The source goes on where `Display` ends, so that a printed chain says nothing twice.
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Url(error) => error.source(),
            Self::Misuse(error) => error.source(),
            Self::Handshake(error) => error.source(),
            Self::Roots(error)
            | Self::Resolve(error)
            | Self::Tcp(error)
            | Self::Tls(error)
            | Self::Io(error) => error.source(),
            Self::NoTls | Self::Timeout(_) => None,
        }
    }
}

impl From<UrlError> for Error {
    fn from(error: UrlError) -> Self {
        Self::Url(error)
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Handshake(error) => Self::Handshake(error),
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
            Self::Malformed => "the URL is malformed (RFC 6455 §3)",
            Self::NotAscii => "the URL has characters beyond ASCII, which must be encoded (RFC 6455 §3)",
            Self::Scheme => "the scheme of the URL is neither ws nor wss (RFC 6455 §3)",
            Self::Userinfo => "the URL has a user or a password, which belong into a header (RFC 6455 §3)",
            Self::Port => "the port of the URL is none from 1 to 65535 (RFC 6455 §3)",
            Self::Fragment => "the URL has a fragment, which means nothing here (RFC 6455 §3)",
        })
    }
}

impl std::error::Error for UrlError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_small() {
        assert!(size_of::<Error>() <= 32);
    }

    #[test]
    fn what_is_missing_for_tls_is_named() {
        assert_eq!(Error::NoTls.to_string(), "wss:// needs the feature `tls` of ws-client");
    }
}
