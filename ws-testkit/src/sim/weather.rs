//! How bad a simulated network is.

use crate::Rng;
use std::time::Duration;

/// What one connection of a [`Network`](super::Network) has to put up with. Bytes are never lost or turned round while a connection lives,
/// as with TCP; everything else may happen to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// How long bytes are under way: at least, and at most. Default: no time.
    pub latency: (Duration, Duration),
    /// Bytes that a direction holds before it takes no more: the kernel's buffers and the window of TCP. Default 64 KiB, at least 1.
    pub window: usize,
    /// Most bytes of one read or write, at least 1. Default: all there is.
    pub piece: usize,
    /// How late an end may find that it has something to do, so that ends overtake each other. Default: not at all.
    pub lateness: Duration,
    /// How often bytes are held up on their way, in a thousand writes. Default 0.
    pub stalls: usize,
    /// For how long then.
    pub stall: Duration,
    /// How often a connection has an [`Accident`], in a thousand. Default 0.
    pub accidents: usize,
    /// An accident happens within this time from the beginning. Default 30 s.
    pub accident_within: Duration,
}

/// What may happen to a connection once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Accident {
    /// It is reset: both ends are told, and what was under way is gone.
    Reset,
    /// A box in between ends one direction, behind what is under way; the other goes on.
    HalfClose,
    /// Nothing arrives any more, and nobody is told.
    Cut,
}

impl Weather {
    /// A local line: no delays, large windows, no accidents.
    #[must_use]
    pub const fn calm() -> Self {
        Self {
            latency: (Duration::ZERO, Duration::ZERO),
            window: 64 << 10,
            piece: usize::MAX,
            lateness: Duration::ZERO,
            stalls: 0,
            stall: Duration::ZERO,
            accidents: 0,
            accident_within: Duration::from_secs(30),
        }
    }

    /// Any weather: some of its sequence are calm, some have windows of a few bytes, some a third of their connections cut off.
    pub fn random(rng: &mut Rng) -> Self {
        let fastest = [0, 0, 1, 20, 100][rng.below(5)];
        let jitter = [0, 1, 30, 200][rng.below(4)];
        Self {
            latency: (Duration::from_millis(fastest), Duration::from_millis(fastest + jitter)),
            window: [1, 7, 64, 700, 5_000, 65_536][rng.below(6)],
            piece: [1, 3, 50, 1_000, usize::MAX, usize::MAX][rng.below(6)],
            lateness: Duration::from_millis([0, 0, 5, 150][rng.below(4)]),
            stalls: [0, 0, 10, 100][rng.below(4)],
            stall: Duration::from_millis([10, 500, 2_000][rng.below(3)]),
            accidents: [0, 0, 150, 350][rng.below(4)],
            accident_within: Duration::from_secs([1, 20, 60][rng.below(3)]),
        }
    }

    pub(super) fn latency(&self, rng: &mut Rng) -> Duration {
        let (least, most) = self.latency;
        let stalled = if rng.below(1000) < self.stalls { self.stall } else { Duration::ZERO };
        least + between(rng, most.saturating_sub(least)) + stalled
    }

    pub(super) fn late(&self, rng: &mut Rng) -> Duration {
        // Mostly at once: else everything is equally late, and nothing overtakes.
        if rng.below(3) == 0 { between(rng, self.lateness) } else { Duration::ZERO }
    }

    pub(super) fn piece(&self, rng: &mut Rng, available: usize) -> usize {
        let most = self.piece.max(1).min(available);
        // Half of the time as much as may be, for short ones only would never fill a window.
        if rng.below(2) == 0 { most } else { (rng.below(most) + 1).min(available) }
    }

    pub(super) fn accident(&self, rng: &mut Rng) -> Option<(Duration, Accident)> {
        let happens = rng.below(1000) < self.accidents;
        let at = between(rng, self.accident_within);
        let kind = [Accident::Reset, Accident::HalfClose, Accident::Cut][rng.below(3)];
        happens.then_some((at, kind))
    }
}

impl Default for Weather {
    fn default() -> Self {
        Self::calm()
    }
}

/// Some time up to `most`.
pub(super) fn between(rng: &mut Rng, most: Duration) -> Duration {
    let nanoseconds = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(if nanoseconds == 0 {
        0
    } else {
        rng.next_u64() % nanoseconds.saturating_add(1).max(1)
    })
}
