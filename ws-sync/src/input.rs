//! Bytes that were read and not parsed yet.

use crate::pool;
use bytes::Bytes;

/// Bytes that were read and not parsed yet. While there are none, it owns no memory: the buffer is the thread's.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// Empty, or of the thread's pool, or what came behind the head of the handshake.
    buffer: Vec<u8>,
    /// Invariant: `at <= end <= buffer.len()`.
    at: usize,
    end: usize,
}

impl Input {
    /// What another reader has read already.
    pub(crate) fn new(leftover: Bytes) -> Self {
        let buffer = Vec::from(leftover);
        Self { at: 0, end: buffer.len(), buffer }
    }

    /// All that is there, to be parsed in place. Then [`keep`](Self::keep) what is left of it.
    pub(crate) fn rest(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.at..self.end).unwrap_or_default()
    }

    /// The last `left` bytes were not parsed.
    pub(crate) fn keep(&mut self, left: usize) {
        self.at = self.end.saturating_sub(left);
        if left == 0 && self.end > 0 {
            *self = self.freed();
        }
    }

    /// Lets `read` fill a buffer from the front; it tells how many bytes came, `None` where none did. There must be nothing left.
    pub(crate) fn fill<T>(&mut self, read: impl FnOnce(&mut [u8]) -> (Option<usize>, T)) -> T {
        debug_assert!(self.at == self.end, "what is left is parsed before more is read");
        self.buffer = pool::take_read_buffer();
        let (came, outcome) = read(&mut self.buffer);
        self.at = 0;
        self.end = came.unwrap_or(0).min(self.buffer.len());
        if self.end == 0 {
            *self = self.freed();
        }
        outcome
    }

    /// Takes what is there.
    pub(crate) fn take(&mut self) -> Bytes {
        let rest = Bytes::copy_from_slice(self.rest());
        self.keep(0);
        rest
    }

    fn freed(&mut self) -> Self {
        pool::give_read_buffer(std::mem::take(&mut self.buffer));
        Self::default()
    }
}

#[cfg(test)]
impl Input {
    pub(crate) fn owns_memory(&self) -> bool {
        self.buffer.capacity() > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_owned_only_while_bytes_are_left() {
        let mut input = Input::default();
        input.fill(|buf| {
            buf[..3].copy_from_slice(b"abc");
            (Some(3), ())
        });
        assert_eq!(input.rest(), b"abc");
        input.keep(1);
        assert_eq!(input.rest(), b"c");
        let buffer = input.buffer.as_ptr();
        input.keep(0);
        assert_eq!((input.rest().len(), input.buffer.capacity()), (0, 0));
        input.fill(|buf| (None, assert_eq!(buf.as_ptr(), buffer, "the thread's buffer is used again")));
        assert_eq!(input.buffer.capacity(), 0);
    }

    #[test]
    fn what_came_behind_the_handshake_comes_first() {
        let mut input = Input::new(Bytes::from_static(b"abc"));
        assert_eq!(input.rest(), b"abc");
        input.keep(2);
        assert_eq!(input.take(), &b"bc"[..]);
        assert!(input.rest().is_empty());
    }
}
