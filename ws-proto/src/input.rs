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
#[derive(Debug, Default)]
pub struct ReceiveBuffer {
    buf: BytesMut,
    /// Parsed up to here. Invariant: `at <= buf.len()`.
    at: usize,
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

    /// An empty buffer to be read into: its own memory, or what `make` gives where it owns none. What was left is dropped, so parse first.
    #[inline]
    pub fn refill(&mut self, make: impl FnOnce() -> BytesMut) -> &mut BytesMut {
        debug_assert!(self.is_empty(), "what is left is parsed before more is read");
        self.at = 0;
        if self.buf.capacity() == 0 {
            self.buf = make();
        }
        self.buf.clear();
        &mut self.buf
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

    /// What is left.
    #[must_use]
    pub fn into_bytes(mut self) -> BytesMut {
        self.buf.advance(self.at);
        self.buf
    }
}

impl From<BytesMut> for ReceiveBuffer {
    fn from(buf: BytesMut) -> Self {
        Self { buf, at: 0 }
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
        if n < COPY_BELOW {
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

/// Below this many bytes a message is copied out of a `BytesMut`: cheaper than counting references, and a small message that is
/// kept does not hold the whole receive buffer.
const COPY_BELOW: usize = 1024;

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
        received.refill(|| BytesMut::with_capacity(64)).extend_from_slice(b"abc");
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
}
