//! Masking ([RFC 6455 §5.3]).
//!
//! [RFC 6455 §5.3]: https://www.rfc-editor.org/rfc/rfc6455#section-5.3

/// The key that the payload of a client's frame is combined with. Masking and unmasking are the same operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaskingKey([u8; 4]);

impl MaskingKey {
    /// This key. It should come from an unpredictable source (§10.3).
    #[must_use]
    pub const fn new(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// Its bytes in the order of the wire.
    #[must_use]
    pub const fn bytes(self) -> [u8; 4] {
        self.0
    }

    /// Masks or unmasks `payload` in place, where `phase` bytes of the frame's payload came before it.
    #[inline]
    pub fn apply(self, phase: usize, payload: &mut [u8]) {
        let key = Phased(u32::from_le_bytes(self.0)).at(phase);
        if key.apply_blocks::<64>(payload)
            || key.apply_blocks::<16>(payload)
            || key.apply_blocks::<4>(payload)
        {
            return;
        }
        for (byte, key) in payload.iter_mut().zip(key.0.to_le_bytes()) {
            *byte ^= key;
        }
    }
}

/// A key that begins at some byte of the payload, as a little-endian number: its first byte comes first.
#[derive(Clone, Copy)]
struct Phased(u32);

impl Phased {
    /// The same key, `n` bytes further on.
    #[inline]
    fn at(self, n: usize) -> Self {
        Self(self.0.rotate_right(8 * u32::try_from(n % 4).unwrap_or_default()))
    }

    /// Applies the key to a payload of at least `N` bytes, `N` a multiple of 4; false where it is shorter. Blocks of one constant size and
    /// any alignment become vector code, and the last block ends where the payload ends: it overlaps those before instead of leaving a
    /// tail of single bytes.
    #[inline]
    fn apply_blocks<const N: usize>(self, payload: &mut [u8]) -> bool {
        let Some(last) = payload.last_chunk::<N>() else { return false };
        let last = self.at(payload.len()).combined(last);
        for block in payload.as_chunks_mut::<N>().0 {
            *block = self.combined(block);
        }
        if let Some(end) = payload.last_chunk_mut::<N>() {
            *end = last;
        }
        true
    }

    #[inline]
    fn combined<const N: usize>(self, block: &[u8; N]) -> [u8; N] {
        let mut block = *block;
        for word in block.as_chunks_mut::<4>().0 {
            *word = (u32::from_le_bytes(*word) ^ self.0).to_le_bytes();
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_masked_hello_of_section_5_7() {
        let mut payload = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        MaskingKey::new([0x37, 0xfa, 0x21, 0x3d]).apply(0, &mut payload);
        assert_eq!(&payload, b"Hello");
    }

    proptest! {
        #[test]
        fn any_split_masks_as_the_definition_says_and_twice_is_identity(
            key in any::<[u8; 4]>(),
            payload in prop::collection::vec(any::<u8>(), 0..300),
            cut in 0..300usize,
        ) {
            // §5.3: transformed-octet-i = original-octet-i XOR masking-key-octet-(i MOD 4)
            let expected: Vec<u8> = payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
            let mut masked = payload.clone();
            let cut = cut.min(masked.len());
            let (front, back) = masked.split_at_mut(cut);
            MaskingKey::new(key).apply(0, front);
            MaskingKey::new(key).apply(cut, back);
            prop_assert_eq!(&masked, &expected);
            MaskingKey::new(key).apply(0, &mut masked);
            prop_assert_eq!(masked, payload);
        }
    }
}
