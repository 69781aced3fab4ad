//! The messages that wait for one member.

use crate::{QueueLimits, SlowConsumer};
use std::collections::VecDeque;
use ws_proto::Prepared;

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) message: Prepared,
    /// The group that it came from; `None` for one that is the member's alone.
    pub(crate) group: Option<u64>,
    pub(crate) key: Option<u64>,
}

impl Waiting {
    fn len(&self) -> usize {
        self.message.message().len()
    }
}

/// The messages that wait for one member. An empty one owns no memory.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: VecDeque<Waiting>,
    /// Invariant: the bytes of `waiting`.
    bytes: usize,
    limits: QueueLimits,
}

impl QueueLimits {
    /// May one of `len` bytes wait beside so many?
    const fn allow(self, messages: usize, bytes: usize, len: usize) -> bool {
        messages == 0 || (messages < self.max_messages && bytes.saturating_add(len) <= self.max_bytes)
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It waits.
    Queued,
    /// It waits in the place of another.
    Replaced,
    /// It was left out.
    Dropped,
    /// It waits, and so many that were older were left out.
    QueuedFor(u64),
    /// There is no room, and the policy is to end the connection.
    Overflow,
}

impl Queue {
    pub(crate) const fn new(limits: QueueLimits) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, limits }
    }

    /// Lets it in as far as the policy goes. By [`SlowConsumer::Wait`] it always is, for its sender has waited.
    pub(crate) fn admit(&mut self, message: Waiting, policy: SlowConsumer) -> Admission {
        if policy == SlowConsumer::Coalesce && message.key.is_some() {
            let count = self.waiting.len();
            let same = |waiting: &&mut Waiting| waiting.key == message.key && waiting.group == message.group;
            if let Some(place) = self.waiting.iter_mut().find(same) {
                let bytes = (self.bytes - place.len()).saturating_add(message.len());
                if bytes > self.limits.max_bytes && count > 1 {
                    return Admission::Overflow;
                }
                self.bytes = bytes;
                *place = message;
                return Admission::Replaced;
            }
        }
        if self.has_room(message.len()) || policy == SlowConsumer::Wait {
            self.push(message);
            return Admission::Queued;
        }
        match policy {
            SlowConsumer::DropNewest => Admission::Dropped,
            SlowConsumer::DropOldest => {
                // What waits of others is not ours to drop.
                let others = self.waiting.iter().filter(|waiting| waiting.group != message.group);
                let (count, bytes) =
                    others.fold((0, 0), |(count, bytes), other| (count + 1, bytes + other.len()));
                if !self.limits.allow(count, bytes, message.len()) {
                    return Admission::Dropped;
                }
                let mut dropped = 0;
                while !self.has_room(message.len()) && self.remove_oldest(message.group) {
                    dropped += 1;
                }
                self.push(message);
                Admission::QueuedFor(dropped)
            }
            SlowConsumer::Coalesce | SlowConsumer::Disconnect | SlowConsumer::Wait => Admission::Overflow,
        }
    }

    /// Takes the oldest: so many bytes, or one.
    pub(crate) fn take(&mut self, bytes: usize) -> Vec<Prepared> {
        let mut taken = Vec::new();
        let mut left = bytes;
        while let Some(next) = self.waiting.front()
            && (taken.is_empty() || next.len() <= left)
            && let Some(next) = self.waiting.pop_front()
        {
            left = left.saturating_sub(next.len());
            self.bytes -= next.len();
            taken.push(next.message);
        }
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
        taken
    }

    /// Puts back what was taken and not used, the oldest first.
    pub(crate) fn put_back(&mut self, messages: impl DoubleEndedIterator<Item = Prepared>) {
        for message in messages.rev() {
            self.bytes += message.message().len();
            // Under way, so neither dropped nor replaced any more.
            self.waiting.push_front(Waiting { message, group: None, key: None });
        }
    }

    /// Drops all; tells how many.
    pub(crate) fn clear(&mut self) -> usize {
        self.bytes = 0;
        std::mem::take(&mut self.waiting).len()
    }

    /// Is there room for a message of so many bytes?
    pub(crate) fn has_room(&self, len: usize) -> bool {
        self.limits.allow(self.waiting.len(), self.bytes, len)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    fn push(&mut self, message: Waiting) {
        self.bytes = self.bytes.saturating_add(message.len());
        self.waiting.push_back(message);
    }

    fn remove_oldest(&mut self, group: Option<u64>) -> bool {
        let oldest = self.waiting.iter().position(|waiting| waiting.group == group);
        let removed = oldest.and_then(|index| self.waiting.remove(index));
        self.bytes -= removed.as_ref().map_or(0, Waiting::len);
        removed.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SlowConsumer::{Coalesce, Disconnect, DropNewest, DropOldest, Wait};

    fn queue(max_messages: usize, max_bytes: usize) -> Queue {
        Queue::new(QueueLimits { max_messages, max_bytes })
    }

    fn of_group(group: u64, text: &str) -> Waiting {
        Waiting { message: Prepared::new(text), group: Some(group), key: None }
    }

    fn with_key(key: u64, text: &str) -> Waiting {
        Waiting { key: Some(key), ..of_group(1, text) }
    }

    fn texts(mut queue: Queue) -> Vec<String> {
        let bytes = queue.bytes();
        let taken = queue.take(usize::MAX);
        assert_eq!(bytes, taken.iter().map(|message| message.message().len()).sum::<usize>());
        assert_eq!(queue.bytes(), 0);
        taken.iter().map(|message| message.message().as_text().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn drop_newest_keeps_what_waits() {
        let mut queue = queue(2, 100);
        for text in ["a", "b"] {
            assert_eq!(queue.admit(of_group(1, text), DropNewest), Admission::Queued);
        }
        assert_eq!(queue.admit(of_group(1, "c"), DropNewest), Admission::Dropped);
        assert_eq!(texts(queue), ["a", "b"]);
    }

    #[test]
    fn drop_oldest_makes_room_for_the_newest_by_as_many_as_it_takes() {
        let mut queue = queue(10, 6);
        for text in ["aa", "bb", "cc"] {
            queue.admit(of_group(1, text), DropOldest);
        }
        assert_eq!(queue.admit(of_group(1, "ddd"), DropOldest), Admission::QueuedFor(2));
        assert_eq!(texts(queue), ["cc", "ddd"]);
    }

    #[test]
    fn drop_oldest_does_not_touch_messages_of_other_groups() {
        let mut queue = queue(2, 20);
        queue.admit(of_group(2, "other"), Disconnect);
        queue.admit(of_group(1, "a"), DropOldest);
        assert_eq!(queue.admit(of_group(1, "b"), DropOldest), Admission::QueuedFor(1));
        queue.admit(of_group(2, "more"), Wait);
        assert_eq!(queue.admit(of_group(3, "c"), DropOldest), Admission::Dropped);
        assert_eq!(queue.admit(of_group(1, "too much beside others"), DropOldest), Admission::Dropped);
        assert_eq!(texts(queue), ["other", "b", "more"]);
    }

    #[test]
    fn coalesce_replaces_the_message_of_the_same_key_in_its_place() {
        let mut queue = queue(3, 100);
        for (key, text) in [(1, "a1"), (2, "b1"), (3, "c1")] {
            assert_eq!(queue.admit(with_key(key, text), Coalesce), Admission::Queued);
        }
        assert_eq!(queue.admit(with_key(1, "a2"), Coalesce), Admission::Replaced);
        assert_eq!(queue.admit(with_key(4, "d1"), Coalesce), Admission::Overflow);
        assert_eq!(queue.admit(of_group(1, "no key"), Coalesce), Admission::Overflow);
        assert_eq!(texts(queue), ["a2", "b1", "c1"]);
    }

    #[test]
    fn coalesce_keeps_keys_of_different_groups_apart() {
        let mut queue = queue(3, 100);
        queue.admit(with_key(1, "ours"), Coalesce);
        let theirs = Waiting { key: Some(1), ..of_group(2, "theirs") };
        assert_eq!(queue.admit(theirs, Coalesce), Admission::Queued);
        assert_eq!(texts(queue), ["ours", "theirs"]);
    }

    #[test]
    fn disconnect_tells_of_the_message_that_does_not_fit() {
        let mut queue = queue(10, 3);
        assert_eq!(queue.admit(of_group(1, "larger than all"), Disconnect), Admission::Queued);
        assert_eq!(queue.admit(of_group(1, "b"), Disconnect), Admission::Overflow);
        assert_eq!(queue.clear(), 1);
        assert_eq!(queue.admit(of_group(1, "b"), Disconnect), Admission::Queued);
    }

    #[test]
    fn taking_keeps_the_order_and_to_the_bytes() {
        let mut queue = queue(10, 100);
        for text in ["aaaa", "bb", "cc", "d"] {
            queue.admit(of_group(1, text), Disconnect);
        }
        assert_eq!(queue.take(1).len(), 1);
        let taken = queue.take(4);
        assert_eq!(taken.len(), 2);
        queue.put_back(taken.into_iter().skip(1));
        assert_eq!(texts(queue), ["cc", "d"]);
    }
}
