//! Compressing a message ([RFC 7692 §7.2.1]).
//!
//! [RFC 7692 §7.2.1]: https://www.rfc-editor.org/rfc/rfc7692#section-7.2.1

use super::decompressor::TAIL;
use flate2::{Compress, Compression, FlushCompress};
use std::fmt;

/// A compression context: 371 KiB at 15 window bits, 245 KiB at 9.
pub(crate) struct Compressor {
    raw: Compress,
    level: u8,
    window_bits: u8,
    /// Has nothing been compressed since the context was made or reset?
    fresh: bool,
}

impl Compressor {
    /// `window_bits` is 9 to 15, `level` 0 to 9.
    pub(crate) fn new(level: u8, window_bits: u8) -> Self {
        debug_assert!((9..=15).contains(&window_bits) && level <= 9, "checked by whoever asks for a context");
        let raw = Compress::new_with_window_bits(Compression::new(level.into()), false, window_bits);
        Self { raw, level, window_bits, fresh: true }
    }

    /// Can it stand in for one made with these settings?
    pub(crate) const fn fits(&self, level: u8, window_bits: u8) -> bool {
        self.level == level && self.window_bits == window_bits
    }

    /// Memory that it holds, in bytes: tables that are always the same, and the window with the table of its positions.
    pub(crate) const fn memory_bytes(&self) -> usize {
        TABLE_BYTES + (4 << self.window_bits)
    }

    /// Appends `payload` compressed and flushed to `out`; the last fragment of a message loses its tail (§7.2.1, step 2).
    pub(crate) fn compress(&mut self, payload: &[u8], fin: bool, out: &mut Vec<u8>) {
        self.fresh = false;
        let begin = out.len();
        let mut rest = payload;
        // Half the size is a guess that most text stays below; what is left over serves the next message.
        out.reserve(payload.len() / 2 + FLUSH_ROOM);
        loop {
            let before = self.raw.total_in();
            // The only error is a stream that was finished, and no stream of ours ever is; a stall ends the loop below.
            let _status = self.raw.compress_vec(rest, out, FlushCompress::Sync);
            let taken = usize::try_from(self.raw.total_in() - before).unwrap_or(usize::MAX);
            rest = rest.get(taken..).unwrap_or_default();
            // zlib's rule: the flush is complete when room is left.
            if rest.is_empty() && out.len() < out.capacity() {
                break;
            }
            out.reserve(rest.len() / 2 + FLUSH_ROOM);
        }
        if fin {
            if out.get(begin..).is_some_and(|added| added.ends_with(&TAIL)) {
                out.truncate(out.len() - TAIL.len());
            }
            if out.len() == begin {
                // §7.2.3.6: a fragment for which the compressor had nothing left is one empty stored block.
                out.push(0);
            }
        }
    }

    /// Has nothing been compressed since it was made or reset?
    pub(crate) const fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Begins a fresh context: nothing that follows refers to what was sent before.
    pub(crate) fn reset(&mut self) {
        if !std::mem::replace(&mut self.fresh, true) {
            self.raw.reset();
        }
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor")
            .field("level", &self.level)
            .field("window_bits", &self.window_bits)
            .finish_non_exhaustive()
    }
}

/// What a context holds beside its window; measured, as both ends of the range above.
const TABLE_BYTES: usize = 243 << 10;
/// Room for a flush; more than the 6 bytes below which zlib may repeat its marker.
const FLUSH_ROOM: usize = 64;
