//! What groups and members count.

use crate::{SlowConsumer, observe};
use std::sync::atomic::{AtomicU64, Ordering};

/// What a [`Group`](crate::Group) has done since it was made. A message counts once for each member that it was for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupStats {
    /// Members now.
    pub members: usize,
    /// Messages that were sent to it, each once.
    pub sent: u64,
    /// Written, or queued for a member.
    pub delivered: u64,
    /// Left out by [`SlowConsumer::DropNewest`].
    pub dropped_newest: u64,
    /// Left out by [`SlowConsumer::DropOldest`]; most of them were counted as delivered before.
    pub dropped_oldest: u64,
    /// Replaced by a newer one by [`SlowConsumer::Coalesce`]; they were counted as delivered before.
    pub coalesced: u64,
    /// Members whose connection was ended, by [`SlowConsumer::Disconnect`] or because [`SlowConsumer::Coalesce`] had no room.
    pub disconnected: u64,
    /// Times that a sender had to wait for a member, by [`SlowConsumer::Wait`].
    pub waited: u64,
}

/// How a [`Member`](crate::Member) stands, over all its groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberStats {
    /// Messages that wait now, beside those that its connection has.
    pub waiting_messages: usize,
    /// Bytes of their payloads.
    pub waiting_bytes: usize,
    /// Messages that were written or queued.
    pub delivered: u64,
    /// Messages that were left out, by any policy.
    pub dropped: u64,
    /// Messages that newer ones have replaced.
    pub coalesced: u64,
    /// Takes its connection no more messages? It has ended, or was ended for being slow.
    pub gone: bool,
}

/// The counters of a group.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) sent: AtomicU64,
    pub(crate) delivered: AtomicU64,
    pub(crate) dropped_newest: AtomicU64,
    pub(crate) dropped_oldest: AtomicU64,
    pub(crate) coalesced: AtomicU64,
    pub(crate) disconnected: AtomicU64,
    pub(crate) waited: AtomicU64,
}

impl Counts {
    pub(crate) fn stats(&self, members: usize) -> GroupStats {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        GroupStats {
            members,
            sent: read(&self.sent),
            delivered: read(&self.delivered),
            dropped_newest: read(&self.dropped_newest),
            dropped_oldest: read(&self.dropped_oldest),
            coalesced: read(&self.coalesced),
            disconnected: read(&self.disconnected),
            waited: read(&self.waited),
        }
    }

    /// This policy has cost so many messages, or members where it ends them.
    pub(crate) fn lost(&self, policy: SlowConsumer, count: u64) {
        let counter = match policy {
            SlowConsumer::DropNewest => &self.dropped_newest,
            SlowConsumer::DropOldest => &self.dropped_oldest,
            SlowConsumer::Coalesce => &self.coalesced,
            SlowConsumer::Disconnect | SlowConsumer::Wait => &self.disconnected,
        };
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

/// Tells the metrics of messages that were lost.
pub(crate) fn observe_loss(policy: SlowConsumer, messages: u64) {
    observe::dropped(policy.label(), messages);
}
