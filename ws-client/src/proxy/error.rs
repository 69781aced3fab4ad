//! Why there is no way through a proxy.

use std::fmt;
use std::io;
use ws_proto::http::StatusCode;

/// Why there is no way through a proxy.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProxyError {
    /// The URL names no proxy: see [`Proxy::new`](crate::Proxy::new).
    Url,
    /// The environment variable of this name does not.
    Variable(&'static str),
    /// The name of the proxy was not resolved.
    Dns(io::Error),
    /// No address of the proxy could be connected to; this is what the last one gave.
    Connect(io::Error),
    /// TLS with the proxy failed, as a rule because its certificate is not trusted or is for another name.
    Tls(io::Error),
    /// The stream to the proxy failed.
    Io(io::Error),
    /// The proxy answered CONNECT with this status; 407 wants other credentials.
    Refused(StatusCode),
    /// What the proxy answered is no HTTP/1.1 and no SOCKS5 respectively.
    Malformed,
    /// The head of its answer has more bytes, or more headers, than a client should read.
    HeadTooLarge {
        /// How many bytes it may have.
        limit: usize,
    },
    /// It ended the stream before its answer was whole.
    EndOfStream,
    /// User and password have more bytes than the protocol has room for (255, RFC 1929), or are empty; or the host's name has.
    TooLong,
    /// The proxy accepts no way to log in that we have: it wants a user and a password, or takes none.
    NoAuthMethod,
    /// The proxy does not accept the user and the password.
    BadCredentials,
    /// The proxy does not connect to the host.
    Socks(SocksReply),
}

/// What a SOCKS5 proxy answers that does not connect (RFC 1928 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocksReply {
    /// 1: it failed, and does not say why.
    GeneralFailure,
    /// 2: its rules do not allow it.
    NotAllowed,
    /// 3: the network is not reachable.
    NetworkUnreachable,
    /// 4: the host is not reachable, or not known.
    HostUnreachable,
    /// 5: the host refused the connection.
    ConnectionRefused,
    /// 6: a time to live was over.
    TtlExpired,
    /// 7: it cannot connect at all.
    CommandNotSupported,
    /// 8: it does not know this kind of address.
    AddressTypeNotSupported,
    /// Another number, which means nothing.
    Unassigned(u8),
}

impl From<u8> for SocksReply {
    fn from(code: u8) -> Self {
        match code {
            1 => Self::GeneralFailure,
            2 => Self::NotAllowed,
            3 => Self::NetworkUnreachable,
            4 => Self::HostUnreachable,
            5 => Self::ConnectionRefused,
            6 => Self::TtlExpired,
            7 => Self::CommandNotSupported,
            8 => Self::AddressTypeNotSupported,
            code => Self::Unassigned(code),
        }
    }
}

impl fmt::Display for SocksReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GeneralFailure => "it failed",
            Self::NotAllowed => "its rules do not allow it",
            Self::NetworkUnreachable => "the network is not reachable",
            Self::HostUnreachable => "the host is not reachable",
            Self::ConnectionRefused => "the host refused",
            Self::TtlExpired => "a time to live was over",
            Self::CommandNotSupported => "it does not support connecting",
            Self::AddressTypeNotSupported => "it does not support this kind of address",
            Self::Unassigned(code) => return write!(f, "it gave the unknown reason {code}"),
        })
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str("the URL names no proxy; write it as http://host:port or socks5://host:port"),
            Self::Variable(name) => {
                write!(f, "the variable {name} names no proxy; set it to http://host:port or socks5://host:port")
            }
            Self::Dns(error) => {
                write!(f, "the proxy's name was not resolved: {error}; check the name and the network")
            }
            Self::Connect(error) => {
                write!(f, "the proxy cannot be connected to: {error}; check its address and port")
            }
            Self::Tls(error) => {
                write!(f, "TLS with the proxy failed: {error}; check its name and roots, or try http://")
            }
            Self::Io(error) => write!(f, "the stream to the proxy failed: {error}; try again later"),
            Self::Refused(StatusCode::PROXY_AUTHENTICATION_REQUIRED) => {
                f.write_str("the proxy wants credentials (407); give it a valid user and password")
            }
            Self::Refused(status) => {
                write!(f, "the proxy answered {status}; check that it allows this host and port")
            }
            Self::Malformed => f.write_str("the proxy's answer is malformed; check what kind of proxy it is"),
            Self::HeadTooLarge { limit } => {
                write!(f, "the head of the proxy's answer has more than {limit} bytes or too many lines; check what answers there")
            }
            Self::EndOfStream => {
                f.write_str("the proxy ended the stream before its answer; check what kind of proxy it is")
            }
            Self::TooLong => f.write_str(
                "user, password and host must have 1 to 255 bytes for a SOCKS5 proxy (RFC 1928, RFC 1929); use others",
            ),
            Self::NoAuthMethod => {
                f.write_str("the proxy accepts no way to log in that was offered; give it a user and a password")
            }
            Self::BadCredentials => f.write_str("the proxy does not accept user and password; correct them"),
            Self::Socks(reply) => {
                write!(f, "the proxy does not connect to the host: {reply}; check host and port")
            }
        }
    }
}

/// The source goes on where `Display` ends, so that a printed chain says nothing twice.
impl std::error::Error for ProxyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Dns(error) | Self::Connect(error) | Self::Tls(error) | Self::Io(error) => error.source(),
            _ => None,
        }
    }
}
