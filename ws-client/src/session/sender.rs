//! Sending into a session from any task.

use super::outbox::Outbox;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use ws_proto::{CloseCode, Message};

/// A handle that sends into a [`Session`](super::Session) from any task; clones send into the same.
///
/// Messages leave in the order in which their `send` completed, whatever connections come and go. It does not keep the session alive.
#[derive(Clone)]
pub struct SessionSender(pub(super) Arc<Outbox>);

impl SessionSender {
    /// Puts a message into the outbox. It waits while that is full, all who wait in the order in which they came.
    ///
    /// # Errors
    /// [`SessionSendError`] gives the message back: the session has ended, or, with [`Resend::Drop`](super::Resend::Drop), there is no
    /// connection.
    ///
    /// # Cancel safety
    /// Cancel safe: a call that is dropped before it is ready has not queued the message.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SessionSendError> {
        self.0.send(message.into()).await
    }

    /// Puts a message into the outbox if that needs no waiting.
    ///
    /// # Errors
    /// As [`send`](Self::send), and where the outbox is full, or others wait for room.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), SessionSendError> {
        self.0.try_send(message.into())
    }

    /// Waits until nothing is in the outbox: all that was sent is [acknowledged](super::Session#what-arrives) (or dropped, where the policy
    /// drops). False where the session ended before that. [`close`](Self::close) behind it loses nothing.
    ///
    /// # Cancel safety
    /// Cancel safe: it only looks.
    pub async fn acknowledged(&self) -> bool {
        self.0.acknowledged().await
    }

    /// Ends the session for good. Nothing is taken into the outbox any more; what is in it is sent, then comes the closing handshake,
    /// within 10 s together. Where there is no connection it ends at once. [`SessionEvent::Ended`](super::SessionEvent::Ended) gives back
    /// what was not acknowledged. Only the first call counts. A code that must not be sent (RFC 6455 §7.4) closes without a code.
    pub fn close(&self, code: CloseCode, reason: &str) {
        self.0.close(if code.is_sendable() { code } else { CloseCode::NO_STATUS }, reason);
    }

    /// Is there a connection?
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.0.is_connected()
    }

    /// How many messages are in the outbox: those that wait, and those that were sent and not acknowledged.
    #[must_use]
    pub fn unacknowledged(&self) -> usize {
        self.0.len()
    }

    /// The last round trip that was measured, from a ping to its pong; `None` before the first.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.0.round_trip()
    }
}

impl fmt::Debug for SessionSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionSender")
    }
}

/// A message that was not taken into the outbox.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionSendError {
    /// Why.
    pub why: NotQueued,
    /// The message.
    pub message: Message,
}

/// Why a message was not taken into the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotQueued {
    /// The outbox is full, or others wait for room. Only `try_send` says so.
    Full,
    /// There is no connection, and with [`Resend::Drop`](super::Resend::Drop) nothing is kept for the next.
    NotConnected,
    /// The session has ended, or was asked to.
    Ended,
}

impl fmt::Display for SessionSendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.why {
            NotQueued::Full => "too many messages wait for their acknowledgement; send it later",
            NotQueued::NotConnected => "there is no connection; send it when there is one",
            NotQueued::Ended => "the session has ended; start another",
        })
    }
}

impl fmt::Debug for SessionSendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSendError").field("why", &self.why).finish_non_exhaustive()
    }
}

impl std::error::Error for SessionSendError {}
