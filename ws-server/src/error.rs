//! What goes wrong in a server.

use std::fmt;
use std::io;
use ws_tokio::OpenError;

/// Any error; what a handler ends with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong, in the order in which a connection can meet it. Only [`Error::Accept`] concerns more than one connection, and the
/// server goes on after that too.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// No connection can be accepted, as a rule because the process has no file descriptors left. The server tries again after a pause
    /// of 10 ms, which doubles up to 1 s while the trouble lasts.
    Accept(io::Error),
    /// A connection was closed at once, because there are so many already; see
    /// [`max_connections`](crate::ServerBuilder::max_connections). Under attack this is told often: count it.
    TooManyConnections {
        /// The setting.
        limit: usize,
    },
    /// A connection was closed at once, or answered 429, because its address has so many already; see
    /// [`max_connections_per_address`](crate::ServerBuilder::max_connections_per_address). Under attack this is told often: count it.
    TooManyConnectionsOfAddress {
        /// The setting.
        limit: usize,
    },
    /// A handshake was closed to make room for younger ones; see [`max_handshakes`](crate::ServerBuilder::max_handshakes).
    TooManyHandshakes {
        /// The setting.
        limit: usize,
    },
    /// A connection of a trusted proxy did not begin with a PROXY header.
    Proxy(io::Error),
    /// The TLS handshake failed.
    Tls(io::Error),
    /// The opening handshake failed. Where that was the client's fault, or it took longer than `handshake_timeout`, it was told so.
    Open(OpenError),
    /// A page of this origin may not connect; see [`origins`](crate::ServerBuilder::origins). Answered 403.
    Origin(Box<str>),
    /// The server does not go by this name; see [`hosts`](crate::ServerBuilder::hosts). Answered 421.
    Host(Box<str>),
    /// The connections hold as much memory as they may; see [`memory_budget`](crate::ServerBuilder::memory_budget). Answered 503.
    MemoryBudgetReached {
        /// The setting, in bytes.
        limit: usize,
    },
    /// An open connection was closed with 1013, or cut, because the connections hold as much memory as they may and it held most; see
    /// [`memory_budget`](crate::ServerBuilder::memory_budget).
    GaveUpMemory {
        /// What it held, in bytes.
        held: usize,
        /// The setting, in bytes.
        limit: usize,
    },
    /// The server is stopping. Answered 503.
    Stopping,
    /// The handler ended with this error.
    Handler(BoxError),
    /// The handler panicked with this message, which is empty where the panic had none.
    HandlerPanicked(Box<str>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accept(error) => write!(f, "no connection can be accepted: {error}"),
            Self::TooManyConnections { limit } => {
                write!(f, "there are {limit} connections already (max_connections)")
            }
            Self::TooManyConnectionsOfAddress { limit } => {
                write!(f, "the address has {limit} connections already (max_connections_per_address)")
            }
            Self::TooManyHandshakes { limit } => {
                write!(f, "the oldest of {limit} handshakes made room for others (max_handshakes)")
            }
            Self::Proxy(error) => write!(f, "the proxy's connection cannot be used: {error}"),
            Self::Tls(error) => write!(f, "the TLS handshake failed: {error}"),
            Self::Open(error) => write!(f, "the opening handshake failed: {error}"),
            Self::Origin(origin) => {
                write!(f, "pages of {origin:?} may not connect; if they should, add the origin to `origins`")
            }
            Self::Host(host) => {
                write!(f, "the server is none of {host:?}; if it is, add the name to `hosts`")
            }
            Self::MemoryBudgetReached { limit } => {
                write!(f, "the connections hold {limit} bytes already (memory_budget)")
            }
            Self::GaveUpMemory { held, limit } => {
                write!(
                    f,
                    "the connection held {held} bytes, the most of all that together hold {limit} (memory_budget)"
                )
            }
            Self::Stopping => f.write_str("the server is stopping"),
            Self::Handler(error) => write!(f, "the handler ended with an error: {error}"),
            Self::HandlerPanicked(message) => write!(f, "the handler panicked: {message}"),
        }
    }
}

/// The source goes on where `Display` ends, so that a printed chain says nothing twice.
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Accept(error) | Self::Proxy(error) | Self::Tls(error) => error.source(),
            Self::Open(error) => error.source(),
            Self::Handler(error) => error.source(),
            Self::TooManyConnections { .. }
            | Self::TooManyConnectionsOfAddress { .. }
            | Self::TooManyHandshakes { .. }
            | Self::Origin(_)
            | Self::Host(_)
            | Self::MemoryBudgetReached { .. }
            | Self::GaveUpMemory { .. }
            | Self::Stopping
            | Self::HandlerPanicked(_) => None,
        }
    }
}

/// Why a server cannot start: told before anything is served.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// It cannot listen there.
    Listen {
        /// The address, or the path.
        address: Box<str>,
        /// Why.
        error: io::Error,
    },
    /// There is nothing to listen on: no listener was given, or the supervisor has handed over none.
    NoListeners,
    /// A setting is zero, and nothing could be served with it.
    Zero {
        /// Its name.
        setting: &'static str,
    },
    /// `proxy_protocol` is on, and no proxy is trusted.
    NoTrustedProxies,
    /// One of `hosts` is no name of a host, or has a port.
    NoHost {
        /// What it is.
        host: Box<str>,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, error } => match error.kind() {
                io::ErrorKind::AddrInUse => {
                    write!(f, "cannot listen on {address}: something listens there already; stop it, or choose another")
                }
                io::ErrorKind::PermissionDenied => {
                    write!(
                        f,
                        "cannot listen on {address}: it is not allowed ({error}); choose another, or give the program the right \
                         (ports below 1024 take one)"
                    )
                }
                io::ErrorKind::AddrNotAvailable => {
                    write!(f, "cannot listen on {address}: {error}; choose one that this machine has")
                }
                _ => write!(f, "cannot listen on {address}: {error}; correct it, or choose another"),
            },
            Self::NoListeners => f.write_str(
                "there is nothing to listen on: name an address, or let a supervisor hand over its sockets",
            ),
            Self::Zero { setting } => write!(f, "{setting} must be more than zero"),
            Self::NoTrustedProxies => f.write_str(
                "proxy_protocol is on and trusted_proxies is empty: name the networks of the proxies, or switch it off",
            ),
            Self::NoHost { host } => {
                write!(f, "hosts: {host:?} is no name of a host; write it without a scheme and a port")
            }
        }
    }
}

/// For a `main` that ends with an `io::Error`; the kind is that of the listening socket, else `InvalidInput`.
impl From<StartError> for io::Error {
    fn from(error: StartError) -> Self {
        let kind = match &error {
            StartError::Listen { error, .. } => error.kind(),
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}

/// The source goes on where `Display` ends, so that a printed chain says nothing twice.
impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { error, .. } => error.source(),
            Self::NoListeners | Self::Zero { .. } | Self::NoTrustedProxies | Self::NoHost { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_small() {
        assert!(size_of::<Error>() <= 32);
    }
}
