//! Text that is known to be UTF-8: validated once, where it entered, and never again.
#![expect(
    unsafe_code,
    reason = "the only place that turns bytes validated before into str without validating them twice"
)]

use crate::Payload;
use bytes::Bytes;
use std::fmt;
use std::ops::Deref;

/// UTF-8 text in shared memory: immutable, and cheap to clone (the bytes are counted by reference, not copied).
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Utf8Bytes(
    /// Invariant: valid UTF-8.
    Bytes,
);

impl Utf8Bytes {
    /// Text that lives as long as the program; nothing is copied.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// For bytes that [`Utf8Validator`](crate::message::Utf8Validator) or `simdutf8` has just accepted.
    #[inline]
    pub(crate) fn from_validated(bytes: Bytes) -> Self {
        debug_assert!(std::str::from_utf8(&bytes).is_ok(), "only validated bytes become text");
        Self(bytes)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // SAFETY: the invariant of the field: every constructor starts from a `str` or from bytes that were validated.
        unsafe { std::str::from_utf8_unchecked(&self.0) }
    }

    /// Its bytes.
    #[inline]
    #[must_use]
    pub const fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// Gives up the knowledge that the bytes are text; nothing is copied.
    #[inline]
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl Deref for Utf8Bytes {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Utf8Bytes {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl From<&str> for Utf8Bytes {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Utf8Bytes {
    fn from(text: String) -> Self {
        Self(Bytes::from(text))
    }
}

/// Validates; gives the bytes back where they are not UTF-8.
impl TryFrom<Bytes> for Utf8Bytes {
    type Error = Bytes;
    fn try_from(bytes: Bytes) -> Result<Self, Bytes> {
        if crate::utf8::is_utf8(&bytes) { Ok(Self(bytes)) } else { Err(bytes) }
    }
}

impl PartialEq<str> for Utf8Bytes {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Utf8Bytes {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

/// A received text that may still lie in the driver's receive buffer.
#[derive(Debug)]
pub struct Text<'b>(
    /// Invariant: valid UTF-8.
    Payload<'b>,
);

impl<'b> Text<'b> {
    #[inline]
    pub(crate) const fn from_validated(payload: Payload<'b>) -> Self {
        Self(payload)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        debug_assert!(std::str::from_utf8(&self.0).is_ok(), "only validated payloads become text");
        // SAFETY: the receive path makes a `Text` only of a payload whose every byte went through the validator, with no
        // sequence left open at its end.
        unsafe { std::str::from_utf8_unchecked(&self.0) }
    }

    /// Owned text: free where the payload is owned, else one copy.
    #[inline]
    #[must_use]
    pub fn into_utf8_bytes(self) -> Utf8Bytes {
        Utf8Bytes::from_validated(self.0.into_bytes())
    }

    /// The payload, without the knowledge that it is text.
    #[must_use]
    pub fn into_payload(self) -> Payload<'b> {
        self.0
    }
}

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_text_only_when_they_are_utf8() {
        assert_eq!(Utf8Bytes::try_from(Bytes::from_static("κόσμε".as_bytes())).unwrap(), "κόσμε");
        let surrogate = Bytes::from_static(b"\xED\xA0\x80");
        assert_eq!(Utf8Bytes::try_from(surrogate.clone()), Err(surrogate));
    }

    #[test]
    fn a_clone_shares_its_bytes() {
        let text = Utf8Bytes::from("shared");
        assert_eq!(text.as_ptr(), text.clone().as_ptr());
    }
}
