//! How many bytes a read or a write moves.

use crate::Rng;

/// The sizes of consecutive reads or writes.
#[derive(Clone, Debug)]
pub struct Chunks(Sizes);

#[derive(Clone, Debug)]
enum Sizes {
    Whole,
    Cycle { sizes: Vec<usize>, at: usize },
    Random { rng: Rng, most: usize },
}

impl Chunks {
    /// As much as there is.
    #[must_use]
    pub const fn whole() -> Self {
        Self(Sizes::Whole)
    }

    /// At most `size` bytes each time.
    #[must_use]
    pub fn of(size: usize) -> Self {
        Self::cycle([size])
    }

    /// These sizes in turn, from the beginning again after the last. A size of 0 counts as 1; no sizes at all as [`whole`](Self::whole).
    #[must_use]
    pub fn cycle(sizes: impl Into<Vec<usize>>) -> Self {
        Self(Sizes::Cycle { sizes: sizes.into(), at: 0 })
    }

    /// Sizes from 1 to `most` that repeat for the same seed.
    #[must_use]
    pub const fn random(seed: u64, most: usize) -> Self {
        Self(Sizes::Random { rng: Rng::new(seed), most })
    }

    /// The size of the next read or write where `available` bytes could move: 0 only where nothing could.
    pub fn size(&mut self, available: usize) -> usize {
        let size = match &mut self.0 {
            Sizes::Whole => available,
            Sizes::Cycle { sizes, at } => {
                let size = sizes.get(*at).copied().unwrap_or(available);
                *at = (*at + 1) % sizes.len().max(1);
                size
            }
            Sizes::Random { rng, most } => rng.below(*most) + 1,
        };
        size.max(1).min(available)
    }
}

impl Default for Chunks {
    fn default() -> Self {
        Self::whole()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_at_least_one_and_never_more_than_there_is() {
        let mut chunks = Chunks::cycle([3, 0, 9]);
        assert_eq!([5, 5, 5, 5, 0].map(|available| chunks.size(available)), [3, 1, 5, 3, 0]);
        assert_eq!(Chunks::whole().size(7), 7);
        assert_eq!(Chunks::cycle([]).size(7), 7);
        let mut chunks = Chunks::random(1, 4);
        assert!((0..100).all(|_| (1..=4).contains(&chunks.size(10))));
    }
}
