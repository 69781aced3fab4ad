//! What a connection counts.

use super::Connection;
use super::timers::Timers;
use std::time::Duration;

/// What a connection has carried so far; see [`Connection::counts`].
///
/// Bytes are those of payloads as the application sees them: without headers, before compression and after inflation. They count as they
/// come, or as they are queued; a message counts when it is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Messages that came, and were valid.
    pub received_messages: u64,
    /// Payload bytes of data frames that came, those of a message that is not complete included.
    pub received_bytes: u64,
    /// Messages that were queued to be sent.
    pub sent_messages: u64,
    /// Payload bytes of messages, and pieces of messages, that were queued to be sent.
    pub sent_bytes: u64,
    /// What of the received bytes came compressed.
    pub received_compressed: Compressed,
    /// What of the sent bytes left compressed.
    pub sent_compressed: Compressed,
    /// Pings that a pong has answered: those of keepalive, and the application's.
    pub round_trips: u32,
    /// How long the last of them took, in whole microseconds; `None` before the first.
    pub last_round_trip: Option<Duration>,
}

/// Bytes without compression and with it (RFC 7692), of messages that were compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compressed {
    /// Payload bytes of the messages.
    pub plain_bytes: u64,
    /// Payload bytes of their frames.
    pub wire_bytes: u64,
}

impl Compressed {
    /// What part of its size compression left of it, such as 0.2; `None` while nothing was compressed.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "it is a ratio")]
    pub fn ratio(&self) -> Option<f64> {
        (self.plain_bytes > 0).then(|| self.wire_bytes as f64 / self.plain_bytes as f64)
    }

    #[cfg(feature = "deflate")]
    pub(super) const fn add(&mut self, plain: usize, wire: usize) {
        self.plain_bytes += plain as u64;
        self.wire_bytes += wire as u64;
    }
}

/// The counters of one connection, as small as they can be: what only some need is in a box.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) received_messages: u64,
    pub(super) received_bytes: u64,
    pub(super) sent_messages: u64,
    pub(super) sent_bytes: u64,
    /// Received and sent; `None` while nothing was compressed.
    compressed: Option<Box<[Compressed; 2]>>,
}

impl Counters {
    /// A message came that lay in the input as a whole.
    #[inline]
    pub(super) const fn received(&mut self, bytes: usize) {
        self.received_messages += 1;
        self.received_bytes += bytes as u64;
    }

    /// A whole message was queued.
    #[inline]
    pub(super) const fn sent(&mut self, bytes: usize) {
        self.sent_messages += 1;
        self.sent_bytes += bytes as u64;
    }

    #[cfg(feature = "deflate")]
    pub(super) fn received_compressed(&mut self) -> &mut Compressed {
        let [received, _] = &mut **self.compressed.get_or_insert_default();
        received
    }

    #[cfg(feature = "deflate")]
    pub(super) fn sent_compressed(&mut self) -> &mut Compressed {
        let [_, sent] = &mut **self.compressed.get_or_insert_default();
        sent
    }

    fn counts(&self, timers: &Timers) -> Counts {
        let [received_compressed, sent_compressed] = self.compressed.as_deref().copied().unwrap_or_default();
        let (round_trips, last_round_trip) = timers.round_trips();
        Counts {
            received_messages: self.received_messages,
            received_bytes: self.received_bytes,
            sent_messages: self.sent_messages,
            sent_bytes: self.sent_bytes,
            received_compressed,
            sent_compressed,
            round_trips,
            last_round_trip,
        }
    }
}

impl Connection {
    /// What the connection has carried so far. Counting costs a message two additions, and is never off; control frames are not counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counters.counts(&self.timers)
    }
}
