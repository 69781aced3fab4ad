//! The client's half of the protocol: it has the newest snapshot, and those before that may be bases. The page's is `follower.js`.

use super::delta;
use super::snapshot::{Snapshot, Tick};
use super::wire::Malformed;
use std::collections::VecDeque;

/// One client's snapshots.
#[derive(Debug, Default)]
pub struct Follower {
    /// Invariant: ticks ascend; at most [`LENGTH`](Self::LENGTH).
    snapshots: VecDeque<Snapshot>,
    /// The answer is 0 until the next full snapshot.
    lost: bool,
    nothing: Snapshot,
}

impl Follower {
    /// The server's newest base is one that was acknowledged, and no more than so many were sent since.
    pub const LENGTH: usize = 32;

    /// Takes a snapshot message. One that is not newer than the newest is ignored.
    ///
    /// # Errors
    /// It is malformed or its base is not here. From then on the acknowledgement is 0, until a full snapshot came.
    pub fn take(&mut self, message: &[u8]) -> Result<(), Malformed> {
        let taken = self.apply(message);
        self.lost = taken.is_err();
        taken
    }

    /// What to tell the server: the tick of the newest snapshot, or 0 where a full one is needed.
    #[must_use]
    pub fn ack(&self) -> Tick {
        if self.lost { 0 } else { self.newest().map_or(0, Snapshot::tick) }
    }

    /// The newest snapshot.
    #[must_use]
    pub fn newest(&self) -> Option<&Snapshot> {
        self.snapshots.back()
    }

    fn apply(&mut self, message: &[u8]) -> Result<(), Malformed> {
        let (tick, base) = delta::ticks(message)?;
        if base != 0 && self.newest().is_some_and(|newest| newest.tick() >= tick) {
            return Ok(());
        }
        let base = match base {
            0 => &self.nothing,
            _ => {
                self.snapshots.iter().find(|snapshot| snapshot.tick() == base).ok_or(Malformed::Base(base))?
            }
        };
        let snapshot = delta::apply(base, message)?;
        // A full one of an earlier tick: the server was started anew.
        self.snapshots.retain(|old| old.tick() < tick);
        if self.snapshots.len() == Self::LENGTH {
            self.snapshots.pop_front();
        }
        self.snapshots.push_back(snapshot);
        Ok(())
    }
}
