//! What drivers hand to applications: events with everything owned.

use crate::{ControlPayload, Message, MessageKind, Pong};
use bytes::Bytes;

/// What a driver's `recv_event` hands out.
///
/// How a connection ended is not among them: then `recv_event` returns `None` or its error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A whole message.
    Message(Message),
    /// A piece of a message ([`Delivery::Streaming`](crate::Delivery::Streaming)).
    Fragment(Fragment),
    /// A ping; its pong leaves with the next write (RFC 6455 §5.5.2).
    Ping(ControlPayload),
    /// A pong (RFC 6455 §5.5.3).
    Pong(Pong),
}

/// A piece of a message, as it arrived: a fragment, or part of a large one.
///
/// Pieces of a text message may end inside a character; put together they are valid UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Kind of the message that the piece belongs to.
    pub kind: MessageKind,
    /// Its bytes, inflated. Empty only where `fin` is set.
    pub payload: Bytes,
    /// Is it the first piece of its message?
    pub first: bool,
    /// Is it the last piece of its message?
    pub fin: bool,
}

impl Event {
    /// The same event, owned: free where its payload is owned already, else one copy. `None` for the ends of a connection.
    #[must_use]
    pub fn from_borrowed(event: crate::Event<'_>) -> Option<Self> {
        Some(match event {
            crate::Event::Message(message) => Self::Message(message.into_message()),
            crate::Event::Fragment(crate::Fragment { kind, payload, first, fin }) => {
                Self::Fragment(Fragment { kind, payload: payload.into_bytes(), first, fin })
            }
            crate::Event::Ping(payload) => Self::Ping(payload),
            crate::Event::Pong(pong) => Self::Pong(pong),
            crate::Event::Closed(_) | crate::Event::Failed(_) => return None,
        })
    }
}
