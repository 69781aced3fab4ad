//! How long to wait before connecting again.

use super::verdict::Verdict;
use std::time::Duration;
use ws_proto::Entropy;

/// How long a [`Session`](super::Session) waits before it connects again: full jitter. Before attempt `n` behind the last stable
/// connection it is any time from nothing to `base * 2^n`, but at most `cap`, each as probable, so that the clients of a server that comes
/// back spread over the whole of it.
#[derive(Clone, Debug)]
#[must_use]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    pub(super) stable_after: Duration,
    entropy: Entropy,
}

impl Backoff {
    /// From `base` up to `cap`. Default: 500 ms and 30 s.
    pub fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap, stable_after: Duration::from_secs(60), entropy: Entropy::os() }
    }

    /// A connection that lasted so long was a good one: the attempts behind it begin at `base` again. Default 60 s. A server that accepts
    /// and closes at once is thereby not asked faster than one that refuses.
    pub const fn stable_after(mut self, lasted: Duration) -> Self {
        self.stable_after = lasted;
        self
    }

    /// Where the randomness comes from. Default: the operating system. For tests that repeat.
    pub fn entropy(mut self, entropy: Entropy) -> Self {
        self.entropy = entropy;
        self
    }

    /// The longest wait before the attempt that is the `attempt`th behind a failure, counted from 0.
    pub(super) fn ceiling(&self, attempt: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.cap)
    }

    /// The wait; `None` where no attempt is to follow.
    pub(super) fn delay(&self, attempt: u32, verdict: Verdict) -> Option<Duration> {
        let ceiling = self.ceiling(attempt);
        match verdict {
            Verdict::Fatal => None,
            Verdict::Retry => Some(self.up_to(ceiling)),
            Verdict::RetryAfter { least, spread } => {
                Some(least.saturating_add(self.up_to(spread.max(ceiling))))
            }
        }
    }

    /// Any time from nothing to `most`.
    fn up_to(&self, most: Duration) -> Duration {
        let mut random = [0; 8];
        self.entropy.fill(&mut random);
        // The upper 53 bits are a fraction that the type holds exactly.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let fraction = (u64::from_le_bytes(random) >> 11) as f64 / (1_u64 << 53) as f64;
        most.mul_f64(fraction)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(30))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ws_testkit::entropy;

    fn backoff() -> Backoff {
        Backoff::default().entropy(entropy(7))
    }

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let ceilings: Vec<_> = (0..9).map(|attempt| backoff().ceiling(attempt).as_millis()).collect();
        assert_eq!(ceilings, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
        assert_eq!(backoff().ceiling(u32::MAX), Duration::from_secs(30));
    }

    #[test]
    fn waits_are_spread_evenly_from_nothing_to_the_ceiling() {
        let backoff = backoff();
        for attempt in [0, 3, 20] {
            let ceiling = backoff.ceiling(attempt).as_secs_f64();
            let (draws, mut buckets, mut sum) = (16_000, [0_u32; 16], 0.0);
            for _ in 0..draws {
                let part = backoff.delay(attempt, Verdict::Retry).unwrap().as_secs_f64() / ceiling;
                assert!((0.0..1.0).contains(&part));
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 15")]
                let bucket = (part * 16.0) as usize;
                buckets[bucket] += 1;
                sum += part;
            }
            // The mean of 16,000 even draws has a deviation of 0.0023; of chi-squared with 15 degrees of freedom 0.1 % are above 37.7.
            assert!((sum / f64::from(draws) - 0.5).abs() < 0.01, "{sum}");
            let expected = f64::from(draws) / 16.0;
            let chi_squared: f64 =
                buckets.iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
            assert!(chi_squared < 37.7, "{chi_squared}: {buckets:?}");
        }
    }

    #[test]
    fn what_the_server_asks_for_comes_first_and_the_attempts_spread_behind_it() {
        let backoff = backoff();
        let secs = Duration::from_secs;
        let after = Verdict::RetryAfter { least: secs(5), spread: secs(25) };
        let waits: Vec<_> = (0..1000).map(|_| backoff.delay(0, after).unwrap()).collect();
        assert!(waits.iter().all(|wait| (secs(5)..secs(30)).contains(wait)));
        assert!(waits.iter().min() < Some(&secs(6)) && waits.iter().max() > Some(&secs(29)));
        // Where the backoff is longer than that, it counts.
        let after = Verdict::RetryAfter { least: secs(1), spread: secs(1) };
        assert!((0..1000).any(|_| backoff.delay(9, after).unwrap() > secs(25)));
        assert_eq!(backoff.delay(0, Verdict::Fatal), None);
    }
}
