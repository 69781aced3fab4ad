//! Payloads of control frames.

use crate::ApiMisuse;
use bytes::Bytes;
use std::ops::Deref;

/// Payload of a ping or pong: at most 125 bytes ([RFC 6455 §5.5]).
///
/// [RFC 6455 §5.5]: https://www.rfc-editor.org/rfc/rfc6455#section-5.5
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ControlPayload(
    /// Invariant: at most `MAX_BYTES` long.
    Bytes,
);

impl ControlPayload {
    /// The most that a control frame holds.
    pub const MAX_BYTES: usize = 125;

    /// No bytes.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Bytes::new())
    }

    /// For payloads whose length the frame header has already bounded.
    pub(crate) fn from_checked(bytes: Bytes) -> Self {
        debug_assert!(bytes.len() <= Self::MAX_BYTES, "the header was checked");
        Self(bytes)
    }

    /// The bytes; nothing is copied.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl Deref for ControlPayload {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<Bytes> for ControlPayload {
    type Error = ApiMisuse;
    fn try_from(bytes: Bytes) -> Result<Self, ApiMisuse> {
        let len = bytes.len();
        if len <= Self::MAX_BYTES { Ok(Self(bytes)) } else { Err(ApiMisuse::ControlPayloadTooLong { len }) }
    }
}

impl TryFrom<&[u8]> for ControlPayload {
    type Error = ApiMisuse;
    fn try_from(bytes: &[u8]) -> Result<Self, ApiMisuse> {
        Bytes::copy_from_slice(bytes).try_into()
    }
}

impl TryFrom<&str> for ControlPayload {
    type Error = ApiMisuse;
    fn try_from(text: &str) -> Result<Self, ApiMisuse> {
        text.as_bytes().try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_payload_holds_125_bytes_and_no_more() {
        assert_eq!(ControlPayload::try_from(&[1; 125][..]).unwrap().len(), 125);
        let error = ControlPayload::try_from(&[1; 126][..]).unwrap_err();
        assert_eq!(error, ApiMisuse::ControlPayloadTooLong { len: 126 });
    }
}
