//! `Sec-WebSocket-Key` and the `Sec-WebSocket-Accept` that proves that it was read ([RFC 6455 §1.3], §4.1, §4.2.2).
//!
//! [RFC 6455 §1.3]: https://www.rfc-editor.org/rfc/rfc6455#section-1.3

use crate::Entropy;
use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, PAD, STANDARD};
use bytes::Bytes;
use http::HeaderValue;
use sha1::{Digest, Sha1};

/// The nonce of a request: base64 of 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key([u8; 24]);

impl Key {
    /// A new nonce for a client (§4.1: "selected randomly for each connection").
    pub(super) fn generate(entropy: &Entropy) -> Self {
        let mut nonce = [0; 16];
        entropy.fill(&mut nonce);
        let mut key = [0; 24];
        let written = STANDARD.encode_slice(nonce, &mut key);
        debug_assert_eq!(written, Ok(key.len()), "16 bytes are 24 characters of base64");
        Self(key)
    }

    /// Reads the header's value; `None` unless it is base64 of 16 bytes.
    ///
    /// The unused bits of the last character may be set, which RFC 4648 §3.5 leaves open: the nonce is never used
    /// decoded.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let mut nonce = [0; 16];
        let key = Self(value.try_into().ok()?);
        (LENIENT.decode_slice(key.0, &mut nonce) == Ok(nonce.len())).then_some(key)
    }

    /// The value of `Sec-WebSocket-Accept` that answers it (§4.2.2).
    pub(super) fn accept(&self) -> AcceptKey {
        let digest = Sha1::new().chain_update(self.0).chain_update(GUID).finalize();
        let mut accept = [0; 28];
        let written = STANDARD.encode_slice(digest, &mut accept);
        debug_assert_eq!(written, Ok(accept.len()), "20 bytes are 28 characters of base64");
        AcceptKey(accept)
    }

    pub(super) fn to_header_value(self) -> HeaderValue {
        header_value(&self.0)
    }
}

/// What only a reader of the key can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AcceptKey([u8; 28]);

impl AcceptKey {
    /// Is this the header's value? §4.1 ignores whitespace around it, which the parser of the head has taken off.
    pub(super) fn matches(&self, value: &[u8]) -> bool {
        value == self.0
    }

    pub(super) fn to_header_value(self) -> HeaderValue {
        header_value(&self.0)
    }
}

fn header_value(base64: &[u8]) -> HeaderValue {
    #[expect(clippy::expect_used, reason = "the alphabet of base64 is visible ASCII")]
    HeaderValue::from_maybe_shared(Bytes::copy_from_slice(base64)).expect("base64 fits a header")
}

const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::STANDARD, PAD.with_decode_allow_trailing_bits(true));

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_is_answered() {
        // RFC 6455 §1.3
        let key = Key::parse(b"dGhlIHNhbXBsZSBub25jZQ==").unwrap();
        assert!(key.accept().matches(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert!(!key.accept().matches(b"S3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert!(!key.accept().matches(b""));
    }

    #[test]
    fn a_nonce_is_written_as_base64() {
        // RFC 6455 §4.1: the bytes 0x01 to 0x10.
        let entropy = Entropy::from_fn(|buf| buf.iter_mut().zip(1..).for_each(|(byte, n)| *byte = n));
        assert_eq!(Key::generate(&entropy).to_header_value(), "AQIDBAUGBwgJCgsMDQ4PEA==");
    }

    #[test]
    fn a_key_is_base64_of_16_bytes() {
        for key in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZQ== ",
            "dGhlIHNhbXBsZSBub25jZTE=",
            "dGhlIHNhbXBsZSBub25jZTEy",
            "dGhlIHNhbXBsZSBub25=ZQ==",
            "dGhlIHNhbXBsZSBub25j-_==",
            "dGhlIHNhbXBsZSBub25jéQ=",
        ] {
            assert_eq!(Key::parse(key.as_bytes()), None, "{key}");
        }
        assert!(Key::parse(b"dGhlIHNhbXBsZSBub25jZR==").is_some(), "bits that are not used do not matter");
    }
}
