//! Automatic pongs (§5.5.2): in order, and bounded however fast pings come.

use crate::{ControlPayload, Transmit};

/// Which pongs are queued, and the one that waits.
#[derive(Debug, Default)]
pub(super) struct Pongs {
    /// Pongs put into the queue and not known to be written.
    unsent: u8,
    /// Where the last of them ends in the stream of what we write.
    end: u64,
    /// The answer to the newest ping, when too many are unsent: §5.5.3 lets a pong answer only the most recent ping.
    newest: Option<Box<ControlPayload>>,
    /// Is no ping answered any more?
    stopped: bool,
}

impl Pongs {
    /// A ping came: the pong to queue now, or `None` where it waits.
    pub(super) fn answer(&mut self, payload: ControlPayload, transmit: &Transmit) -> Option<ControlPayload> {
        if self.stopped {
            return None;
        }
        if transmit.written() >= self.end {
            self.unsent = 0;
        }
        if self.unsent < UNSENT && self.newest.is_none() {
            self.unsent += 1;
            return Some(payload);
        }
        self.newest = Some(Box::new(payload));
        None
    }

    /// No further ping is answered.
    pub(super) const fn stop(&mut self) {
        self.stopped = true;
    }

    /// Does a pong wait?
    #[inline]
    pub(super) const fn is_waiting(&self) -> bool {
        self.newest.is_some()
    }

    /// The pong that waited, once those before it were written.
    pub(super) fn take_waiting(&mut self, transmit: &Transmit) -> Option<ControlPayload> {
        if self.newest.is_none() || transmit.written() < self.end {
            return None;
        }
        self.unsent = 1;
        self.newest.take().map(|newest| *newest)
    }

    /// A pong was queued; the queue ends at `end`.
    pub(super) const fn queued(&mut self, end: u64) {
        self.end = end;
    }
}

/// Most pongs in the queue.
const UNSENT: u8 = 16;
