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
/// go on the memory of the last 16 of them, at most 2 MiB beside the newest; that is freed when it was not wanted for a thousand loans.
///
/// Using a pool is optional. Without one a connection allocates what it needs and frees it when it is done.
#[derive(Debug, Default)]
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
        Self::default()
    }

    #[inline]
    pub(crate) fn take_buffer(&mut self) -> Box<Queue> {
        let buffer = self.buffers.pop().unwrap_or_default();
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
    pub(crate) fn note_loan(&mut self) {
        self.turn += 1;
        while self.spares.front().is_some_and(|(_, given)| self.turn - given > SPARE_TURNS) {
            self.spares.pop_front();
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
            room = room.saturating_sub(spare.capacity());
            room > 0
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

/// How many messages' memory is kept, and how much in all; the newest is, whatever it has. More than a few MiB gained nothing with 1 MiB
/// messages on eight connections, and a thread whose large messages have ended would hold it.
const SPARES: usize = 16;
const SPARE_BYTES: usize = 2 << 20;
/// For how many loans.
const SPARE_TURNS: u64 = 1000;
/// How many send buffers are kept, and how much they may have together: what a burst needs, and not what a thread held at its worst.
const BUFFERS: usize = 16;
const BUFFER_BYTES: usize = 1 << 20;
#[cfg(feature = "deflate")]
const CONTEXTS: usize = 4;
