//! What was read and not parsed yet.

use crate::pool;
use bytes::{Buf, Bytes, BytesMut};
use ws_proto::{Input, Payload};

/// What was read and not parsed yet, in a buffer of the thread. While there is nothing, it owns no memory.
#[derive(Debug, Default)]
pub(crate) struct Received {
    buf: BytesMut,
    /// Parsed up to here. Moving a cursor is cheaper than moving the buffer, for each of many small messages.
    /// Invariant: `at <= buf.len()`.
    at: usize,
}

impl Received {
    /// Is nothing left?
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.buf.len()
    }

    /// All that is left.
    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.buf.get(self.at..).unwrap_or_default()
    }

    /// An empty buffer to be read into.
    #[inline]
    pub(crate) fn spare(&mut self) -> &mut BytesMut {
        debug_assert!(self.is_empty(), "what is left is parsed before more is read");
        self.at = 0;
        if self.buf.capacity() == 0 {
            self.buf = pool::take_receive_buffer();
        } else {
            self.buf.clear();
        }
        &mut self.buf
    }

    /// Gives the buffer back, when nothing is left in it.
    #[inline]
    pub(crate) fn release(&mut self) {
        if self.is_empty() && self.buf.capacity() > 0 {
            self.at = 0;
            self.buf.clear();
            pool::give_receive_buffer(std::mem::take(&mut self.buf));
        }
    }

    /// What is left, taken out.
    pub(crate) fn into_bytes(mut self) -> BytesMut {
        self.buf.advance(self.at);
        self.buf
    }
}

impl From<BytesMut> for Received {
    fn from(buf: BytesMut) -> Self {
        Self { buf, at: 0 }
    }
}

impl Input<'static> for Received {
    #[inline]
    fn rest(&mut self) -> &mut [u8] {
        self.buf.get_mut(self.at..).unwrap_or_default()
    }

    #[inline]
    fn skip(&mut self, n: usize) {
        self.at = (self.at + n).min(self.buf.len());
    }

    #[inline]
    fn take_payload(&mut self, n: usize) -> Payload<'static> {
        if n < SHARE_FROM {
            let payload = self.as_slice();
            let copy = Bytes::copy_from_slice(payload.get(..n).unwrap_or(payload));
            self.skip(n);
            return copy.into();
        }
        self.buf.advance(self.at);
        self.at = 0;
        self.buf.split_to(n.min(self.buf.len())).freeze().into()
    }
}

/// From this size on a message shares the receive buffer. Below, a copy is cheaper than counting references, and a message that is kept
/// does not hold the whole buffer.
const SHARE_FROM: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_owned_only_while_something_is_left_in_it() {
        let mut received = Received::default();
        received.spare().extend_from_slice(b"abc");
        received.skip(2);
        received.release();
        assert_eq!(received.as_slice(), b"c");
        assert_eq!(&received.take_payload(1)[..], b"c");
        received.release();
        assert_eq!(received.buf.capacity(), 0);
    }

    #[test]
    fn large_payloads_share_the_buffer_and_small_ones_do_not_pin_it() {
        let mut received = Received::default();
        received.spare().extend_from_slice(&[7; SHARE_FROM + 10]);
        let memory = received.buf.as_ptr_range();
        let small = received.take_payload(10).into_bytes();
        let large = received.take_payload(SHARE_FROM).into_bytes();
        assert!(!memory.contains(&small.as_ptr()) && memory.contains(&large.as_ptr()));
        assert_eq!((small.len(), large.len(), received.is_empty()), (10, SHARE_FROM, true));
    }
}
