//! What a driver hands to [`Connection::poll_event`](crate::Connection::poll_event), and the payloads that come out of it.

use bytes::{Buf, Bytes, BytesMut};
use std::ops::Deref;

/// Bytes that arrived, in a buffer of the driver: a `&mut [u8]` (payloads borrow from it), a [`BytesMut`] (payloads are owned), or a type of
/// yours that decides by itself what is copied and what is shared.
///
/// The parser unmasks in place, which is why all are mutable. It takes what it has read off the front; afterwards the input is empty.
pub trait Input<'b> {
    /// All that is left.
    fn rest(&mut self) -> &mut [u8];
    /// Drops `n` bytes off the front, at most all of them.
    fn skip(&mut self, n: usize);
    /// Takes `n` bytes off the front as a payload, at most all of them.
    fn take_payload(&mut self, n: usize) -> Payload<'b>;
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
}
