//! What can go wrong on an open socket.

use std::fmt;
use std::io;
use ws_proto::{ApiMisuse, Failure, Message, SendRefusal};

/// Why a call on a [`WebSocket`](crate::WebSocket) failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The connection failed: the peer broke a rule, passed a limit or kept silent. The Close frame with the right code was written.
    Failed(Failure),
    /// Reading from or writing to the stream failed.
    Io(io::Error),
    /// Something was not queued for sending.
    Refused {
        /// Why.
        refusal: SendRefusal,
        /// The message that was not queued; `None` where it was no whole message.
        message: Option<Message>,
    },
    /// The call asked for what cannot be done.
    Misuse(ApiMisuse),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => failure.fmt(f),
            Self::Io(error) => write!(f, "the stream failed: {error}"),
            Self::Refused { refusal, .. } => refusal.fmt(f),
            Self::Misuse(misuse) => misuse.fmt(f),
        }
    }
}

/// The source goes on where `Display` ends, so that a printed chain says nothing twice.
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(failure) => failure.source(),
            Self::Io(error) => error.source(),
            Self::Misuse(misuse) => misuse.source(),
            Self::Refused { .. } => None,
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ApiMisuse> for Error {
    fn from(misuse: ApiMisuse) -> Self {
        Self::Misuse(misuse)
    }
}
