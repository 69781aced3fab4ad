//! Bytes on their way out, and what to do with the transport behind them.

use crate::frame::MaskingKey;
use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::IoSlice;

/// Bytes to write, in order. It is a [`Buf`], so any `write_buf` or vectored loop serves, and partial writes are welcome.
///
/// Small payloads lie behind their header in one buffer, so that many leave in one write; large ones are queued by reference and
/// leave by a vectored write.
#[derive(Debug, Default)]
pub struct Transmit {
    /// What waits. `None`, or an empty one that a pool has lent, where nothing does: an idle connection has room for a pointer only.
    queue: Option<Box<Queue>>,
    /// Invariant: the unread bytes of `queue`.
    len: usize,
    /// Bytes ever taken.
    written: u64,
    /// Does the queue belong to a pool, and so outlive being empty?
    lent: bool,
}

impl Transmit {
    /// Is there nothing to write?
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that wait to be written.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Memory that the queue holds, in bytes: its own buffer by capacity, payloads that it refers to by length. Not those that are common: they
    /// are there once for many.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.capacity() + self.len - queue.staged_len() - queue.common)
    }

    /// Bytes taken since the beginning.
    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    /// Where the queue ends, counted like [`written`](Self::written).
    pub(crate) const fn end(&self) -> u64 {
        self.written + self.len as u64
    }

    /// Queues a copy of `bytes`.
    pub(crate) fn push_copy(&mut self, bytes: &[u8]) {
        self.stage(bytes.len()).extend_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Queues `bytes`: by reference where that is cheaper than a copy.
    pub(crate) fn push_shared(&mut self, bytes: Bytes) {
        if bytes.len() < SHARE_FROM {
            return self.push_copy(&bytes);
        }
        self.push_reference(bytes, false);
    }

    /// Queues a frame that many connections share: by reference also where a copy would be as cheap, because a slow peer's queue then
    /// holds no copy of its own.
    pub(crate) fn push_common(&mut self, frame: Bytes) {
        if frame.len() < COMMON_FROM {
            return self.push_copy(&frame);
        }
        self.push_reference(frame, true);
    }

    fn push_reference(&mut self, bytes: Bytes, common: bool) {
        self.len += bytes.len();
        self.queue.get_or_insert_default().push_reference(bytes, common);
    }

    /// Queues a frame whose payload is to be copied, masked on the way where there is a key.
    #[inline]
    pub(crate) fn push_frame(&mut self, header: &[u8], payload: &[u8], key: Option<MaskingKey>) {
        let len = header.len() + payload.len();
        let staged = self.stage(len);
        staged.extend_from_slice(header);
        match key {
            None => staged.extend_from_slice(payload),
            Some(key) => {
                let mut phase = 0;
                // In pieces that stay in the first-level cache between the copy and the mask: one pass over memory.
                for piece in payload.chunks(MASK_PIECE) {
                    let from = staged.len();
                    staged.extend_from_slice(piece);
                    if let Some(copy) = staged.get_mut(from..) {
                        key.apply(phase, copy);
                    }
                    phase += piece.len();
                }
            }
        }
        self.len += len;
    }

    /// Queues an unmasked frame whose payload, of `len` bytes, is to be copied; `first` is the first byte of its header.
    #[inline]
    pub(crate) fn push_unmasked(&mut self, first: u8, len: u16, payload: &[u8]) {
        let staged = self.stage(4 + payload.len());
        let before = staged.len();
        let [high, low] = len.to_be_bytes();
        if len < 126 {
            staged.extend_from_slice(&[first, low]);
        } else {
            staged.extend_from_slice(&[first, 126, high, low]);
        }
        staged.extend_from_slice(payload);
        self.len += staged.len() - before;
    }

    /// Lets `write` append to the queue's own buffer, and counts what came.
    pub(crate) fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let staged = self.stage(0);
        let before = staged.len();
        write(staged);
        debug_assert!(staged.len() >= before, "only appended to");
        self.len += staged.len() - before;
    }

    /// The buffer to stage `more` bytes in.
    #[inline]
    fn stage(&mut self, more: usize) -> &mut Vec<u8> {
        let queue = self.queue.get_or_insert_default();
        queue.make_room(more);
        &mut queue.staged
    }

    #[inline]
    pub(crate) const fn wants_buffer(&self) -> bool {
        self.queue.is_none()
    }

    #[inline]
    pub(crate) const fn has_spare_buffer(&self) -> bool {
        self.len == 0 && self.queue.is_some()
    }

    /// Was it ever lent a buffer?
    pub(crate) const fn is_pooled(&self) -> bool {
        self.lent
    }

    /// Takes a buffer to stage in, when there is none.
    #[inline]
    pub(crate) fn lend(&mut self, buffer: impl FnOnce() -> Box<Queue>) {
        self.lent = true;
        self.queue.get_or_insert_with(buffer);
    }

    /// Gives the buffer back, when it is empty.
    #[inline]
    pub(crate) const fn reclaim(&mut self) -> Option<Box<Queue>> {
        if self.len == 0 { self.queue.take() } else { None }
    }

    #[inline]
    fn reset(&mut self) {
        match &mut self.queue {
            Some(queue) if self.lent => queue.clear(),
            queue => *queue = None,
        }
    }
}

impl Buf for Transmit {
    #[inline]
    fn remaining(&self) -> usize {
        self.len
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self.queue.as_ref().map_or(&[], |queue| queue.chunk())
    }

    fn chunks_vectored<'a>(&'a self, dst: &mut [IoSlice<'a>]) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.chunks_vectored(dst))
    }

    #[inline]
    fn advance(&mut self, n: usize) {
        let taken = n.min(self.len);
        self.len -= taken;
        self.written += taken as u64;
        if self.len == 0 {
            self.reset();
        } else if let Some(queue) = &mut self.queue {
            queue.advance_within(taken);
        }
    }
}

/// A payload that is queued by reference.
#[derive(Debug)]
struct Reference {
    /// Where in `staged` it leaves.
    position: usize,
    bytes: Bytes,
    /// Do other connections queue it too?
    common: bool,
}

/// What waits to be written.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Headers and small payloads.
    staged: Vec<u8>,
    /// Read up to here. Invariant: `at <= staged.len()`.
    at: usize,
    /// Large payloads, each with the position in `staged` before which it leaves. Invariant: positions ascend, from `at` on.
    shared: VecDeque<Reference>,
    /// Invariant: the unread bytes of those in `shared` that are common.
    common: usize,
}

impl Queue {
    /// One that will serve many connections. Its ring is there from the start: made behind the memory of a large message, which it then
    /// outlives, it would keep an allocator from giving that memory back.
    pub(crate) fn for_many() -> Self {
        Self { shared: VecDeque::with_capacity(4), ..Self::default() }
    }

    /// Bytes that it holds room for.
    pub(crate) fn capacity(&self) -> usize {
        self.staged.capacity() + self.shared.capacity() * size_of::<Reference>()
    }

    /// Bytes of `staged` that are unread.
    const fn staged_len(&self) -> usize {
        self.staged.len() - self.at
    }

    fn push_reference(&mut self, bytes: Bytes, common: bool) {
        if common {
            self.common += bytes.len();
        }
        self.shared.push_back(Reference { position: self.staged.len(), bytes, common });
    }

    fn clear(&mut self) {
        self.at = 0;
        self.common = 0;
        self.staged.clear();
        self.shared.clear();
    }

    /// Moves what is unread to the front once most of the buffer has been read, so that a queue that never empties does not grow.
    #[inline]
    fn make_room(&mut self, more: usize) {
        if self.at > COMPACT_FROM && self.at > self.staged.len() / 2 {
            self.compact();
        }
        self.staged.reserve(more);
    }

    #[cold]
    fn compact(&mut self) {
        self.staged.drain(..self.at);
        for reference in &mut self.shared {
            reference.position -= self.at;
        }
        self.at = 0;
    }

    /// The staged bytes that leave before the next shared payload.
    #[inline]
    fn staged_chunk(&self) -> &[u8] {
        let end = self.shared.front().map_or(self.staged.len(), |reference| reference.position);
        self.staged.get(self.at..end).unwrap_or_default()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        match (self.staged_chunk(), self.shared.front()) {
            ([], Some(reference)) => &reference.bytes,
            (staged, _) => staged,
        }
    }

    fn chunks_vectored<'a>(&'a self, dst: &mut [IoSlice<'a>]) -> usize {
        let mut at = self.at;
        let mut slots = dst.iter_mut();
        let mut filled = 0;
        let last = (self.staged.len(), [].as_slice());
        for (position, bytes) in
            self.shared.iter().map(|reference| (reference.position, &*reference.bytes)).chain([last])
        {
            for slice in [self.staged.get(at..position).unwrap_or_default(), bytes] {
                if !slice.is_empty() {
                    let Some(slot) = slots.next() else { return filled };
                    *slot = IoSlice::new(slice);
                    filled += 1;
                }
            }
            at = position;
        }
        filled
    }

    /// `left` bytes were taken, and more are there.
    fn advance_within(&mut self, mut left: usize) {
        while left > 0 {
            let staged = self.staged_chunk().len();
            if staged > 0 {
                let taken = staged.min(left);
                self.at += taken;
                left -= taken;
                continue;
            }
            let Some(reference) = self.shared.front_mut() else {
                return;
            };
            let taken = left.min(reference.bytes.len());
            if reference.common {
                self.common -= taken;
            }
            if left < reference.bytes.len() {
                return reference.bytes.advance(left);
            }
            left -= taken;
            self.shared.pop_front();
        }
    }
}

/// What a driver does with its transport, once [`Connection::transmit`](crate::Connection::transmit) is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Go on reading and writing.
    KeepOpen,
    /// Nothing more will be written: shut down the write side, and go on reading until the peer ends its side or the timer fires.
    ShutdownWrite,
    /// Close it. After a timer fired this holds even though bytes may be left unwritten.
    Close,
}

/// From this size on, a payload is queued by reference: below, a copy behind its header is cheaper than a slice of its own in the
/// vectored write.
pub(crate) const SHARE_FROM: usize = 4 << 10;
/// The same for a frame that many connections share.
const COMMON_FROM: usize = 1 << 10;
/// How much is copied before it is masked.
const MASK_PIECE: usize = 4 << 10;
/// Less than this is not worth moving.
const COMPACT_FROM: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn large_payloads_leave_by_reference_between_staged_bytes() {
        let mut out = Transmit::default();
        let large = Bytes::from(vec![7; SHARE_FROM]);
        out.push_copy(b"ab");
        out.push_shared(large.clone());
        out.push_copy(b"c");
        let mut slices = [IoSlice::new(&[]); 8];
        assert_eq!(out.chunks_vectored(&mut slices), 3);
        assert_eq!((&*slices[0], slices[1].as_ptr(), &*slices[2]), (&b"ab"[..], large.as_ptr(), &b"c"[..]));
        let mut one = [IoSlice::new(&[]); 1];
        assert_eq!(out.chunks_vectored(&mut one), 1);
    }

    #[test]
    fn a_queue_that_never_empties_does_not_grow() {
        let mut out = Transmit::default();
        out.push_copy(&[1; 100]);
        for _ in 0..100_000 {
            out.push_copy(&[1; 100]);
            out.advance(100);
        }
        assert!(out.queue.unwrap().staged.capacity() < 4 * COMPACT_FROM);
    }

    proptest! {
        #[test]
        fn any_partial_writes_give_the_same_bytes(
            pieces in prop::collection::vec((any::<u8>(), 0..2 * SHARE_FROM, any::<bool>()), 0..12),
            steps in prop::collection::vec(1..3 * SHARE_FROM, 1..20),
        ) {
            let mut out = Transmit::default();
            let (mut expected, mut got) = (Vec::new(), Vec::new());
            let mut steps = steps.iter().cycle();
            for (byte, len, shared) in pieces {
                let piece = vec![byte; len];
                expected.extend_from_slice(&piece);
                if shared { out.push_shared(piece.into()) } else { out.push_copy(&piece) }
                let step = (*steps.next().unwrap()).min(out.chunk().len());
                got.extend_from_slice(&out.chunk()[..step]);
                out.advance(step);
            }
            while out.has_remaining() {
                let mut slices = [IoSlice::new(&[]); 3];
                let filled = out.chunks_vectored(&mut slices);
                let all: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.iter().copied()).collect();
                let step = (*steps.next().unwrap()).min(all.len());
                got.extend_from_slice(&all[..step]);
                out.advance(step);
            }
            prop_assert_eq!(out.written(), expected.len() as u64);
            prop_assert_eq!(got, expected);
        }
    }
}
