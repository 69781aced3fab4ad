//! What connections borrow instead of own.

#[cfg(feature = "deflate")]
use crate::deflate::{Compressor, Decompressor};
use crate::message::Spare;
use crate::transmit::Queue;
use std::collections::VecDeque;

/// Spare send buffers and deflate contexts: one pool for each thread of a driver.
///
/// [`Connection::lend`](crate::Connection::lend) before a connection is driven and [`Connection::reclaim`](crate::Connection::reclaim)
/// after it let all connections of a thread share what each needs for moments only, so that an idle one owns nothing. It is plain
/// data: no lock, nothing global. What it keeps is bounded: 16 buffers of 1 MiB together, 4 contexts of each kind, and while large messages
/// go on the memory of the last 16 of them, 2 MiB together, or the newest alone where it is larger. What is spare
/// is made anew after a thousand loans: so a thread keeps what its connections need now, and not what they needed at their worst.
///
/// Using a pool is optional. Without one a connection allocates what it needs and frees it when it is done.
#[derive(Debug)]
pub struct Pool {
    #[expect(clippy::vec_box, reason = "a connection has room for a pointer, for as long as it lives")]
    buffers: Vec<Box<Queue>>,
    /// What `buffers` have together.
    buffer_bytes: usize,
    /// Memory of large messages, and the turn at which it came; in this order.
    spares: VecDeque<(Spare, u64)>,
    /// Counts loans.
    turn: u64,
    #[cfg(feature = "deflate")]
    compressors: Vec<Compressor>,
    #[cfg(feature = "deflate")]
    decompressors: Vec<Decompressor>,
}

impl Pool {
    /// An empty pool; it fills as connections give back.
    #[must_use]
    pub fn new() -> Self {
        Self {
            buffers: Vec::new(),
            buffer_bytes: 0,
            // All at once: behind the memory of a large message it would keep an allocator from giving that back.
            spares: VecDeque::with_capacity(SPARES + 1),
            turn: 0,
            #[cfg(feature = "deflate")]
            compressors: Vec::new(),
            #[cfg(feature = "deflate")]
            decompressors: Vec::new(),
        }
    }

    #[inline]
    pub(crate) fn take_buffer(&mut self) -> Box<Queue> {
        let Some(buffer) = self.buffers.pop() else { return Box::new(Queue::for_many()) };
        self.buffer_bytes -= buffer.capacity();
        buffer
    }

    /// Takes a buffer in which nothing is left.
    #[inline]
    pub(crate) fn give_buffer(&mut self, buffer: Box<Queue>) {
        let bytes = self.buffer_bytes + buffer.capacity();
        if self.buffers.len() < BUFFERS && bytes <= BUFFER_BYTES {
            self.buffer_bytes = bytes;
            self.buffers.push(buffer);
        }
    }

    /// A loan was made: time passes for what nobody wants.
    #[inline]
    pub(crate) fn note_loan(&mut self) {
        self.turn += 1;
        if self.turn.is_multiple_of(TURNS) {
            self.make_anew();
        }
    }

    /// What is in use comes back later. All of it goes, also what is wanted again at once: it may lie above all that a burst has freed, and an
    /// allocator cannot give back what lies below something.
    #[cold]
    fn make_anew(&mut self) {
        self.buffers.clear();
        self.buffer_bytes = 0;
        self.spares.retain(|(_, given)| self.turn - given < TURNS);
        #[cfg(feature = "deflate")]
        {
            self.compressors.clear();
            self.decompressors.clear();
        }
    }

    /// Memory of a capacity between `least` and `most` that nobody holds any more: what came last is in a cache, perhaps.
    pub(crate) fn take_spare(&mut self, least: usize, most: usize) -> Option<Spare> {
        let fits = |spare: &Spare| (least..=most).contains(&spare.capacity()) && spare.is_free();
        let index = self.spares.iter().rposition(|(spare, _)| fits(spare))?;
        self.spares.remove(index).map(|(spare, _)| spare)
    }

    pub(crate) fn give_spare(&mut self, spare: Spare) {
        let mut room = SPARE_BYTES.saturating_sub(spare.capacity());
        self.spares.push_back((spare, self.turn));
        // The newest stay: what they are worth together is bounded.
        let kept = self.spares.iter().rev().skip(1).take(SPARES - 1).take_while(|(spare, _)| {
            let left = room.checked_sub(spare.capacity());
            room = left.unwrap_or_default();
            left.is_some()
        });
        let kept = kept.count() + 1;
        self.spares.drain(..self.spares.len() - kept);
    }

    #[cfg(feature = "deflate")]
    pub(crate) fn take_compressor(&mut self, fits: impl Fn(&Compressor) -> bool) -> Option<Compressor> {
        let index = self.compressors.iter().rposition(fits)?;
        Some(self.compressors.swap_remove(index))
    }

    #[cfg(feature = "deflate")]
    pub(crate) fn give_compressor(&mut self, context: Compressor) {
        if self.compressors.len() < CONTEXTS {
            self.compressors.push(context);
        }
    }

    #[cfg(feature = "deflate")]
    pub(crate) fn take_decompressor(&mut self, fits: impl Fn(&Decompressor) -> bool) -> Option<Decompressor> {
        let index = self.decompressors.iter().rposition(fits)?;
        Some(self.decompressors.swap_remove(index))
    }

    #[cfg(feature = "deflate")]
    pub(crate) fn give_decompressor(&mut self, context: Decompressor) {
        if self.decompressors.len() < CONTEXTS {
            self.decompressors.push(context);
        }
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

/// How many messages' memory is kept, and how much in all; the newest is, whatever it has. More than a few MiB gained nothing with 1 MiB
/// messages on eight connections, and a thread whose large messages have ended would hold it.
const SPARES: usize = 16;
const SPARE_BYTES: usize = 2 << 20;
/// After so many loans what is spare is made anew.
const TURNS: u64 = 1024;
/// How many send buffers are kept, and how much they may have together: what a burst needs, and not what a thread held at its worst.
const BUFFERS: usize = 16;
const BUFFER_BYTES: usize = 1 << 20;
#[cfg(feature = "deflate")]
const CONTEXTS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_does_not_keep_what_its_connections_needed_at_their_worst() {
        let mut pool = Pool::new();
        let buffers: Vec<_> = (0..5).map(|_| pool.take_buffer()).collect();
        for buffer in buffers {
            pool.give_buffer(buffer);
        }
        assert_eq!(pool.buffers.len(), 5);
        for _ in 0..TURNS {
            pool.note_loan();
            let buffer = pool.take_buffer();
            pool.give_buffer(buffer);
        }
        assert_eq!((pool.buffers.len(), pool.buffer_bytes), (1, pool.buffers[0].capacity()));
    }
}
