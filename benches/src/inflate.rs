//! permessage-deflate without context takeover (RFC 7692 §7.2): every message by itself.

use anyhow::{Result, ensure};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

/// What stands behind every message that was compressed, and is not sent.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

pub(crate) fn compress(payload: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::with_capacity(payload.len() + 64);
    Compress::new(Compression::new(6), false).compress_vec(payload, &mut compressed, FlushCompress::Sync)?;
    ensure!(compressed.ends_with(&TAIL), "an incomplete flush");
    compressed.truncate(compressed.len() - TAIL.len());
    Ok(compressed)
}

/// At most `limit` bytes of what `compressed` holds.
pub(crate) fn decompress(compressed: &[u8], limit: usize) -> Result<Vec<u8>> {
    let mut payload = Vec::with_capacity(limit);
    let input = [compressed, &TAIL].concat();
    Decompress::new(false).decompress_vec(&input, &mut payload, FlushDecompress::Sync)?;
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_comes_back() {
        let payload = crate::Payload::Json.bytes(1024);
        let compressed = compress(&payload).unwrap();
        assert!(compressed.len() < payload.len() / 2);
        assert_eq!(decompress(&compressed, payload.len() + 1).unwrap(), payload);
    }
}
