//! What connections carry, added to the metrics: at intervals, and at the end of each, so that no message pays for it.

#[cfg(feature = "metrics")]
use super::names;
use ws_tokio::SocketStatus;
#[cfg(feature = "metrics")]
use ws_tokio::{Counts, proto::Compressed};

/// What of one connection is in the metrics already.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    #[cfg(feature = "metrics")]
    counts: Counts,
    #[cfg(feature = "metrics")]
    unsent_bytes: usize,
}

/// What is new of some connections.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    #[cfg(feature = "metrics")]
    counts: Counts,
    /// How many bytes more wait to be sent than before.
    #[cfg(feature = "metrics")]
    unsent_bytes: f64,
}

#[cfg(not(feature = "metrics"))]
impl Traffic {
    /// Nobody asks.
    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(crate) const fn ended(&mut self, _seen: &mut Seen, _status: &SocketStatus) {}

    /// Nobody asks.
    pub(crate) const fn publish_new(self) {}
}

#[cfg(not(feature = "metrics"))]
impl Seen {
    /// Nobody asks.
    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(crate) const fn forget(&mut self) {}
}

#[cfg(feature = "metrics")]
impl Traffic {
    /// Adds what is new of an open connection.
    pub(crate) fn open(&mut self, seen: &mut Seen, status: &SocketStatus) {
        self.add(seen, &status.counts);
        self.waits(seen, status.unsent_bytes);
        if status.unsent_bytes > 0 {
            metrics::histogram!(names::QUEUE_BYTES).record(float(status.unsent_bytes));
        }
    }

    /// Adds what is new of a connection that has ended. Nothing of it waits any more.
    pub(crate) fn ended(&mut self, seen: &mut Seen, status: &SocketStatus) {
        self.add(seen, &status.counts);
        self.waits(seen, 0);
    }

    fn add(&mut self, seen: &mut Seen, counts: &Counts) {
        // Never less: what was looked at before may come here behind what was looked at later.
        let add = |sum: &mut u64, seen: &mut u64, now: u64| {
            let more = now.saturating_sub(*seen);
            *sum += more;
            *seen += more;
        };
        let add_compressed = |sum: &mut Compressed, seen: &mut Compressed, now: Compressed| {
            add(&mut sum.plain_bytes, &mut seen.plain_bytes, now.plain_bytes);
            add(&mut sum.wire_bytes, &mut seen.wire_bytes, now.wire_bytes);
        };
        let (sum, seen) = (&mut self.counts, &mut seen.counts);
        add(&mut sum.received_messages, &mut seen.received_messages, counts.received_messages);
        add(&mut sum.received_bytes, &mut seen.received_bytes, counts.received_bytes);
        add(&mut sum.sent_messages, &mut seen.sent_messages, counts.sent_messages);
        add(&mut sum.sent_bytes, &mut seen.sent_bytes, counts.sent_bytes);
        add_compressed(
            &mut sum.received_compressed,
            &mut seen.received_compressed,
            counts.received_compressed,
        );
        add_compressed(&mut sum.sent_compressed, &mut seen.sent_compressed, counts.sent_compressed);
        if counts.round_trips > seen.round_trips
            && let Some(round_trip) = counts.last_round_trip
        {
            seen.round_trips = counts.round_trips;
            metrics::histogram!(names::ROUND_TRIP_SECONDS).record(round_trip);
        }
    }

    fn waits(&mut self, seen: &mut Seen, unsent_bytes: usize) {
        self.unsent_bytes += float(unsent_bytes) - float(seen.unsent_bytes);
        seen.unsent_bytes = unsent_bytes;
    }

    /// Adds all of it to the metrics. What is nothing is there then, too.
    pub(crate) fn publish(self) {
        self.publish_if(|_is_new| true);
    }

    /// As [`publish`](Self::publish), for one connection: what is nothing is not looked up, which costs more than to add it.
    pub(crate) fn publish_new(self) {
        self.publish_if(|is_new| is_new);
    }

    fn publish_if(self, publishes: impl Fn(bool) -> bool) {
        let Self { counts, unsent_bytes } = self;
        for (direction, messages, bytes, compressed) in [
            ("received", counts.received_messages, counts.received_bytes, counts.received_compressed),
            ("sent", counts.sent_messages, counts.sent_bytes, counts.sent_compressed),
        ] {
            let count = |name, more| {
                if publishes(more > 0) {
                    metrics::counter!(name, "direction" => direction).increment(more);
                }
            };
            count(names::MESSAGES_TOTAL, messages);
            count(names::BYTES_TOTAL, bytes);
            count(names::COMPRESSED_PLAIN_BYTES_TOTAL, compressed.plain_bytes);
            count(names::COMPRESSED_WIRE_BYTES_TOTAL, compressed.wire_bytes);
        }
        if publishes(unsent_bytes.total_cmp(&0.0).is_ne()) {
            metrics::gauge!(names::UNSENT_BYTES).increment(unsent_bytes);
        }
    }
}

#[cfg(feature = "metrics")]
impl Seen {
    /// The connection is gone. Mostly its end was told before, and then nothing is left to be done.
    pub(crate) fn forget(&mut self) {
        if self.unsent_bytes > 0 {
            metrics::gauge!(names::UNSENT_BYTES).decrement(float(self.unsent_bytes));
            self.unsent_bytes = 0;
        }
    }
}

#[cfg(feature = "metrics")]
#[expect(clippy::cast_precision_loss, reason = "metrics are so, and queues are shorter than 2^53 bytes")]
const fn float(bytes: usize) -> f64 {
    bytes as f64
}
