//! Reading the window out of an inflater, which has no call for that.
//!
//! A block of DEFLATE can say "repeat the last 32 KiB". Inflating such a block puts the window out, oldest byte first; the inflater is of no
//! more use then, and another is primed with what came out ([RFC 1951 §3.2.5], §3.2.6).
//!
//! [RFC 1951 §3.2.5]: https://www.rfc-editor.org/rfc/rfc1951#section-3.2.5

/// A block that repeats the last `window` bytes, 1 to 32,768 of them, and perhaps some of those again.
pub(super) fn repeat(window: usize) -> Vec<u8> {
    let distance = u32::try_from(window.clamp(1, 1 << 15) - 1).unwrap_or_default();
    // The code of a distance, how many bits follow it, and those.
    let extra_bits = distance.checked_ilog2().map_or(0, |bits| bits.saturating_sub(1));
    let code = if distance < 2 { distance } else { 2 * extra_bits + (distance >> extra_bits) };
    let extra = distance & ((1 << extra_bits) - 1);
    let mut out = Bits::default();
    // BFINAL 0, BTYPE 01: the fixed codes.
    out.push(0b010, 3);
    for _ in 0..window.div_ceil(LONGEST) {
        // The length 258 is symbol 285, whose code is 11000101. Codes begin with their highest bit, numbers with their lowest.
        out.push(0b1100_0101_u32.reverse_bits() >> 24, 8);
        out.push(code.reverse_bits() >> 27, 5);
        out.push(extra, extra_bits);
    }
    // Symbol 256 ends the block.
    out.push(0, 7);
    // The rest of the last byte is too little to be another block.
    out.push(0, (8 - out.len) % 8);
    out.bytes
}

/// Bits, packed from the lowest on.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    open: u64,
    len: u32,
}

impl Bits {
    fn push(&mut self, bits: u32, len: u32) {
        self.open |= u64::from(bits) << self.len;
        self.len += len;
        while self.len >= 8 {
            let [low, ..] = self.open.to_le_bytes();
            self.bytes.push(low);
            self.open >>= 8;
            self.len -= 8;
        }
    }
}

/// Bytes of the longest repetition.
const LONGEST: usize = 258;

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

    #[test]
    fn the_last_bytes_come_out_again_whatever_their_number() {
        let text: Vec<u8> =
            (0..40_000_u32).flat_map(|i| (i.wrapping_mul(2_654_435_761) >> 7).to_be_bytes()).collect();
        for window in (1..40).chain([257, 258, 259, 511, 512, 4095, 4097, 16_385, 24_577, 32_767, 32_768]) {
            let (mut packed, mut unpacked) = (Vec::with_capacity(200_000), Vec::with_capacity(200_000));
            let mut from = Compress::new(Compression::new(1), false);
            from.compress_vec(&text, &mut packed, FlushCompress::Sync).unwrap();
            let mut to = Decompress::new(false);
            to.decompress_vec(&packed, &mut unpacked, FlushDecompress::Sync).unwrap();
            assert_eq!(unpacked, text);
            let mut last = Vec::with_capacity(window);
            to.decompress_vec(&repeat(window), &mut last, FlushDecompress::Sync).unwrap();
            assert_eq!(last.get(..window), text.get(text.len() - window..), "{window}");
        }
    }
}
