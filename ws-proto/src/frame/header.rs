//! The header of a frame ([RFC 6455 §5.2]), parsed and written.
//!
//! [RFC 6455 §5.2]: https://www.rfc-editor.org/rfc/rfc6455#section-5.2

use super::{MaskingKey, Opcode};
use crate::ProtocolError;

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Is this the last fragment of its message?
    pub fin: bool,
    /// First reserved bit: permessage-deflate sets it on the first frame of a compressed message (RFC 7692 §6).
    pub rsv1: bool,
    /// Second reserved bit.
    pub rsv2: bool,
    /// Third reserved bit.
    pub rsv3: bool,
    /// What the frame is for.
    pub opcode: Opcode,
    /// The key that the payload is masked with; frames of a client have one, those of a server do not (§5.1).
    pub masking_key: Option<MaskingKey>,
    /// Length of the payload in bytes, below 2^63.
    pub payload_len: u64,
}

impl Header {
    /// Most bytes that a header takes.
    pub const MAX_BYTES: usize = 14;

    /// A final frame without reserved bits and without mask.
    #[must_use]
    pub const fn new(opcode: Opcode, payload_len: u64) -> Self {
        Self { fin: true, rsv1: false, rsv2: false, rsv3: false, opcode, masking_key: None, payload_len }
    }

    /// Reads the header at the beginning of `bytes`: it and its length in bytes, or `None` where more bytes are needed.
    ///
    /// # Errors
    /// What is wrong whoever sent it: a reserved opcode, a fragmented or long control frame, a length that is not minimal or has its
    /// highest bit set. A fault in the first two bytes is told before the rest has come. Reserved bits and masking are left to the
    /// caller, because they depend on extensions and role.
    #[inline]
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, ProtocolError> {
        let [first, second, rest @ ..] = bytes else {
            return Ok(None);
        };
        let number = first & 0x0F;
        let opcode = Opcode::new(number).ok_or(ProtocolError::ReservedOpcode { opcode: number })?;
        let fin = first & 0x80 != 0;
        let short = second & 0x7F;
        if opcode.is_control() {
            if !fin {
                return Err(ProtocolError::FragmentedControlFrame);
            }
            if short > 125 {
                return Err(ProtocolError::ControlFrameTooLong);
            }
        }
        let (payload_len, rest) = match short {
            126 => {
                let Some((len, rest)) = rest.split_first_chunk::<2>() else {
                    return Ok(None);
                };
                let len = u16::from_be_bytes(*len);
                if len < 126 {
                    return Err(ProtocolError::NonMinimalLength);
                }
                (u64::from(len), rest)
            }
            127 => {
                let Some((len, rest)) = rest.split_first_chunk::<8>() else {
                    return Ok(None);
                };
                let len = u64::from_be_bytes(*len);
                if len >> 63 != 0 {
                    return Err(ProtocolError::LengthOutOfRange);
                }
                if len <= 0xFFFF {
                    return Err(ProtocolError::NonMinimalLength);
                }
                (len, rest)
            }
            len => (u64::from(len), rest),
        };
        let (masking_key, rest) = if second & 0x80 != 0 {
            let Some((key, rest)) = rest.split_first_chunk::<4>() else {
                return Ok(None);
            };
            (Some(MaskingKey::new(*key)), rest)
        } else {
            (None, rest)
        };
        let (rsv1, rsv2, rsv3) = (first & 0x40 != 0, first & 0x20 != 0, first & 0x10 != 0);
        let header = Self { fin, rsv1, rsv2, rsv3, opcode, masking_key, payload_len };
        Ok(Some((header, bytes.len() - rest.len())))
    }

    /// How long the payload is of an unmasked frame of `frame_len` bytes, its header included.
    #[cfg(feature = "deflate")]
    pub(crate) const fn payload_len_of(frame_len: usize) -> usize {
        let header_len = match frame_len {
            0..=127 => 2,
            128..=0x1_0003 => 4,
            _ => 10,
        };
        frame_len.saturating_sub(header_len)
    }

    /// Writes the header, with the length in its shortest form.
    #[inline]
    #[must_use]
    pub fn encode(&self) -> EncodedHeader {
        let mut encoded = EncodedHeader { bytes: [0; Self::MAX_BYTES], len: 0 };
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let mask = bit(self.masking_key.is_some(), 0x80);
        encoded.push([bit(self.fin, 0x80)
            | bit(self.rsv1, 0x40)
            | bit(self.rsv2, 0x20)
            | bit(self.rsv3, 0x10)
            | self.opcode.number()]);
        if let Ok(len @ 0..=125) = u8::try_from(self.payload_len) {
            encoded.push([mask | len]);
        } else if let Ok(len) = u16::try_from(self.payload_len) {
            encoded.push([mask | 126]);
            encoded.push(len.to_be_bytes());
        } else {
            encoded.push([mask | 127]);
            encoded.push(self.payload_len.to_be_bytes());
        }
        if let Some(key) = self.masking_key {
            encoded.push(key.bytes());
        }
        encoded
    }

    /// The reserved bits as a number: RSV1, RSV2 and RSV3 count 4, 2 and 1.
    #[must_use]
    pub const fn reserved_bits(&self) -> u8 {
        (self.rsv1 as u8) << 2 | (self.rsv2 as u8) << 1 | self.rsv3 as u8
    }
}

/// A header as it is on the wire; it lives on the stack.
#[derive(Clone, Copy, Debug)]
pub struct EncodedHeader {
    bytes: [u8; Header::MAX_BYTES],
    /// Invariant: `len <= MAX_BYTES`.
    len: usize,
}

impl EncodedHeader {
    /// The bytes, 2 to 14.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    #[inline]
    fn push<const N: usize>(&mut self, bytes: [u8; N]) {
        if let Some(slot) = self.bytes.get_mut(self.len..self.len + N) {
            slot.copy_from_slice(&bytes);
            self.len += N;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_section_5_7_are_read() {
        let (header, len) = Header::decode(&[0x81, 0x05, 0x48]).unwrap().unwrap();
        assert_eq!((header, len), (Header::new(Opcode::Text, 5), 2));
        let (header, len) = Header::decode(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f]).unwrap().unwrap();
        assert_eq!((header.masking_key.unwrap().bytes(), len), ([0x37, 0xfa, 0x21, 0x3d], 6));
        let (header, _) = Header::decode(&[0x01, 0x03]).unwrap().unwrap();
        assert!(!header.fin);
        let (header, len) = Header::decode(&[0x82, 0x7E, 0x01, 0x00]).unwrap().unwrap();
        assert_eq!((header.payload_len, len), (256, 4));
        let (header, len) = Header::decode(&[0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]).unwrap().unwrap();
        assert_eq!((header.payload_len, len), (65536, 10));
    }

    #[test]
    fn faults_of_the_first_two_bytes_are_told_before_the_rest_has_come() {
        assert_eq!(Header::decode(&[0x83, 0xFF]), Err(ProtocolError::ReservedOpcode { opcode: 3 }));
        assert_eq!(Header::decode(&[0x09, 0x80]), Err(ProtocolError::FragmentedControlFrame));
        assert_eq!(Header::decode(&[0x89, 0xFE]), Err(ProtocolError::ControlFrameTooLong));
    }

    #[test]
    fn lengths_are_minimal_and_below_2_to_the_63() {
        assert_eq!(Header::decode(&[0x82, 126, 0, 125]), Err(ProtocolError::NonMinimalLength));
        assert_eq!(
            Header::decode(&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]),
            Err(ProtocolError::NonMinimalLength)
        );
        assert_eq!(
            Header::decode(&[0x82, 127, 0x80, 0, 0, 0, 0, 1, 0, 0]),
            Err(ProtocolError::LengthOutOfRange)
        );
    }

    #[cfg(feature = "deflate")]
    #[test]
    fn the_length_of_an_unmasked_frame_tells_that_of_its_payload() {
        for payload_len in [0, 1, 125, 126, 127, 128, 65_535, 65_536, 100_000] {
            let header = Header::new(Opcode::Text, payload_len as u64).encode();
            assert_eq!(Header::payload_len_of(header.as_slice().len() + payload_len), payload_len);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again_and_every_prefix_asks_for_more(
            bits in any::<[bool; 4]>(),
            opcode in prop::sample::select(&[Opcode::Continuation, Opcode::Text, Opcode::Binary]),
            key in any::<Option<[u8; 4]>>(),
            payload_len in prop_oneof![0..130u64, 65_530..65_540u64, 0..1u64 << 63],
        ) {
            let [fin, rsv1, rsv2, rsv3] = bits;
            let header = Header { fin, rsv1, rsv2, rsv3, opcode, masking_key: key.map(MaskingKey::new), payload_len };
            let encoded = header.encode();
            let bytes = encoded.as_slice();
            prop_assert_eq!(Header::decode(bytes), Ok(Some((header, bytes.len()))));
            for cut in 0..bytes.len() {
                prop_assert_eq!(Header::decode(&bytes[..cut]), Ok(None));
            }
        }
    }
}
