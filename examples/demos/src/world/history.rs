//! The newest snapshots, and the newest one as a message for each base that somebody has.

use super::delta;
use super::snapshot::{Snapshot, Tick};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use ws_proto::{Message, Prepared};

/// A message that clients share.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// Framed once, and compressed once, for all who have the same base.
    pub message: Prepared,
    /// The tick of its base, 0 for a full snapshot.
    pub base: Tick,
    /// Bytes of the message.
    pub len: usize,
}

/// The last [`LENGTH`](Self::LENGTH) snapshots.
#[derive(Debug, Default)]
pub struct History {
    /// Invariant: ticks ascend.
    snapshots: VecDeque<Arc<Snapshot>>,
    /// The newest one, by the tick of the base. Emptied when a newer one comes.
    encoded: HashMap<Tick, Encoded>,
    nothing: Snapshot,
}

impl History {
    /// Bases older than this many snapshots are forgotten, which is about 4 seconds: whoever has none newer gets a full snapshot.
    pub const LENGTH: usize = 128;

    /// Adds one that is newer than all others.
    pub fn push(&mut self, snapshot: Snapshot) {
        if self.snapshots.len() == Self::LENGTH {
            self.snapshots.pop_front();
        }
        self.snapshots.push_back(Arc::new(snapshot));
        self.encoded.clear();
    }

    /// The newest one.
    #[must_use]
    pub fn newest(&self) -> Option<&Arc<Snapshot>> {
        self.snapshots.back()
    }

    /// The one of this tick.
    #[must_use]
    pub fn get(&self, tick: Tick) -> Option<&Arc<Snapshot>> {
        let index = self.snapshots.binary_search_by_key(&tick, |snapshot| snapshot.tick()).ok()?;
        self.snapshots.get(index)
    }

    /// The newest snapshot for a client that has that of `base`: what changed, or everything where `base` is 0 or forgotten. `None` before
    /// the first snapshot.
    pub fn message(&mut self, base: Tick) -> Option<Encoded> {
        let base = if self.get(base).is_some() { base } else { 0 };
        if let Some(encoded) = self.encoded.get(&base) {
            return Some(encoded.clone());
        }
        let bytes = delta::encode(self.get(base).map_or(&self.nothing, |base| base), self.newest()?);
        let len = bytes.len();
        let encoded = Encoded { message: Prepared::new(Message::from(bytes)), base, len };
        self.encoded.insert(base, encoded.clone());
        Some(encoded)
    }

    /// How many different messages the newest snapshot became so far.
    #[must_use]
    pub fn encodes(&self) -> usize {
        self.encoded.len()
    }
}
