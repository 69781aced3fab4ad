//! What a connection tells its driver.

use crate::{CloseCode, ControlPayload, Failure, MessageKind, MessageRef, Payload, Utf8Bytes};
use std::time::Duration;

/// What happened on a connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'b> {
    /// A whole message ([`Delivery::Whole`](crate::Delivery::Whole)).
    Message(MessageRef<'b>),
    /// A piece of a message ([`Delivery::Streaming`](crate::Delivery::Streaming)).
    Fragment(Fragment<'b>),
    /// A ping; its pong is queued already (§5.5.2).
    Ping(ControlPayload),
    /// A pong (§5.5.3).
    Pong(Pong),
    /// The closing handshake is complete: both Close frames are sent or queued. Nothing follows.
    Closed(CloseInfo),
    /// The connection failed (§7.1.7); where it can be of use, a Close frame is queued. Nothing follows.
    Failed(Failure),
}

/// A piece of a message, as it arrived: a fragment, or part of a large one.
///
/// Pieces of a text message may end inside a character; put together they are valid UTF-8, and what cannot become valid fails at once.
#[derive(Debug)]
pub struct Fragment<'b> {
    /// Kind of the message that the piece belongs to.
    pub kind: MessageKind,
    /// Its bytes, inflated. Empty only where `fin` is set.
    pub payload: Payload<'b>,
    /// Is it the first piece of its message?
    pub first: bool,
    /// Is it the last piece of its message?
    pub fin: bool,
}

/// A received pong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pong {
    /// What it carried.
    pub payload: ControlPayload,
    /// Time since the ping with this payload was queued; `None` for a pong that answers none of ours.
    pub round_trip: Option<Duration>,
}

/// How a closing handshake went (§7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseInfo {
    /// Who sent the first Close frame.
    pub initiator: Initiator,
    /// Our Close frame.
    pub sent: CloseFrame,
    /// The peer's Close frame.
    pub received: CloseFrame,
}

/// Who sent the first Close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initiator {
    /// We did.
    Local,
    /// The peer did.
    Peer,
}

/// The payload of a Close frame (§5.5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    /// The status code; [`CloseCode::NO_STATUS`] where the frame was empty.
    pub code: CloseCode,
    /// The reason, for people who read logs; it comes from the peer, so do not show it unescaped.
    pub reason: Utf8Bytes,
}
