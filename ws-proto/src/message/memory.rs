//! Memory for large messages, used again while they go on.

use bytes::{Bytes, BytesMut};

/// Memory of a large message that was handed out: ours again when nobody holds the message any more.
#[derive(Debug)]
pub(crate) struct Spare {
    /// All of it that is initialised, from its front on.
    bytes: Bytes,
    capacity: usize,
}

impl Spare {
    pub(crate) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Does nobody hold the message that was in it?
    pub(crate) fn is_free(&self) -> bool {
        self.bytes.is_unique()
    }

    /// The memory, initialised as far as its length says; gone where somebody holds the message.
    fn into_buf(self) -> Option<BytesMut> {
        self.bytes.try_into_mut().ok()
    }
}

/// What a connection that receives large messages knows and holds of memory; there is none for others.
///
/// Nothing is allocated by a declared length. But as long as large messages follow each other, the next one may have as much memory as the
/// last one filled: the peer has shown that it means it. So it costs neither growth nor fresh pages.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Bytes that the last large message had.
    earned: usize,
    /// Loans since it left again, if it did.
    loans: u8,
    /// Invariant: at most twice `earned` of capacity, unless it was just handed out.
    spare: Option<Spare>,
}

impl Memory {
    /// Is it to be lent a spare?
    pub(crate) const fn wants_loan(&self) -> bool {
        self.spare.is_none() && self.earned != 0
    }

    /// Takes what `pool` has of a capacity between these; forgets what was earned when no large message came for a while, in which the
    /// connection was not `busy` with a message.
    pub(crate) fn lend(&mut self, busy: bool, pool: impl FnOnce(usize, usize) -> Option<Spare>) {
        self.loans = self.loans.saturating_add(u8::from(!busy));
        if self.loans > MOST_LOANS {
            self.earned = 0;
        } else if self.wants_loan() {
            self.spare = pool(self.earned, 2 * self.earned);
        }
    }

    /// Has it a spare, or earned one?
    pub(crate) const fn is_of_use(&self) -> bool {
        self.spare.is_some() || self.earned != 0
    }

    /// Gives the spare back.
    pub(crate) const fn reclaim(&mut self) -> Option<Spare> {
        self.spare.take()
    }

    pub(crate) const fn has_spare(&self) -> bool {
        self.spare.is_some()
    }

    /// Memory that it holds, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.spare.as_ref().map_or(0, Spare::capacity)
    }

    /// Bytes that the next large message may have before they arrive.
    pub(crate) const fn earned(&self) -> usize {
        self.earned
    }

    /// Memory with room for `needed` bytes, if there is some and nobody holds it.
    pub(crate) fn take(&mut self, needed: usize) -> Option<BytesMut> {
        self.spare.take_if(|spare| spare.capacity >= needed)?.into_buf()
    }

    /// A message of `len` bytes ends, which lies at the front of `buf`: hands it out, and keeps hold of its memory.
    pub(crate) fn hand_out(&mut self, buf: BytesMut, len: usize) -> Bytes {
        let capacity = buf.capacity();
        let bytes = buf.freeze();
        let message = bytes.slice(..len.min(bytes.len()));
        self.earned = len;
        self.loans = 0;
        self.spare = Some(Spare { bytes, capacity });
        message
    }
}

/// Messages from this length on are worth it.
pub(crate) const LARGE: usize = 64 << 10;
/// After so many loans without a large message they are over.
const MOST_LOANS: u8 = 8;
