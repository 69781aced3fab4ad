//! When steps are due, and how many began late.

use std::time::{Duration, Instant};

/// A fixed rate that does not drift: a step that comes late does not make the next ones late.
#[derive(Debug, Clone)]
pub struct Metronome {
    began: Instant,
    step: Duration,
    /// Steps since `began`.
    steps: u32,
    counts: Punctuality,
}

/// How well the rate was kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Punctuality {
    /// Steps that were made.
    pub steps: u32,
    /// Of them, those that began more than a whole step after they were due.
    pub late: u32,
    /// Steps that were never made, for too many were due at once.
    pub skipped: u32,
    /// How late the latest one began.
    pub latest: Duration,
}

impl Metronome {
    /// After a pause longer than this many steps, as of a machine that slept, time goes on from now.
    pub const MOST_BEHIND: u32 = 15;

    /// The first step is due at `now`.
    #[must_use]
    pub fn new(steps_a_second: u32, now: Instant) -> Self {
        Self {
            began: now,
            step: Duration::from_secs(1) / steps_a_second.max(1),
            steps: 0,
            counts: Punctuality::default(),
        }
    }

    /// How long to wait for the next step.
    #[must_use]
    pub fn wait(&self, now: Instant) -> Duration {
        self.due().saturating_duration_since(now)
    }

    /// A step begins.
    pub fn begin(&mut self, now: Instant) {
        let late = now.saturating_duration_since(self.due());
        self.counts.steps = self.counts.steps.saturating_add(1);
        self.counts.latest = self.counts.latest.max(late);
        if late > self.step {
            self.counts.late = self.counts.late.saturating_add(1);
        }
        self.steps += 1;
        if late > self.step * Self::MOST_BEHIND {
            let behind = u32::try_from(late.as_nanos() / self.step.as_nanos().max(1)).unwrap_or(u32::MAX);
            self.counts.skipped = self.counts.skipped.saturating_add(behind);
            (self.began, self.steps) = (now, 1);
        }
    }

    /// How well it went so far.
    #[must_use]
    pub fn counts(&self) -> Punctuality {
        self.counts
    }

    fn due(&self) -> Instant {
        self.began + self.step * self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(10);

    #[test]
    fn a_late_step_does_not_make_the_next_one_late() {
        let start = Instant::now();
        let mut metronome = Metronome::new(100, start);
        metronome.begin(start);
        assert_eq!(metronome.wait(start), STEP);
        metronome.begin(start + STEP * 3);
        assert_eq!(metronome.wait(start + STEP * 3), Duration::ZERO);
        metronome.begin(start + STEP * 3);
        metronome.begin(start + STEP * 3);
        assert_eq!(metronome.wait(start + STEP * 3), STEP);
        let counts = metronome.counts();
        assert_eq!((counts.steps, counts.late, counts.skipped, counts.latest), (4, 1, 0, STEP * 2));
    }

    #[test]
    fn time_goes_on_from_now_after_a_long_pause() {
        let start = Instant::now();
        let mut metronome = Metronome::new(100, start);
        metronome.begin(start + STEP * 1000);
        assert_eq!(metronome.wait(start + STEP * 1000), STEP);
        assert_eq!(metronome.counts().skipped, 1000);
    }
}
