//! Memory for a message that comes in pieces: it grows with what arrived, never by a declared length.

use bytes::Bytes;

/// A message under assembly.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    /// Initialised memory; what has arrived lies at its front.
    buf: Vec<u8>,
    /// Invariant: `filled <= buf.len()`.
    filled: usize,
}

impl Assembler {
    /// Appends a copy of `bytes`; `remaining` more are declared to follow, including these.
    pub(crate) fn extend(&mut self, bytes: &[u8], remaining: u64) {
        self.buf.truncate(self.filled);
        self.grow(bytes.len(), remaining, SMALL);
        self.buf.extend_from_slice(bytes);
        self.filled = self.buf.len();
    }

    /// Memory for the next of the `remaining` bytes, to be read into; `None` while too little has arrived to deserve memory of its own.
    pub(crate) fn spare(&mut self, remaining: u64) -> Option<&mut [u8]> {
        if self.filled < SPARE_FROM || remaining == 0 {
            return None;
        }
        if self.filled == self.buf.len() {
            self.grow(1, remaining, LARGE);
            self.buf.resize(self.buf.capacity(), 0);
        }
        let end = usize::try_from(remaining)
            .map_or(self.buf.len(), |n| self.filled.saturating_add(n).min(self.buf.len()));
        self.buf.get_mut(self.filled..end)
    }

    /// `n` bytes were read into [`spare`](Self::spare): returns them.
    pub(crate) fn filled(&mut self, n: usize) -> &mut [u8] {
        let from = self.filled;
        self.filled = from.saturating_add(n).min(self.buf.len());
        self.buf.get_mut(from..self.filled).unwrap_or_default()
    }

    /// The vector that inflated bytes are appended to.
    #[cfg(feature = "deflate")]
    pub(crate) fn as_vec(&mut self) -> &mut Vec<u8> {
        self.buf.truncate(self.filled);
        &mut self.buf
    }

    /// Counts what was appended through [`as_vec`](Self::as_vec): returns it.
    #[cfg(feature = "deflate")]
    pub(crate) fn appended(&mut self) -> &[u8] {
        let from = self.filled;
        self.filled = self.buf.len();
        self.buf.get(from..).unwrap_or_default()
    }

    /// The whole message. Memory that it would waste is given back.
    pub(crate) fn finish(&mut self) -> Bytes {
        let mut buf = std::mem::take(&mut self.buf);
        buf.truncate(std::mem::take(&mut self.filled));
        if buf.capacity() / 2 > buf.len() {
            buf.shrink_to_fit();
        }
        buf.into()
    }

    /// Room for `more` bytes: doubling, from `least` on, but never past what is declared to follow.
    fn grow(&mut self, more: usize, remaining: u64, least: usize) {
        let needed = self.filled + more;
        if needed <= self.buf.capacity() {
            return;
        }
        let declared = usize::try_from(remaining).map_or(usize::MAX, |n| self.filled.saturating_add(n));
        let target = (self.filled * 2).max(least).min(declared).max(needed);
        self.buf.reserve_exact(target - self.buf.len());
    }
}

/// First capacity for a message that comes in small pieces.
const SMALL: usize = 1 << 10;
/// First capacity for a message that is read straight to where it ends up.
const LARGE: usize = 64 << 10;
/// So much must have arrived before a driver is given memory to read into.
const SPARE_FROM: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_follows_what_arrived_and_not_what_was_declared() {
        let mut message = Assembler::default();
        let mut arrived = 0;
        while arrived < 8 << 20 {
            let bound = |arrived: usize| (64 << 10).max(2 * arrived);
            if let Some(spare) = message.spare(1 << 62) {
                let n = spare.len().min(10_000);
                message.filled(n).fill(1);
                arrived += n;
            } else {
                message.extend(&[1; 1000], 1 << 62);
                arrived += 1000;
            }
            assert!(message.buf.capacity() <= bound(arrived), "{} after {arrived}", message.buf.capacity());
        }
        assert_eq!(message.finish().len(), arrived);
    }

    #[test]
    fn a_message_of_known_length_ends_in_memory_of_that_length() {
        let mut message = Assembler::default();
        let len = 100_000;
        message.extend(&[1; 20_000], len);
        let spare = message.spare(len - 20_000).unwrap();
        let n = spare.len();
        message.filled(n);
        let n = message.spare(len - 20_000 - n as u64).unwrap().len();
        message.filled(n);
        assert!(message.spare(0).is_none());
        assert_eq!((message.buf.capacity(), message.filled), (100_000, 100_000));
    }
}
