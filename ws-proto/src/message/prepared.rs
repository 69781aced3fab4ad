//! A message made ready once for many connections.

use crate::Message;
use crate::frame::Header;
use bytes::Bytes;
use std::sync::{Arc, OnceLock};

/// A message that is framed once, and compressed once for each window size in use, however many connections it is sent to.
///
/// Connections of the server role share its frames, by reference from 1 KiB on; those of the client role must mask (§5.3), so they copy it. A clone is a
/// reference. It is sent as one frame, whatever `fragment_bytes` says. The first connection that needs a compressed variant makes it,
/// with its own compression level.
///
/// ```
/// use ws_proto::{Connection, Prepared};
///
/// fn tell_all(connections: &mut [Connection], news: &str) {
///     let news = Prepared::new(news);
///     for connection in connections {
///         // One whose queue is full does not get it.
///         let _ = connection.send_prepared(&news);
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Prepared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    message: Message,
    plain: OnceLock<Bytes>,
    /// By window bits, 9 to 15.
    #[cfg(feature = "deflate")]
    compressed: [OnceLock<Bytes>; 7],
}

impl Prepared {
    /// Prepares `message`; frames are made when they are first needed.
    pub fn new(message: impl Into<Message>) -> Self {
        Self(Arc::new(Inner {
            message: message.into(),
            plain: OnceLock::new(),
            #[cfg(feature = "deflate")]
            compressed: std::array::from_fn(|_| OnceLock::new()),
        }))
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.0.message
    }

    /// The whole uncompressed frame of a server.
    pub(crate) fn plain(&self) -> &Bytes {
        self.0.plain.get_or_init(|| {
            let payload = self.message().as_bytes();
            let header = Header::new(self.message().kind().opcode(), payload.len() as u64).encode();
            [header.as_slice(), payload].concat().into()
        })
    }

    /// The whole compressed frame of a server for a peer with this window, made by `compress` when it is the first.
    #[cfg(feature = "deflate")]
    pub(crate) fn compressed(
        &self,
        window_bits: u8,
        compress: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> Option<&Bytes> {
        let slot = self.0.compressed.get(usize::from(window_bits).checked_sub(9)?)?;
        Some(slot.get_or_init(|| {
            let payload = compress(self.message().as_bytes());
            let header =
                Header { rsv1: true, ..Header::new(self.message().kind().opcode(), payload.len() as u64) };
            [header.encode().as_slice(), &payload].concat().into()
        }))
    }
}

impl From<Message> for Prepared {
    fn from(message: Message) -> Self {
        Self::new(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_is_made_once() {
        let prepared = Prepared::new("Hello");
        assert_eq!(&prepared.plain()[..], b"\x81\x05Hello");
        assert_eq!(prepared.plain().as_ptr(), prepared.clone().plain().as_ptr());
    }
}
