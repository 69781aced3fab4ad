//! What the server knows of one client's view: which snapshot it has, and how many are on their way.

use super::history::{Encoded, History};
use super::snapshot::Tick;
use std::collections::VecDeque;

/// One client's view.
#[derive(Debug, Default)]
pub struct Viewer {
    /// The newest snapshot that the client has told to have; 0 for none.
    acked: Tick,
    /// Those sent since, the newest last. Invariant: at most [`MOST_ON_THEIR_WAY`](Self::MOST_ON_THEIR_WAY), all newer than `acked`.
    sent: VecDeque<Tick>,
}

impl Viewer {
    /// So many snapshots, half a second of them, may be sent and not acknowledged. Then the next is the newest one when an
    /// acknowledgement comes: a client on a slow network gets fewer snapshots, and never old ones.
    pub const MOST_ON_THEIR_WAY: usize = 16;

    /// A client without a snapshot is sent a full one, and the next after so many steps, half a second, where it did not acknowledge any.
    pub const FULL_AGAIN: Tick = 30;

    /// The client tells what it has. A tick that it was not sent counts for nothing, and 0 asks for a full snapshot.
    pub fn acknowledge(&mut self, tick: Tick) {
        if tick == 0 && self.acked != 0 {
            // What is on its way is of no use to the client. Later zeros are from before the full one came.
            self.acked = 0;
            self.sent.clear();
        } else if self.sent.contains(&tick) {
            self.acked = tick;
            self.sent.retain(|sent| *sent > tick);
        }
    }

    /// The message that the client is to be sent now; `None` where it has the newest snapshot, or enough is on its way.
    pub fn next(&mut self, history: &mut History) -> Option<Encoded> {
        let newest = history.newest()?.tick();
        let last = self.sent.back().copied();
        let enough = match (self.acked, last) {
            (0, Some(last)) => newest.saturating_sub(last) < Self::FULL_AGAIN,
            (0, None) => false,
            (acked, last) => last.unwrap_or(acked) == newest || self.sent.len() >= Self::MOST_ON_THEIR_WAY,
        };
        if enough {
            return None;
        }
        if self.sent.len() >= Self::MOST_ON_THEIR_WAY {
            self.sent.pop_front();
        }
        self.sent.push_back(newest);
        history.message(self.acked)
    }
}

#[cfg(test)]
mod tests;
