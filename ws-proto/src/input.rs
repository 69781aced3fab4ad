//! What a driver hands to [`Connection::poll_event`](crate::Connection::poll_event), and the payloads that come out of it.

use bytes::{Buf, Bytes, BytesMut};
use std::ops::Deref;

/// Bytes that arrived, in a buffer of the driver: a `&mut [u8]` (payloads borrow from it), a [`BytesMut`] or a [`ReceiveBuffer`] (payloads
/// are owned).
///
/// The parser unmasks in place, which is why all are mutable. It takes what it has read off the front; afterwards the input is empty.
/// The trait is sealed: text is made of what [`take_payload`](Self::take_payload) gives without validating it again, so that must be
/// what [`rest`](Self::rest) showed.
pub trait Input<'b>: sealed::Sealed {
    /// All that is left.
    fn rest(&mut self) -> &mut [u8];
    /// Drops `n` bytes off the front, at most all of them.
    fn skip(&mut self, n: usize);
    /// Takes `n` bytes off the front as a payload, at most all of them.
    fn take_payload(&mut self, n: usize) -> Payload<'b>;
}

mod sealed {
    #[expect(unnameable_types, reason = "sealing is what it is for")]
    pub trait Sealed {}
    impl Sealed for &mut [u8] {}
    impl Sealed for bytes::BytesMut {}
    impl Sealed for super::ReceiveBuffer {}
}

impl<'b> Input<'b> for &'b mut [u8] {
    #[inline]
    fn rest(&mut self) -> &mut [u8] {
        self
    }

    fn skip(&mut self, n: usize) {
        self.take_payload(n);
    }

    fn take_payload(&mut self, n: usize) -> Payload<'b> {
        let all = std::mem::take(self);
        let n = n.min(all.len());
        let (front, rest) = all.split_at_mut(n);
        *self = rest;
        Payload(Repr::Borrowed(front))
    }
}

impl Input<'static> for BytesMut {
    fn rest(&mut self) -> &mut [u8] {
        self
    }

    fn skip(&mut self, n: usize) {
        self.advance(n.min(self.len()));
    }

    fn take_payload(&mut self, n: usize) -> Payload<'static> {
        let n = n.min(self.len());
        if n < COPY_BELOW {
            let copy = Bytes::copy_from_slice(self.get(..n).unwrap_or_default());
            self.advance(n);
            Payload(Repr::Owned(copy))
        } else {
            Payload(Repr::Owned(self.split_to(n).freeze()))
        }
    }
}

/// What was read and not parsed yet, for drivers whose payloads are owned: as a [`BytesMut`], but many small messages move a cursor and
/// not the buffer, so that an empty one has its whole capacity again. While it holds nothing it may own no memory.
///
/// A payload of at least 1 KiB and a 64th of the buffer is cut from it, and holds the whole buffer for as long as it lives: a message that is
/// kept costs at most 64 times its bytes. A shorter one is copied, and holds nothing.
#[derive(Debug, Default)]
pub struct ReceiveBuffer {
    buf: BytesMut,
    /// Parsed up to here. Invariant: `at <= buf.len()`.
    at: usize,
    /// From so many bytes on a payload is cut and not copied.
    share_from: usize,
}

impl ReceiveBuffer {
    /// Is nothing left?
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.at == self.buf.len()
    }

    /// All that is left.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.buf.get(self.at..).unwrap_or_default()
    }

    /// An empty buffer with room for `capacity` bytes, to be read into: its own memory, whose front comes back when the payloads that were
    /// cut from it are gone; while they are not, what is left of it, if that is a quarter; else what `make` gives. What was left to parse
    /// is dropped, so parse first.
    #[inline]
    pub fn refill(&mut self, capacity: usize, make: impl FnOnce() -> BytesMut) -> &mut BytesMut {
        debug_assert!(self.is_empty(), "what is left is parsed before more is read");
        self.at = 0;
        self.buf.clear();
        if self.buf.capacity() < capacity
            && !self.buf.try_reclaim(capacity)
            && self.buf.capacity() < capacity / 4
        {
            self.buf = make();
            self.share_from = share_from(self.buf.capacity());
        }
        &mut self.buf
    }

    /// Has it room for `capacity` bytes, when nothing is left in it? The front of its memory comes back where no payload holds it.
    #[inline]
    pub fn has_room(&mut self, capacity: usize) -> bool {
        if !self.is_empty() {
            return false;
        }
        self.at = 0;
        self.buf.clear();
        self.buf.capacity() >= capacity || self.buf.try_reclaim(capacity)
    }

    /// Takes its memory away when nothing is left in it, for others to use.
    #[inline]
    pub fn release(&mut self) -> Option<BytesMut> {
        if !self.is_empty() || self.buf.capacity() == 0 {
            return None;
        }
        self.at = 0;
        self.buf.clear();
        Some(std::mem::take(&mut self.buf))
    }

    /// Memory that it holds, in bytes; what was handed out of it and is kept elsewhere is not its own any more.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.buf.capacity()
    }

    /// What is left.
    #[must_use]
    pub fn into_bytes(mut self) -> BytesMut {
        self.buf.advance(self.at);
        self.buf
    }
}

impl From<BytesMut> for ReceiveBuffer {
    fn from(buf: BytesMut) -> Self {
        Self { share_from: share_from(buf.capacity()), buf, at: 0 }
    }
}

impl Input<'static> for ReceiveBuffer {
    #[inline]
    fn rest(&mut self) -> &mut [u8] {
        self.buf.get_mut(self.at..).unwrap_or_default()
    }

    #[inline]
    fn skip(&mut self, n: usize) {
        self.at = self.at.saturating_add(n).min(self.buf.len());
    }

    #[inline]
    fn take_payload(&mut self, n: usize) -> Payload<'static> {
        if n < self.share_from {
            let left = self.as_slice();
            let copy = Bytes::copy_from_slice(left.get(..n).unwrap_or(left));
            self.skip(n);
            return copy.into();
        }
        self.buf.advance(self.at);
        self.at = 0;
        self.buf.split_to(n.min(self.buf.len())).freeze().into()
    }
}

/// A received payload: borrowed from the driver's buffer, or owned where it was cut from a `BytesMut`, assembled or inflated.
#[derive(Debug)]
pub struct Payload<'b>(Repr<'b>);

#[derive(Debug)]
enum Repr<'b> {
    Borrowed(&'b mut [u8]),
    Owned(Bytes),
}

impl Payload<'_> {
    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        match &self.0 {
            Repr::Borrowed(slice) => slice,
            Repr::Owned(bytes) => bytes,
        }
    }

    /// The bytes, owned: free where they are owned already, else one copy.
    #[inline]
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Repr::Borrowed(slice) => Bytes::copy_from_slice(slice),
            Repr::Owned(bytes) => bytes,
        }
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl AsRef<[u8]> for Payload<'_> {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl From<Bytes> for Payload<'_> {
    #[inline]
    fn from(bytes: Bytes) -> Self {
        Self(Repr::Owned(bytes))
    }
}

/// From how many bytes on a payload is cut from a buffer of this capacity.
fn share_from(capacity: usize) -> usize {
    COPY_BELOW.max(capacity / MOST_PINNED)
}

/// Below this many bytes a message is copied out of a `BytesMut`: cheaper than counting references, and a small message that is
/// kept does not hold the whole receive buffer.
const COPY_BELOW: usize = 1024;
/// How many times its own bytes a payload may hold at most.
const MOST_PINNED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_lends_its_bytes_and_a_large_owned_payload_shares_them() {
        let mut buf = *b"abcdef";
        let at = buf.as_ptr();
        let mut input: &mut [u8] = &mut buf;
        let payload = input.take_payload(4);
        assert_eq!((payload.as_slice(), payload.as_ptr()), (b"abcd".as_slice(), at));
        assert_eq!(input, b"ef");

        let mut input = BytesMut::from(&[7; COPY_BELOW + 1][..]);
        let at = input.as_ptr();
        let payload = input.take_payload(COPY_BELOW).into_bytes();
        assert_eq!((payload.as_ptr(), input.len()), (at, 1));
    }

    #[test]
    fn a_small_payload_does_not_pin_the_receive_buffer() {
        let mut input = BytesMut::from(&[7; 4096][..]);
        let payload = input.take_payload(5).into_bytes();
        assert!(!input.as_ptr_range().contains(&payload.as_ptr()));
        input.skip(4091);
        assert!(input.is_empty() && payload == [7; 5][..]);
    }

    #[test]
    fn a_receive_buffer_gives_its_memory_away_only_when_nothing_is_left() {
        let mut received = ReceiveBuffer::default();
        received.refill(64, || BytesMut::with_capacity(64)).extend_from_slice(b"abc");
        received.skip(2);
        assert!(received.release().is_none());
        assert_eq!(received.as_slice(), b"c");
        assert_eq!(&received.take_payload(1)[..], b"c");
        assert_eq!(received.release().unwrap().capacity(), 64);
        assert!(received.release().is_none());
    }

    #[test]
    fn a_receive_buffer_shares_large_payloads_and_is_not_pinned_by_small_ones() {
        let mut received = ReceiveBuffer::from(BytesMut::from(&[7; COPY_BELOW + 10][..]));
        let memory = received.buf.as_ptr_range();
        let small = received.take_payload(10).into_bytes();
        let large = received.take_payload(COPY_BELOW).into_bytes();
        assert!(!memory.contains(&small.as_ptr()) && memory.contains(&large.as_ptr()));
        assert_eq!((small.len(), large.len(), received.is_empty()), (10, COPY_BELOW, true));
    }

    #[test]
    fn the_front_of_a_receive_buffer_comes_back_when_its_payloads_are_gone() {
        let mut received = ReceiveBuffer::default();
        let fill = |received: &mut ReceiveBuffer| {
            let buf = received.refill(8192, || BytesMut::with_capacity(8192));
            let front = buf.as_ptr();
            buf.extend_from_slice(&[7; 3000]);
            (front, received.take_payload(3000).into_bytes())
        };
        let (front, payload) = fill(&mut received);
        let (behind, held) = fill(&mut received);
        assert_eq!(behind, front.wrapping_add(3000), "more than a quarter is left, and the front is held");
        drop((payload, held));
        let (again, payload) = fill(&mut received);
        assert_eq!(again, front, "nothing is held any more");
        assert_eq!(payload.as_ptr(), front);
    }

    #[test]
    fn a_payload_that_is_kept_holds_at_most_64_times_its_bytes() {
        let mut received = ReceiveBuffer::default();
        let mut kept = Vec::new();
        for len in [100, 1023, 1024, 4095, 4096, 5000] {
            let buf = received.refill(256 << 10, || BytesMut::with_capacity(256 << 10));
            buf.extend_from_slice(&vec![7; len]);
            let memory = buf.as_ptr_range();
            let payload = received.take_payload(len).into_bytes();
            assert_eq!(memory.contains(&payload.as_ptr()), len * 64 >= 256 << 10, "{len}");
            kept.push(payload);
        }
    }
}
