//! What connections borrow instead of own.

#[cfg(feature = "deflate")]
use crate::deflate::{Compressor, Decompressor};

/// Spare send buffers and deflate contexts: one pool for each thread of a driver.
///
/// [`Connection::lend`](crate::Connection::lend) before a connection is driven and [`Connection::reclaim`](crate::Connection::reclaim)
/// after it let all connections of a thread share what each needs for moments only, so that an idle one owns nothing. It is plain
/// data: no lock, nothing global. What it keeps is bounded: 16 buffers of at most 256 KiB, and 4 contexts of each kind.
///
/// Using a pool is optional. Without one a connection allocates what it needs and frees it when it is done.
#[derive(Debug, Default)]
pub struct Pool {
    buffers: Vec<Vec<u8>>,
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
    pub(crate) fn take_buffer(&mut self) -> Vec<u8> {
        self.buffers.pop().unwrap_or_default()
    }

    #[inline]
    pub(crate) fn give_buffer(&mut self, mut buffer: Vec<u8>) {
        if self.buffers.len() < BUFFERS && buffer.capacity() <= BUFFER_BYTES {
            buffer.clear();
            self.buffers.push(buffer);
        }
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

const BUFFERS: usize = 16;
const BUFFER_BYTES: usize = 256 << 10;
#[cfg(feature = "deflate")]
const CONTEXTS: usize = 4;
