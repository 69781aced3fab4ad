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
        let [a, b, c, d] = self.0;
        let [a, b, c, d] = match phase % 4 {
            0 => [a, b, c, d],
            1 => [b, c, d, a],
            2 => [c, d, a, b],
            _ => [d, a, b, c],
        };
        let key = [a, b, c, d, a, b, c, d];
        let wide = u64::from_ne_bytes(key);
        // Whole words first, whatever their alignment: the compiler turns this loop into vector code.
        let (words, tail) = payload.as_chunks_mut::<8>();
        for word in words {
            *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
        }
        for (byte, key) in tail.iter_mut().zip(key) {
            *byte ^= key;
        }
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
