//! Randomness that repeats.

use std::sync::atomic::{AtomicU64, Ordering};
use ws_proto::{ConfigBuilder, Entropy};

/// A small generator of numbers that look random and repeat for the same seed (SplitMix64). No secret at all.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// The next number below `bound`; 0 where `bound` is 0.
    pub const fn below(&mut self, bound: usize) -> usize {
        // The remainder is smaller than a `usize`, whatever the width of that.
        #[expect(clippy::cast_possible_truncation, reason = "bounded by a usize")]
        if bound == 0 { 0 } else { (self.next_u64() % bound as u64) as usize }
    }
}

/// Masking keys and nonces that repeat for the same seed, and differ from frame to frame.
#[must_use]
pub fn entropy(seed: u64) -> Entropy {
    let state = AtomicU64::new(seed);
    Entropy::from_fn(move |buf| {
        for piece in buf.chunks_mut(8) {
            let number = mix(state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP));
            for (slot, byte) in piece.iter_mut().zip(number.to_ne_bytes()) {
                *slot = byte;
            }
        }
    })
}

/// The default settings with masking keys that repeat.
pub fn config() -> ConfigBuilder {
    ConfigBuilder::new(entropy(0))
}

const fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
        let bytes = |seed| {
            let mut buf = [0; 19];
            entropy(seed).fill(&mut buf);
            buf
        };
        assert_eq!(bytes(1), bytes(1));
        assert_ne!(bytes(1), bytes(2));
        let mut rng = Rng::new(7);
        assert!((0..100).all(|_| rng.below(3) < 3));
        assert_eq!(rng.below(0), 0);
    }
}
