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
    /// The TLS handshake failed.
    Tls(io::Error),
    /// The opening handshake failed. Where that was the client's fault, or it took longer than `handshake_timeout`, it was told so.
    Open(OpenError),
    /// The handler ended with this error.
    Handler(BoxError),
    /// The handler panicked with this message, which is empty where the panic had none.
    HandlerPanicked(Box<str>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accept(error) => write!(f, "no connection can be accepted: {error}"),
            Self::Tls(error) => write!(f, "the TLS handshake failed: {error}"),
            Self::Open(error) => write!(f, "the opening handshake failed: {error}"),
            Self::Handler(error) => write!(f, "the handler ended with an error: {error}"),
            Self::HandlerPanicked(message) => write!(f, "the handler panicked: {message}"),
        }
    }
}

/// The source goes on where `Display` ends, so that a printed chain says nothing twice.
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Accept(error) | Self::Tls(error) => error.source(),
            Self::Open(error) => error.source(),
            Self::Handler(error) => error.source(),
            Self::HandlerPanicked(_) => None,
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
