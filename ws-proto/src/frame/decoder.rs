//! Headers found in bytes that come in pieces.

use super::Header;
use crate::{Input, ProtocolError};

/// Finds frame headers in bytes that come in pieces of any size: it keeps the part of a header that has come, at most 13 bytes.
///
/// It reads headers only. The caller takes the payload, [`Header::payload_len`] bytes, before it asks for the next header.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    partial: [u8; Header::MAX_BYTES],
    /// Invariant: `len < MAX_BYTES`, and `partial[..len]` is no whole header.
    len: u8,
}

impl Decoder {
    /// A decoder that stands before a frame.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next header off `input`; `None` where `input` ended before it, and is empty now.
    ///
    /// # Errors
    /// As [`Header::decode`]. The bytes of the faulty header may or may not be taken; nothing that follows can be trusted.
    #[inline]
    pub fn decode<'b, I: Input<'b>>(&mut self, input: &mut I) -> Result<Option<Header>, ProtocolError> {
        if self.len == 0 {
            let rest = input.rest();
            if let Some((header, taken)) = Header::decode(rest)? {
                input.skip(taken);
                return Ok(Some(header));
            }
        }
        self.decode_across_pieces(input)
    }

    #[cold]
    fn decode_across_pieces<'b, I: Input<'b>>(
        &mut self,
        input: &mut I,
    ) -> Result<Option<Header>, ProtocolError> {
        while let Some(&byte) = input.rest().first() {
            input.skip(1);
            if let Some(slot) = self.partial.get_mut(usize::from(self.len)) {
                *slot = byte;
                self.len += 1;
            }
            if let Some((header, _)) =
                Header::decode(self.partial.get(..usize::from(self.len)).unwrap_or_default())?
            {
                self.len = 0;
                return Ok(Some(header));
            }
        }
        Ok(None)
    }

    /// Has part of a header come?
    #[must_use]
    pub const fn is_inside_header(&self) -> bool {
        self.len != 0
    }
}

/// Does `input` begin with a whole frame? A driver that coalesces replies asks this to learn whether more can be handled before it
/// writes. A faulty header counts as whole, because handling it makes progress.
#[inline]
#[must_use]
pub fn is_complete(input: &[u8]) -> bool {
    if let [0x81 | 0x82, second, ..] = input
        && let len @ 0..126 = second & 0x7F
    {
        // The common case, without taking the header apart.
        let header_len = if second & 0x80 != 0 { 6 } else { 2 };
        return input.len() >= header_len + usize::from(len);
    }
    match Header::decode(input) {
        Ok(Some((header, len))) => (input.len() - len) as u64 >= header.payload_len,
        Ok(None) => false,
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{MaskingKey, Opcode};

    #[test]
    fn a_header_is_found_at_every_split() {
        let header = Header {
            masking_key: Some(MaskingKey::new([1, 2, 3, 4])),
            ..Header::new(Opcode::Binary, 70_000)
        };
        let encoded = header.encode();
        for cut in 0..encoded.as_slice().len() {
            let mut bytes = encoded.as_slice().to_vec();
            let (mut front, mut back) = bytes.split_at_mut(cut);
            let mut decoder = Decoder::new();
            assert_eq!(decoder.decode(&mut front), Ok(None));
            assert_eq!(decoder.is_inside_header(), cut > 0);
            assert_eq!(decoder.decode(&mut back), Ok(Some(header)));
            assert!(back.is_empty() && !decoder.is_inside_header());
        }
    }

    #[test]
    fn a_frame_is_complete_with_its_last_byte() {
        let frame = [0x81, 0x02, b'h', b'i', 0x81];
        assert_eq!(
            (0..=5).map(|n| is_complete(&frame[..n])).collect::<Vec<_>>(),
            [false, false, false, false, true, true]
        );
        assert!(is_complete(&[0x83, 0x00]), "a reserved opcode needs no more bytes to fail");
    }
}
