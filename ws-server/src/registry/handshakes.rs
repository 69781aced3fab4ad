//! Handshakes, of which there may be so many at a time: the oldest makes room.

use super::Entry;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::oneshot;

/// The handshakes under way.
#[derive(Debug, Default)]
pub(super) struct Handshakes {
    /// By the number of the connection, the oldest first, and some that have ended since.
    queue: VecDeque<(u64, oneshot::Sender<()>)>,
    /// How many of them are under way.
    under_way: usize,
}

/// A handshake under way: resolves when it has to make room for younger ones.
#[derive(Debug)]
pub(crate) struct Turn {
    entry: Arc<Entry>,
    evicted: oneshot::Receiver<()>,
}

impl Handshakes {
    /// One begins; the oldest is ended where there are as many as there may be.
    pub(super) fn begin(&mut self, id: u64, evicted: oneshot::Sender<()>, limit: usize) {
        if self.under_way >= limit {
            self.evict();
        }
        self.queue.push_back((id, evicted));
        self.under_way += 1;
    }

    /// Ends the oldest handshake.
    fn evict(&mut self) {
        while let Some((_, oldest)) = self.queue.pop_front() {
            // Fails for one that has ended.
            if oldest.send(()).is_ok() {
                self.under_way -= 1;
                return;
            }
        }
    }

    /// A handshake has ended by itself, or the evicted one knows.
    pub(super) fn ended(&mut self, id: u64, was_evicted: bool) {
        if !was_evicted {
            self.under_way -= 1;
        }
        while self.queue.front().is_some_and(|(front, sender)| *front == id || sender.is_closed()) {
            self.queue.pop_front();
        }
        // One that is slow may be in front of many that have ended.
        if self.queue.len() > 2 * self.under_way + 64 {
            self.queue.retain(|(other, sender)| *other != id && !sender.is_closed());
        }
    }
}

impl Turn {
    pub(super) const fn new(entry: Arc<Entry>, evicted: oneshot::Receiver<()>) -> Self {
        Self { entry, evicted }
    }

    /// Resolves when the handshake has to make room.
    pub(crate) async fn over(&mut self) {
        // Fails where the registry has forgotten about it, which it does for those that have ended only.
        let _ = (&mut self.evicted).await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut table = self.entry.registry.lock();
        // Closed under the lock, so that it is evicted before or never.
        self.evicted.close();
        let was_evicted = self.evicted.is_terminated() || self.evicted.try_recv().is_ok();
        table.handshakes.ended(self.entry.id, was_evicted);
    }
}
