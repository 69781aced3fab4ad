//! Memory for a message that comes in pieces: it grows with what arrived, never by a declared length.

use super::memory::{LARGE, Memory};
use bytes::{Bytes, BytesMut};

/// A message under assembly.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    /// The front of a message of many fragments, in full pieces: it is put together at the end, and not moved each time it grows.
    pieces: Vec<BytesMut>,
    /// Bytes in `pieces`.
    before: usize,
    /// Initialised memory; what has arrived behind `pieces` lies at its front.
    buf: BytesMut,
    /// Invariant: `filled <= buf.len()`.
    filled: usize,
    /// Invariant: empty but for compressed messages, which use nothing else.
    #[cfg(feature = "deflate")]
    inflated: Vec<u8>,
}

impl Assembler {
    /// Appends a copy of `bytes`; `remaining` more are declared to follow, including these.
    pub(crate) fn extend(&mut self, bytes: &[u8], remaining: u64, memory: Option<&mut Memory>) {
        let mut bytes = bytes;
        let room = self.buf.capacity() - self.filled;
        if bytes.len() > room && self.goes_on_in_pieces(remaining) {
            let (front, behind) = bytes.split_at(room);
            self.append(front);
            self.begin_piece(behind.len().max(SMALL));
            bytes = behind;
        } else {
            self.grow(bytes.len(), remaining, SMALL, memory);
        }
        self.append(bytes);
    }

    fn append(&mut self, bytes: &[u8]) {
        let end = self.filled + bytes.len();
        // What is initialised stays so: clearing it again would cost as much as the copy.
        let over = bytes.len().min(self.buf.len() - self.filled);
        let (front, behind) = bytes.split_at(over);
        if let Some(room) = self.buf.get_mut(self.filled..self.filled + over) {
            room.copy_from_slice(front);
        }
        self.buf.extend_from_slice(behind);
        self.filled = end;
    }

    /// Memory for the next of the `remaining` bytes, to be read into; `None` while too little has arrived to deserve memory of its own.
    pub(crate) fn spare(&mut self, remaining: u64, memory: Option<&mut Memory>) -> Option<&mut [u8]> {
        if remaining == 0 || (self.before + self.filled).max(self.buf.capacity() / 2) < SPARE_FROM {
            return None;
        }
        if self.filled == self.buf.capacity() {
            if self.goes_on_in_pieces(remaining) {
                self.begin_piece(LARGE);
            } else {
                self.grow(1, remaining, LARGE, memory);
            }
        }
        let most = usize::try_from(remaining).unwrap_or(usize::MAX).min(READ_MOST);
        let end = self.filled.saturating_add(most).min(self.buf.capacity());
        if self.buf.len() < end {
            self.buf.resize(end, 0);
        }
        self.buf.get_mut(self.filled..end)
    }

    /// `n` bytes were read into [`spare`](Self::spare): returns them.
    pub(crate) fn filled(&mut self, n: usize) -> &mut [u8] {
        let from = self.filled;
        self.filled = from.saturating_add(n).min(self.buf.len());
        self.buf.get_mut(from..self.filled).unwrap_or_default()
    }

    /// Memory that it holds, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        #[cfg(feature = "deflate")]
        let inflated = self.inflated.capacity();
        #[cfg(not(feature = "deflate"))]
        let inflated = 0;
        let pieces = self.before + self.pieces.capacity() * size_of::<BytesMut>();
        pieces + self.buf.capacity() + inflated
    }

    /// The vector that inflated bytes are appended to.
    #[cfg(feature = "deflate")]
    pub(crate) const fn as_vec(&mut self) -> &mut Vec<u8> {
        &mut self.inflated
    }

    /// Counts what was appended through [`as_vec`](Self::as_vec): returns it.
    #[cfg(feature = "deflate")]
    pub(crate) fn appended(&mut self) -> &[u8] {
        let from = self.filled;
        self.filled = self.inflated.len();
        self.inflated.get(from..).unwrap_or_default()
    }

    /// The whole message. Memory that it would waste is given back; that of a large one is remembered in `memory`, to be used again.
    pub(crate) fn finish(&mut self, memory: Option<&mut Option<Box<Memory>>>) -> Bytes {
        let len = std::mem::take(&mut self.filled);
        #[cfg(feature = "deflate")]
        if self.inflated.capacity() > 0 {
            let mut inflated = std::mem::take(&mut self.inflated);
            if inflated.capacity() / 2 > len {
                inflated.shrink_to_fit();
            }
            return inflated.into();
        }
        let mut buf = std::mem::take(&mut self.buf);
        if self.before > 0 {
            buf.truncate(len);
            return self.join(buf, memory);
        }
        if buf.capacity() / 2 > len {
            return Bytes::copy_from_slice(buf.get(..len).unwrap_or_default());
        }
        match memory {
            Some(memory) if len >= LARGE => memory.get_or_insert_default().hand_out(buf, len),
            _ => {
                buf.truncate(len);
                buf.freeze()
            }
        }
    }

    /// Is what follows to lie in a piece of its own? So it is with a short fragment of a long message, because others will follow: memory
    /// that doubled would be there three times while it is moved.
    fn goes_on_in_pieces(&self, remaining: u64) -> bool {
        let begins = || self.filled >= PIECES_FROM && remaining < self.filled as u64 / 2;
        self.before > 0 || begins()
    }

    /// Begins a piece behind one that is full, with room for `least` bytes and little more than what has arrived deserves.
    fn begin_piece(&mut self, least: usize) {
        let arrived = self.before + self.filled;
        let mut full = std::mem::replace(&mut self.buf, BytesMut::with_capacity(least.max(arrived / 8)));
        full.truncate(std::mem::take(&mut self.filled));
        self.before = arrived;
        self.pieces.push(full);
    }

    /// Puts the pieces and `last` together, and frees each as it goes.
    fn join(&mut self, last: BytesMut, mut memory: Option<&mut Option<Box<Memory>>>) -> Bytes {
        let len = std::mem::take(&mut self.before) + last.len();
        // Its room is given back before the whole is there too: both together have twice the message's bytes.
        let exact = BytesMut::from(&*last);
        drop(last);
        // No more than twice what it needs: who keeps the message holds all of it.
        let kept = memory.as_mut().and_then(|memory| memory.as_mut()?.take(len));
        let kept = kept.filter(|kept| kept.capacity() / 2 <= len);
        let mut whole = kept.unwrap_or_else(|| BytesMut::with_capacity(len));
        whole.clear();
        for piece in std::mem::take(&mut self.pieces).into_iter().chain([exact]) {
            whole.extend_from_slice(&piece);
        }
        match memory {
            Some(memory) if len >= LARGE => memory.get_or_insert_default().hand_out(whole, len),
            _ => whole.freeze(),
        }
    }

    /// Room for `more` bytes: what the last large message earned, or doubling, from `least` on, but never past what is declared to follow.
    fn grow(&mut self, more: usize, remaining: u64, least: usize, memory: Option<&mut Memory>) {
        let needed = self.filled + more;
        if needed <= self.buf.capacity() {
            return;
        }
        let mut declared = usize::try_from(remaining).map_or(usize::MAX, |n| self.filled.saturating_add(n));
        if declared - self.filled < self.filled / 2 {
            // A short fragment: others will follow, and memory that grew by one of them each time would be copied for each.
            declared = usize::MAX;
        }
        let mut bigger = None;
        let mut target = (self.filled * 2).max(least);
        if let Some(memory) = memory
            && declared >= LARGE
        {
            bigger = memory.take(needed);
            target = target.max(memory.earned());
        }
        let mut bigger = bigger.unwrap_or_else(|| BytesMut::with_capacity(target.min(declared).max(needed)));
        let arrived = self.buf.get(..self.filled).unwrap_or_default();
        if let Some(room) = bigger.get_mut(..arrived.len()) {
            room.copy_from_slice(arrived);
        } else {
            bigger.clear();
            bigger.extend_from_slice(arrived);
        }
        self.buf = bigger;
    }
}

/// From this length on a message of many fragments is kept in pieces.
const PIECES_FROM: usize = 16 << 10;
/// First capacity for a message that comes in small pieces.
const SMALL: usize = 1 << 10;
/// So much must have arrived before a driver is given memory to read into, or half as much again be there from an earlier message.
const SPARE_FROM: usize = 16 << 10;
/// Most that is read at once. With 256 KiB 1 MiB costs a sixth more: every read acknowledges, and what the peer then sends is work of our core on
/// loopback. More than this is not in a cache any more when it is unmasked.
const READ_MOST: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_follows_what_arrived_and_not_what_was_declared() {
        let mut message = Assembler::default();
        let mut arrived = 0;
        while arrived < 8 << 20 {
            let bound = |arrived: usize| (64 << 10).max(2 * arrived);
            if let Some(spare) = message.spare(1 << 62, None) {
                let n = spare.len().min(10_000);
                message.filled(n).fill(1);
                arrived += n;
            } else {
                message.extend(&[1; 1000], 1 << 62, None);
                arrived += 1000;
            }
            assert!(message.buf.capacity() <= bound(arrived), "{} after {arrived}", message.buf.capacity());
        }
        assert_eq!(message.finish(None).len(), arrived);
    }

    #[test]
    fn a_message_of_many_short_fragments_is_not_moved_while_it_grows() {
        let mut message = Assembler::default();
        let mut expected = Vec::new();
        for i in 0..65_536_u32 {
            let fragment = i.to_le_bytes().repeat(16);
            message.extend(&fragment, 64, None);
            expected.extend(fragment);
            let held = message.pieces.iter().map(BytesMut::capacity).sum::<usize>() + message.buf.capacity();
            assert!(
                held <= (32 << 10).max(expected.len() + expected.len() / 4),
                "{held} of {}",
                expected.len()
            );
        }
        assert!(message.pieces.len() < 100, "{} pieces", message.pieces.len());
        assert_eq!(message.finish(None), expected);
    }

    #[test]
    fn fragments_of_any_length_are_put_together_in_order() {
        for lens in [[20_000, 1, 30_000, 7], [10, 20_000, 100, 90_000], [70_000, 70_000, 3, 16_384]] {
            let (mut message, mut expected) = (Assembler::default(), Vec::new());
            for (byte, len) in (1..).zip(lens) {
                let fragment = vec![byte; len];
                let mut left = &fragment[..];
                while !left.is_empty() {
                    let n = if let Some(spare) = message.spare(left.len() as u64, None) {
                        let n = spare.len().min(left.len());
                        spare[..n].copy_from_slice(&left[..n]);
                        message.filled(n);
                        n
                    } else {
                        let n = left.len().min(9_000);
                        message.extend(&left[..n], left.len() as u64, None);
                        n
                    };
                    left = &left[n..];
                }
                expected.extend(fragment);
            }
            assert!(message.finish(None) == expected, "{lens:?}");
        }
    }

    #[test]
    fn memory_of_a_large_message_serves_the_next_one_when_nobody_holds_it() {
        let len = 300_000;
        let mut memory = None;
        let receive = |memory: &mut Option<Box<Memory>>| {
            let mut message = Assembler::default();
            message.extend(&[1; 100], len, memory.as_deref_mut());
            let mut left = len - 100;
            while left > 0 {
                let n = match message.spare(left, memory.as_deref_mut()) {
                    Some(spare) => spare.len(),
                    None => {
                        message.extend(&[1; 100], left, memory.as_deref_mut());
                        left -= 100;
                        continue;
                    }
                };
                message.filled(n);
                left -= n as u64;
            }
            message.finish(Some(memory))
        };
        let first = receive(&mut memory);
        let place = first.as_ptr();
        let second = receive(&mut memory);
        assert_ne!(second.as_ptr(), place, "the first is still held");
        let place = second.as_ptr();
        drop((first, second));
        assert_eq!(receive(&mut memory).as_ptr(), place);
    }

    #[test]
    fn a_small_message_of_fragments_does_not_hold_the_memory_of_a_large_one() {
        let mut memory = None;
        let mut large = Assembler::default();
        large.extend(&vec![1; 1 << 20], 1 << 20, None);
        drop(large.finish(Some(&mut memory)));
        assert!(memory.as_deref().is_some_and(Memory::has_spare));
        let mut small = Assembler::default();
        small.extend(&[2; PIECES_FROM], PIECES_FROM as u64, memory.as_deref_mut());
        small.extend(&[3], 1, memory.as_deref_mut());
        let message = small.finish(Some(&mut memory)).try_into_mut().unwrap();
        assert!(message.capacity() <= 2 * message.len(), "{} of {}", message.capacity(), message.len());
    }

    #[test]
    fn a_message_of_known_length_ends_in_memory_of_that_length() {
        let mut message = Assembler::default();
        let len = 100_000;
        message.extend(&[1; 20_000], len, None);
        let spare = message.spare(len - 20_000, None).unwrap();
        let n = spare.len();
        message.filled(n);
        let n = message.spare(len - 20_000 - n as u64, None).unwrap().len();
        message.filled(n);
        assert!(message.spare(0, None).is_none());
        assert_eq!((message.buf.capacity(), message.filled), (100_000, 100_000));
    }
}
