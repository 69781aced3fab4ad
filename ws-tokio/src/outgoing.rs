//! What can be queued for sending.

use crate::Error;
use bytes::Bytes;
use std::time::Instant;
use ws_proto::{Connection, ControlPayload, Message, MessageKind, Prepared, SendError};

/// Something on its way into the queue.
pub(crate) trait Outgoing {
    /// Queues it. `now` reads the clock.
    fn queue(self, connection: &mut Connection, now: impl FnOnce() -> Instant) -> Result<(), Error>;

    /// The message, where it is a whole one: to be given back when it cannot be queued.
    fn into_message(self) -> Option<Message>;
}

impl Outgoing for Message {
    #[inline]
    fn queue(self, connection: &mut Connection, _now: impl FnOnce() -> Instant) -> Result<(), Error> {
        connection.send(self).map_err(give_back)
    }

    fn into_message(self) -> Option<Message> {
        Some(self)
    }
}

/// A message that is not to be compressed.
#[derive(Debug)]
pub(crate) struct Uncompressed(pub(crate) Message);

impl Outgoing for Uncompressed {
    fn queue(self, connection: &mut Connection, _now: impl FnOnce() -> Instant) -> Result<(), Error> {
        connection.send_uncompressed(self.0).map_err(give_back)
    }

    fn into_message(self) -> Option<Message> {
        Some(self.0)
    }
}

impl Outgoing for &Prepared {
    fn queue(self, connection: &mut Connection, _now: impl FnOnce() -> Instant) -> Result<(), Error> {
        connection.send_prepared(self).map_err(|error| refused(&error, self.into_message()))
    }

    fn into_message(self) -> Option<Message> {
        Some(self.message().clone())
    }
}

/// A piece of a message.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) kind: MessageKind,
    pub(crate) payload: Bytes,
    pub(crate) fin: bool,
}

impl Outgoing for Piece {
    fn queue(self, connection: &mut Connection, _now: impl FnOnce() -> Instant) -> Result<(), Error> {
        connection.send_fragment(self.kind, self.payload, self.fin).map_err(|error| refused(&error, None))
    }

    fn into_message(self) -> Option<Message> {
        None
    }
}

/// A ping.
impl Outgoing for ControlPayload {
    fn queue(self, connection: &mut Connection, now: impl FnOnce() -> Instant) -> Result<(), Error> {
        connection.ping(self, now()).map_err(|error| refused(&error, None))
    }

    fn into_message(self) -> Option<Message> {
        None
    }
}

#[cold]
fn give_back(error: SendError<Message>) -> Error {
    Error::Refused { refusal: error.refusal(), message: Some(error.into_rejected()) }
}

#[cold]
pub(crate) fn refused<T>(error: &SendError<T>, message: Option<Message>) -> Error {
    Error::Refused { refusal: error.refusal(), message }
}
