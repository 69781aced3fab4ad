//! Closing a socket from somewhere else.

use crate::driver::Shared;
use std::fmt;
use std::sync::{Arc, Weak};
use tokio::io::{AsyncRead, AsyncWrite};
use ws_proto::{ApiMisuse, CloseCode};

/// Closes a socket that another task has: for shutting down a server, or ending a session from outside.
///
/// It does not keep the socket alive. Clones close the same socket.
pub struct Closer<S>(Weak<Shared<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> Closer<S> {
    /// Starts the closing handshake: the Close frame is queued behind what waits already, and what the stream takes is written at once.
    /// Whoever receives on the socket goes on to get messages, and then `None` when the peer has answered. Nothing happens when the
    /// socket is closing, over or gone.
    ///
    /// # Errors
    /// [`ApiMisuse::UnsendableCloseCode`].
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), ApiMisuse> {
        self.0.upgrade().map_or(Ok(()), |shared| shared.start_closing(code, reason))
    }
}

impl<S> Closer<S> {
    pub(crate) fn new(shared: &Arc<Shared<S>>) -> Self {
        Self(Arc::downgrade(shared))
    }

    /// Is there still a socket, or a connection that is being seen to its end?
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.0.upgrade().is_some_and(|shared| shared.lock().stream.is_some())
    }
}

impl<S> Clone for Closer<S> {
    fn clone(&self) -> Self {
        Self(Weak::clone(&self.0))
    }
}

impl<S> fmt::Debug for Closer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closer")
    }
}
