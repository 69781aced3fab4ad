//! UTF-8 validated as it arrives ([RFC 6455 §8.1]).
//!
//! [RFC 6455 §8.1]: https://www.rfc-editor.org/rfc/rfc6455#section-8.1

use crate::ProtocolError;

/// Validates text that comes in pieces, which may end inside a character.
///
/// A byte that cannot be right, whatever follows, is told with the piece that holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Utf8Validator {
    /// The beginning of a character whose rest has not come.
    partial: [u8; 4],
    /// Invariant: `len <= 3`.
    len: usize,
}

impl Utf8Validator {
    /// A validator at the beginning of a text.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on with `bytes`.
    ///
    /// # Errors
    /// [`ProtocolError::InvalidUtf8`]: with these bytes the text is no UTF-8, whatever may follow.
    #[inline]
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        let rest = if self.len == 0 { bytes } else { self.finish_character(bytes)? };
        let Err((valid, hopeless)) = validate(rest) else {
            return Ok(());
        };
        if hopeless {
            return Err(ProtocolError::InvalidUtf8);
        }
        let open = rest.get(valid..).unwrap_or_default();
        if let Some(slot) = self.partial.get_mut(..open.len()) {
            slot.copy_from_slice(open);
            self.len = open.len();
        }
        Ok(())
    }

    /// The text ends here; afterwards the validator stands before a new one.
    ///
    /// # Errors
    /// [`ProtocolError::InvalidUtf8`]: it ends inside a character.
    pub fn finish(&mut self) -> Result<(), ProtocolError> {
        if std::mem::take(&mut self.len) == 0 { Ok(()) } else { Err(ProtocolError::InvalidUtf8) }
    }

    /// Completes the open character byte by byte; returns what follows it.
    fn finish_character<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], ProtocolError> {
        let mut rest = bytes;
        while let (true, [byte, after @ ..]) = (self.len > 0, rest) {
            rest = after;
            if let Some(slot) = self.partial.get_mut(self.len) {
                *slot = *byte;
                self.len += 1;
            }
            match std::str::from_utf8(self.partial.get(..self.len).unwrap_or_default()) {
                Ok(_) => self.len = 0,
                Err(error) if error.error_len().is_some() => return Err(ProtocolError::InvalidUtf8),
                Err(_) => {}
            }
        }
        Ok(rest)
    }
}

/// Where validity ends, and whether nothing that follows could mend it.
#[cfg(feature = "simdutf8")]
fn validate(bytes: &[u8]) -> Result<(), (usize, bool)> {
    simdutf8::compat::from_utf8(bytes).map(|_| ()).map_err(|e| (e.valid_up_to(), e.error_len().is_some()))
}

#[cfg(not(feature = "simdutf8"))]
fn validate(bytes: &[u8]) -> Result<(), (usize, bool)> {
    std::str::from_utf8(bytes).map(|_| ()).map_err(|e| (e.valid_up_to(), e.error_len().is_some()))
}

/// Is a whole text UTF-8?
#[cfg(feature = "simdutf8")]
#[inline]
pub(crate) fn is_utf8(bytes: &[u8]) -> bool {
    simdutf8::basic::from_utf8(bytes).is_ok()
}

#[cfg(not(feature = "simdutf8"))]
#[inline]
pub(crate) fn is_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn verdict<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<(), ProtocolError> {
        let mut validator = Utf8Validator::new();
        pieces.into_iter().try_for_each(|piece| validator.feed(piece))?;
        validator.finish()
    }

    #[test]
    fn a_byte_that_cannot_be_right_fails_at_once() {
        let mut validator = Utf8Validator::new();
        validator.feed(b"\xF4").unwrap();
        assert!(validator.feed(b"\x90").is_err(), "above U+10FFFF");
        let mut validator = Utf8Validator::new();
        validator.feed("κόσμε".as_bytes()).unwrap();
        validator.feed(b"\xED").unwrap();
        assert!(validator.feed(b"\xA0").is_err(), "a surrogate, RFC 3629 §3");
    }

    #[test]
    fn a_text_must_not_end_inside_a_character() {
        assert!(verdict([&b"\xE2\x82"[..], b"\xAC"]).is_ok());
        assert!(verdict([&b"\xE2\x82"[..]]).is_err());
    }

    proptest! {
        #[test]
        fn any_split_gives_the_verdict_of_the_whole(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..40),
                prop::collection::vec(prop::sample::select(&b"a\xC2\xA9\xE2\x82\xAC\xED\x9F\xF0\x90\x8D\x88\xF4\x8F"[..]), 0..40),
                any::<String>().prop_map(String::into_bytes),
            ],
            size in 1..8usize,
        ) {
            prop_assert_eq!(verdict(bytes.chunks(size)).is_ok(), std::str::from_utf8(&bytes).is_ok());
            prop_assert_eq!(is_utf8(&bytes), std::str::from_utf8(&bytes).is_ok());
        }
    }
}
