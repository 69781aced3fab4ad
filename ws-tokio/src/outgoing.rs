//! What can be queued for sending.

use crate::Error;
use bytes::Bytes;
use std::time::Instant;
use ws_proto::{Connection, ControlPayload, Message, MessageKind, Prepared, SendError};

/// Something on its way into the queue.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Message(Message),
    Uncompressed(Message),
    Prepared(Prepared),
    Fragment(MessageKind, Bytes, bool),
    Ping(ControlPayload),
}

impl Outgoing {
    pub(crate) fn queue(
        self,
        connection: &mut Connection,
        now: impl FnOnce() -> Instant,
    ) -> Result<(), Error> {
        match self {
            Self::Message(message) => connection.send(message).map_err(give_back),
            Self::Uncompressed(message) => connection.send_uncompressed(message).map_err(give_back),
            Self::Prepared(message) => connection
                .send_prepared(&message)
                .map_err(|error| refused(&error, Some(message.message().clone()))),
            Self::Fragment(kind, payload, fin) => {
                connection.send_fragment(kind, payload, fin).map_err(|error| refused(&error, None))
            }
            Self::Ping(payload) => connection.ping(payload, now()).map_err(|error| refused(&error, None)),
        }
    }
}

fn give_back(error: SendError<Message>) -> Error {
    Error::Refused { refusal: error.refusal(), message: Some(error.into_rejected()) }
}

fn refused<T>(error: &SendError<T>, message: Option<Message>) -> Error {
    Error::Refused { refusal: error.refusal(), message }
}
