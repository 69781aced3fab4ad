//! Inflating a message ([RFC 7692 §7.2.2]).
//!
//! [RFC 7692 §7.2.2]: https://www.rfc-editor.org/rfc/rfc7692#section-7.2.2

use super::window;
use crate::ProtocolError;
use flate2::{Decompress, FlushDecompress, Status};
use std::fmt;

/// An inflation context: 46 KiB at any window.
pub(crate) struct Decompressor {
    raw: Decompress,
    window_bits: u8,
    /// Did the last block read have BFINAL set, with nothing behind it yet?
    ended: bool,
    /// Has nothing been inflated since the context was made or reset?
    fresh: bool,
    /// Bytes of history that it was primed with.
    primed: usize,
}

/// What one step did.
pub(crate) struct Inflated {
    /// Bytes of input that were read.
    pub(crate) consumed: usize,
    /// Was all input read, and all output written that it gives? Else there is more to come: ask again, with more room.
    pub(crate) done: bool,
}

impl Decompressor {
    /// `window_bits` is 8 to 15.
    pub(crate) fn new(window_bits: u8) -> Self {
        // zlib has no raw window of 8 bits; a larger one reads whatever a smaller one wrote.
        let raw = Decompress::new_with_window_bits(false, window_bits.clamp(9, 15));
        Self { raw, window_bits, ended: false, fresh: true, primed: 0 }
    }

    /// Can it stand in for one made with this window?
    pub(crate) const fn fits(&self, window_bits: u8) -> bool {
        self.window_bits == window_bits
    }

    /// Memory that it holds, in bytes: the same for every window.
    pub(crate) const MEMORY_BYTES: usize = 46 << 10;

    /// Inflates from `input` into the spare capacity of `out`, which it never grows.
    ///
    /// # Errors
    /// [`ProtocolError::InvalidDeflate`]: this is no DEFLATE stream.
    pub(crate) fn inflate(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<Inflated, ProtocolError> {
        self.fresh = false;
        let (before_in, before_out) = (self.raw.total_in(), out.len());
        let status = self
            .raw
            .decompress_vec(input, out, FlushDecompress::Sync)
            .map_err(|_| ProtocolError::InvalidDeflate)?;
        let consumed = usize::try_from(self.raw.total_in() - before_in).unwrap_or(usize::MAX);
        let all_read = consumed >= input.len();
        if status == Status::StreamEnd {
            self.raw.reset(false);
            self.ended = true;
            self.primed = 0;
            return Ok(Inflated { consumed, done: all_read });
        }
        if consumed > 0 {
            self.ended = false;
        }
        let room_left = out.len() < out.capacity();
        if consumed == 0 && out.len() == before_out && room_left && !all_read {
            // Neither input nor output moved though both could: no stream does that.
            return Err(ProtocolError::InvalidDeflate);
        }
        Ok(Inflated { consumed, done: all_read && room_left })
    }

    /// Did the sender end its stream (BFINAL) right here? Then there is no tail to put back.
    pub(crate) const fn is_ended(&self) -> bool {
        self.ended
    }

    /// Has nothing been inflated since it was made or reset?
    pub(crate) const fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Forgets all history.
    pub(crate) fn reset(&mut self) {
        if !std::mem::replace(&mut self.fresh, true) {
            self.raw.reset(false);
            self.ended = false;
            self.primed = 0;
        }
    }

    /// Takes the history out that the next message may refer to: at most a window, and no more than there is. To be asked between messages;
    /// afterwards the context is as new.
    ///
    /// # Errors
    /// [`ProtocolError::InvalidDeflate`]: the last message did not end at the end of a block, as §7.2.1 wants it, so there is none.
    pub(crate) fn take_history(&mut self) -> Result<Box<[u8]>, ProtocolError> {
        let most = 1 << self.window_bits.clamp(9, 15);
        let produced = usize::try_from(self.raw.total_out()).unwrap_or(usize::MAX);
        let len = produced.saturating_add(self.primed).min(most);
        let mut history = Vec::with_capacity(len);
        if len > 0 {
            let _status = self.raw.decompress_vec(&window::repeat(len), &mut history, FlushDecompress::Sync);
        }
        self.reset();
        if history.len() < len {
            return Err(ProtocolError::InvalidDeflate);
        }
        history.truncate(len);
        Ok(history.into())
    }

    /// Gives a context that is as new the history that another one had.
    pub(crate) fn prime(&mut self, history: &[u8]) {
        self.fresh = false;
        self.primed = history.len();
        // The only error is a zlib header that was not read yet, and a raw stream has none.
        let _checksum = self.raw.set_dictionary(history);
    }
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor").field("window_bits", &self.window_bits).finish_non_exhaustive()
    }
}

/// What a sender takes off the end of a message, and a receiver puts back (§7.2.1, §7.2.2).
pub(crate) const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
