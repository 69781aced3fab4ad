//! Events that can be kept and compared.

use bytes::Bytes;
use ws_proto::{CloseInfo, ControlPayload, Event, Failure, Message, MessageKind, Pong};

/// An [`Event`], owned and comparable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Observed {
    /// A whole message.
    Message(Message),
    /// A piece of a message (streaming delivery).
    Fragment(ObservedFragment),
    /// A ping.
    Ping(ControlPayload),
    /// A pong.
    Pong(Pong),
    /// The closing handshake is complete.
    Closed(CloseInfo),
    /// The connection failed.
    Failed(Failure),
    /// An event that this crate does not know, as it prints itself.
    Other(String),
}

impl Observed {
    /// Is it an event after which nothing may follow?
    #[must_use]
    pub const fn is_terminal(&self) -> bool {
        matches!(self, Self::Closed(_) | Self::Failed(_))
    }
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedFragment {
    /// Text or binary.
    pub kind: MessageKind,
    /// Its bytes.
    pub payload: Bytes,
    /// Is it the first piece of its message?
    pub first: bool,
    /// Is it the last piece of its message?
    pub fin: bool,
}

impl From<Event<'_>> for Observed {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Message(message) => Self::Message(message.into_message()),
            Event::Fragment(fragment) => Self::Fragment(ObservedFragment {
                kind: fragment.kind,
                payload: fragment.payload.into_bytes(),
                first: fragment.first,
                fin: fragment.fin,
            }),
            Event::Ping(payload) => Self::Ping(payload),
            Event::Pong(pong) => Self::Pong(pong),
            Event::Closed(info) => Self::Closed(info),
            Event::Failed(failure) => Self::Failed(failure),
            other => Self::Other(format!("{other:?}")),
        }
    }
}

impl From<&str> for Observed {
    fn from(text: &str) -> Self {
        Self::Message(text.into())
    }
}

impl From<Message> for Observed {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}

/// Puts the pieces of streaming delivery together again, so that the result can be compared with whole delivery: each message stands
/// where its last piece was, and pieces of a message that was never finished are left out.
///
/// # Panics
/// Where pieces break their contract: a first piece inside a message, a piece without a first one, two kinds in one message, an
/// empty piece that tells no end, or text that is not UTF-8 in the end.
#[must_use]
pub fn put_together(events: impl IntoIterator<Item = Observed>) -> Vec<Observed> {
    let mut open: Option<(MessageKind, Vec<u8>)> = None;
    let mut whole = Vec::new();
    for event in events {
        let Observed::Fragment(piece) = event else {
            whole.push(event);
            continue;
        };
        assert_eq!(piece.first, open.is_none(), "the first piece, and only that, says that it is the first");
        assert!(piece.fin || !piece.payload.is_empty(), "an empty piece tells the end of a message");
        let (kind, bytes) = open.get_or_insert_with(|| (piece.kind, Vec::new()));
        assert_eq!(*kind, piece.kind, "all pieces of a message are of its kind");
        bytes.extend_from_slice(&piece.payload);
        if piece.fin
            && let Some((kind, bytes)) = open.take()
        {
            whole.push(match kind {
                MessageKind::Binary => Observed::Message(bytes.into()),
                MessageKind::Text => match String::from_utf8(bytes) {
                    Ok(text) => Observed::Message(text.into()),
                    Err(error) => panic!("a text message was delivered that is not UTF-8: {error}"),
                },
            });
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(payload: &'static str, first: bool, fin: bool) -> Observed {
        Observed::Fragment(ObservedFragment { kind: MessageKind::Text, payload: payload.into(), first, fin })
    }

    #[test]
    fn pieces_become_a_message_where_the_last_of_them_was() {
        let ping = Observed::Ping(ControlPayload::empty());
        let events =
            [piece("Hel", true, false), ping.clone(), piece("lo", false, true), piece("never", true, false)];
        assert_eq!(put_together(events), [ping, Observed::from("Hello")]);
    }
}
