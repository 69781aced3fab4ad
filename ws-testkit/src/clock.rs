//! Simulated time.

use std::time::{Duration, Instant};

/// A clock that stands still until it is told to move, and never moves back.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    now: Instant,
}

impl Clock {
    /// A clock at some instant; only differences mean anything.
    #[must_use]
    pub fn new() -> Self {
        let start = Instant::now();
        Self { start, now: start }
    }

    /// The time it shows.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// How far it has moved since it was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// Moves on by `time`, and shows the new time.
    pub fn advance(&mut self, time: Duration) -> Instant {
        self.now += time;
        self.now
    }

    /// Moves on to `instant`; does nothing when that has passed.
    pub fn jump_to(&mut self, instant: Instant) {
        self.now = self.now.max(instant);
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_moves_only_when_told_to_and_never_back() {
        let mut clock = Clock::new();
        let start = clock.now();
        clock.advance(Duration::from_secs(3));
        clock.jump_to(start);
        assert_eq!((clock.elapsed(), clock.now() - start), (Duration::from_secs(3), Duration::from_secs(3)));
    }
}
