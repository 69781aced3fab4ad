//! Closing a socket from somewhere else.

use crate::MemoryBudget;
use crate::driver::Shared;
use std::fmt;
use std::sync::{Arc, Weak};
use tokio::io::{AsyncRead, AsyncWrite};
use ws_proto::{ApiMisuse, CloseCode, CloseInfo, Counts, Failure};

/// How a socket stands; see [`Closer::status`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SocketStatus {
    /// May messages still be sent? False from our Close frame on.
    pub is_open: bool,
    /// How the closing handshake went; `None` while it is not complete.
    pub close_info: Option<CloseInfo>,
    /// Why the connection failed, where it did.
    pub failure: Option<Failure>,
    /// Bytes that were queued and that the stream has not taken.
    pub unsent_bytes: usize,
    /// What the socket holds of its memory budget, in bytes; 0 where it has none.
    pub memory_bytes: usize,
    /// What the connection has carried so far.
    pub counts: Counts,
}

/// Closes a socket that another task has: for shutting down a server, or ending a session from outside.
///
/// It does not keep the socket alive. Clones close the same socket.
pub struct Closer<S>(pub(crate) Weak<Shared<S>>);

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

    /// Ends the socket because this budget is reached: fails it with 1013, and frees at once what it holds, but for a receive buffer that
    /// its handle has. Where the stream does not take the Close frame at once, because the peer does not read what is queued before it, the
    /// stream is dropped and the peer sees it cut. Whoever receives gets [`Error::Failed`](crate::Error::Failed) with
    /// [`LimitError::MemoryBudget`](ws_proto::LimitError::MemoryBudget); what was received and not handed out is lost.
    pub fn give_up_memory(&self, budget: &MemoryBudget) {
        let Some(shared) = self.0.upgrade() else { return };
        let mut core = shared.lock();
        let stream = core.give_up_memory(budget.limit_bytes(), budget.used_bytes());
        // The stream may run code of the user when it is dropped, so not under the lock.
        drop(core);
        drop(stream);
    }
}

impl<S> Closer<S> {
    pub(crate) fn new(shared: &Arc<Shared<S>>) -> Self {
        Self(Arc::downgrade(shared))
    }

    /// Is there still a socket, or a connection that is being seen to its end?
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.0.upgrade().is_some_and(|shared| shared.lock().wire.stream.is_some())
    }

    /// How the socket stands. `None` when it is gone: the stream is dropped before it, so a stream that looks while it is dropped still
    /// finds how the connection has ended, unless the runtime has dropped what saw to that.
    #[must_use]
    pub fn status(&self) -> Option<SocketStatus> {
        let shared = self.0.upgrade()?;
        let mut core = shared.lock();
        Some(SocketStatus {
            is_open: core.connection.is_open(),
            close_info: core.connection.close_info().cloned(),
            failure: core.connection.failure().cloned(),
            unsent_bytes: core.connection.transmit().len(),
            memory_bytes: core.account.as_ref().map_or(0, |account| account.counted()),
            counts: core.connection.counts(),
        })
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
