//! Numbers on the wire: little-endian where the width is fixed, else 7 bits a byte.

use bytes::{Buf, BufMut};

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// It ends too early.
    Short,
    /// Something stands behind its end.
    Trailing,
    /// The first byte is no type of message that this side takes.
    Type(u8),
    /// A number is out of its range.
    Range,
    /// A delta tells of a body that its base has not.
    UnknownBody(u16),
    /// A delta is for another base than the one at hand.
    Base(u32),
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Short => f.write_str("message too short"),
            Self::Trailing => f.write_str("message too long"),
            Self::Type(byte) => write!(f, "unknown type of message {byte}"),
            Self::Range => f.write_str("number out of range"),
            Self::UnknownBody(id) => write!(f, "no body {id} in the base"),
            Self::Base(tick) => write!(f, "base {tick} is not at hand"),
        }
    }
}

impl std::error::Error for Malformed {}

impl From<bytes::TryGetError> for Malformed {
    fn from(_: bytes::TryGetError) -> Self {
        Self::Short
    }
}

/// Writes 7 bits a byte, the lowest first; every byte but the last has its highest bit set.
pub fn put_varint(out: &mut impl BufMut, mut value: u32) {
    while value >= 0x80 {
        out.put_u8(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.put_u8(value.to_le_bytes()[0]);
}

/// Reads what [`put_varint`] wrote.
///
/// # Errors
/// [`Malformed::Short`] at the end of the input, [`Malformed::Range`] for more than 32 bits.
pub fn varint(input: &mut impl Buf) -> Result<u32, Malformed> {
    let mut value = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let byte = input.try_get_u8()?;
        let bits = u32::from(byte & 0x7f);
        if bits.leading_zeros() < shift {
            return Err(Malformed::Range);
        }
        value |= bits << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Malformed::Range)
}

/// Writes a number of either sign so that small ones are short: 0, -1, 1, -2 are 0, 1, 2, 3.
pub fn put_signed(out: &mut impl BufMut, value: i32) {
    put_varint(out, (value << 1 ^ value >> 31).cast_unsigned());
}

/// Reads what [`put_signed`] wrote.
///
/// # Errors
/// Those of [`varint`].
pub fn signed(input: &mut impl Buf) -> Result<i32, Malformed> {
    let value = varint(input)?;
    Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
}

/// That nothing is left.
///
/// # Errors
/// [`Malformed::Trailing`] where something is.
pub fn end(input: &impl Buf) -> Result<(), Malformed> {
    if input.has_remaining() { Err(Malformed::Trailing) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(unsigned: u32, number: i32) {
            let mut out = Vec::new();
            put_varint(&mut out, unsigned);
            put_signed(&mut out, number);
            let mut input = out.as_slice();
            prop_assert_eq!(varint(&mut input), Ok(unsigned));
            prop_assert_eq!(signed(&mut input), Ok(number));
            prop_assert_eq!(end(&input), Ok(()));
        }
    }

    #[test]
    fn a_number_of_more_than_32_bits_is_out_of_range() {
        assert_eq!(varint(&mut [0xff, 0xff, 0xff, 0xff, 0x0f].as_slice()), Ok(u32::MAX));
        assert_eq!(varint(&mut [0xff, 0xff, 0xff, 0xff, 0x10].as_slice()), Err(Malformed::Range));
        assert_eq!(varint(&mut [0x80, 0x80, 0x80, 0x80, 0x80, 0x00].as_slice()), Err(Malformed::Range));
        assert_eq!(varint(&mut [0x80].as_slice()), Err(Malformed::Short));
    }
}
