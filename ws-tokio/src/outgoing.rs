//! What can be queued for sending.

use crate::Error;
use bytes::Bytes;
use std::time::Instant;
use ws_proto::{Connection, ControlPayload, Message, MessageKind, Prepared, SendError};

/// Something on its way into the queue.
pub(crate) trait Outgoing {
    /// Queues it. `now` reads the clock.
    fn queue(self, connection: &mut Connection, now: impl FnOnce() -> Instant) -> Result<(), Error>;
}

impl Outgoing for Message {
    #[inline]
    fn queue(self, connection: &mut Connection, _now: impl FnOnce() -> Instant) -> Result<(), Error> {
        connection.send(self).map_err(give_back)
    }
}

/// A message that is not to be compressed.
#[derive(Debug)]
pub(crate) struct Uncompressed(pub(crate) Message);

impl Outgoing for Uncompressed {
    fn queue(self, connection: &mut Connection, _now: impl FnOnce() -> Instant) -> Result<(), Error> {
        connection.send_uncompressed(self.0).map_err(give_back)
    }
}

impl Outgoing for &Prepared {
    fn queue(self, connection: &mut Connection, _now: impl FnOnce() -> Instant) -> Result<(), Error> {
        connection.send_prepared(self).map_err(|error| refused(&error, Some(self.message().clone())))
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
}

/// A ping.
impl Outgoing for ControlPayload {
    fn queue(self, connection: &mut Connection, now: impl FnOnce() -> Instant) -> Result<(), Error> {
        connection.ping(self, now()).map_err(|error| refused(&error, None))
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
