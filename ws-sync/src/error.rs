//! What can go wrong on a socket, by whose fault it is.

use crate::Wait;
use std::error::Error as StdError;
use std::{fmt, io};
use ws_proto::handshake::HandshakeError;
use ws_proto::{ApiMisuse, Failure, SendRefusal};

/// Why a call on a [`WebSocket`](crate::WebSocket) did not do what it was asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Not an error: a non-blocking stream is to become ready first, or [the time to receive](crate::WebSocket::set_recv_timeout) is over.
    /// Nothing is lost; make the same call again then.
    WouldBlock(Wait),
    /// The connection failed: the peer broke a rule, passed a limit or kept silent. The Close frame with the right code was written,
    /// where that was possible.
    Failed(Failure),
    /// Reading from or writing to the stream failed.
    Io(io::Error),
    /// Something was not queued for sending. Match on [`SendError`] to get it back.
    Refused(SendRefusal),
    /// The call asked for what cannot be done.
    Misuse(ApiMisuse),
}

impl Error {
    /// What to wait for, where this is no error but a non-blocking stream that is not ready.
    #[must_use]
    pub const fn would_block(&self) -> Option<Wait> {
        match self {
            Self::WouldBlock(wait) => Some(*wait),
            Self::Failed(_) | Self::Io(_) | Self::Refused(_) | Self::Misuse(_) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WouldBlock(wait) => wait.fmt(f),
            Self::Failed(failure) => failure.fmt(f),
            Self::Io(error) => write!(f, "the stream failed: {error}"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Misuse(misuse) => misuse.fmt(f),
        }
    }
}

/// The source goes on where `Display` ends, so that a printed chain says nothing twice.
impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Failed(failure) => failure.source(),
            Self::Io(error) => error.source(),
            Self::Misuse(misuse) => misuse.source(),
            Self::WouldBlock(_) | Self::Refused(_) => None,
        }
    }
}

impl From<ApiMisuse> for Error {
    fn from(misuse: ApiMisuse) -> Self {
        Self::Misuse(misuse)
    }
}

/// What was to be sent is dropped.
impl<T> From<SendError<T>> for Error {
    fn from(error: SendError<T>) -> Self {
        match error {
            SendError::Refused(refused) => Self::Refused(refused.refusal()),
            SendError::Io(error) => Self::Io(error),
        }
    }
}

/// Why something was not sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError<T> {
    /// It was not queued; [`into_rejected`](ws_proto::SendError::into_rejected) gives it back.
    Refused(ws_proto::SendError<T>),
    /// Writing to the stream failed. What was queued will not arrive; `recv` hands out what still comes from the peer.
    Io(io::Error),
}

impl<T> SendError<T> {
    /// Why it was not queued; `None` where the stream failed.
    #[must_use]
    pub const fn refusal(&self) -> Option<SendRefusal> {
        match self {
            Self::Refused(refused) => Some(refused.refusal()),
            Self::Io(_) => None,
        }
    }

    /// What was not queued; `None` where the stream failed.
    #[must_use]
    pub fn into_rejected(self) -> Option<T> {
        match self {
            Self::Refused(refused) => Some(refused.into_rejected()),
            Self::Io(_) => None,
        }
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Io(error) => write!(f, "the stream failed: {error}"),
        }
    }
}

impl<T: fmt::Debug> StdError for SendError<T> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Refused(_) => None,
            Self::Io(error) => error.source(),
        }
    }
}

/// Why there is no WebSocket (yet).
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Not an error: a non-blocking stream is to become ready first. Nothing is lost; make the same call again then.
    WouldBlock(Wait),
    /// The peer broke a rule of the opening handshake, took too long, or refused.
    Handshake(HandshakeError),
    /// Reading from or writing to the stream failed.
    Io(io::Error),
    /// The call asked for what cannot be done.
    Misuse(ApiMisuse),
}

impl OpenError {
    /// What to wait for, where this is no error but a non-blocking stream that is not ready.
    #[must_use]
    pub const fn would_block(&self) -> Option<Wait> {
        match self {
            Self::WouldBlock(wait) => Some(*wait),
            Self::Handshake(_) | Self::Io(_) | Self::Misuse(_) => None,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WouldBlock(wait) => wait.fmt(f),
            Self::Handshake(error) => error.fmt(f),
            Self::Io(error) => write!(f, "the stream failed: {error}"),
            Self::Misuse(misuse) => misuse.fmt(f),
        }
    }
}

impl StdError for OpenError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Handshake(error) => error.source(),
            Self::Io(error) => error.source(),
            Self::Misuse(misuse) => misuse.source(),
            Self::WouldBlock(_) => None,
        }
    }
}

impl From<HandshakeError> for OpenError {
    fn from(error: HandshakeError) -> Self {
        Self::Handshake(error)
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ApiMisuse> for OpenError {
    fn from(misuse: ApiMisuse) -> Self {
        Self::Misuse(misuse)
    }
}

/// The same error for one more caller.
pub(crate) fn again(error: &io::Error) -> io::Error {
    error
        .raw_os_error()
        .map_or_else(|| io::Error::new(error.kind(), error.to_string()), io::Error::from_raw_os_error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ws_proto::Message;

    #[test]
    fn errors_are_small() {
        assert!(size_of::<Error>() <= 40, "{}", size_of::<Error>());
        assert!(size_of::<OpenError>() <= 40, "{}", size_of::<OpenError>());
    }

    #[test]
    fn a_refused_message_is_given_back() {
        let refused = ws_proto::SendError::new(SendRefusal::QueueFull, Message::from("a"));
        let error = SendError::Refused(refused);
        assert_eq!(error.refusal(), Some(SendRefusal::QueueFull));
        assert_eq!(error.into_rejected(), Some(Message::from("a")));
    }

    #[test]
    fn an_error_says_nothing_twice() {
        let error = Error::from(SendError::<Message>::Io(io::Error::other("unplugged")));
        assert_eq!(error.to_string(), "the stream failed: unplugged");
        assert!(error.source().is_none());
    }

    #[test]
    fn an_error_is_told_again_and_a_wait_is_no_error() {
        assert_eq!(again(&io::Error::from_raw_os_error(32)).raw_os_error(), Some(32));
        assert!(Error::WouldBlock(Wait::default()).would_block().is_some());
    }
}
