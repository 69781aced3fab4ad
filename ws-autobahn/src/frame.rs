//! Frames as they are to be written, and their payloads.

use bytes::Bytes;

/// A frame as it is to be written, right or wrong.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    /// RSV1, RSV2 and RSV3 count 4, 2 and 1.
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) payload: Payload,
    /// Writes of at most this many bytes.
    pub(crate) chop: Option<usize>,
    /// A write of its own.
    pub(crate) sync: bool,
    pub(crate) masking: Masking,
    pub(crate) length: Length,
}

impl Frame {
    pub(crate) fn new(opcode: u8, payload: impl Into<Payload>) -> Self {
        Self {
            fin: true,
            rsv: 0,
            opcode,
            payload: payload.into(),
            chop: None,
            sync: false,
            masking: Masking::AsRole,
            length: Length::Minimal,
        }
    }

    pub(crate) const fn unfinished(mut self) -> Self {
        self.fin = false;
        self
    }

    pub(crate) const fn rsv(mut self, rsv: u8) -> Self {
        self.rsv = rsv;
        self
    }

    pub(crate) const fn chop(mut self, size: usize) -> Self {
        self.chop = Some(size);
        self
    }

    pub(crate) const fn sync(mut self) -> Self {
        self.sync = true;
        self
    }

    pub(crate) const fn masking(mut self, masking: Masking) -> Self {
        self.masking = masking;
        self
    }

    pub(crate) const fn length(mut self, length: Length) -> Self {
        self.length = length;
        self
    }
}

/// Is a frame masked?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Masking {
    /// As RFC 6455 §5.1 wants it of this role.
    AsRole,
    /// The other way round.
    Wrong,
}

/// How the length of a frame is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// As RFC 6455 §5.2 wants it.
    Minimal,
    /// In 16 bits, even where 7 are enough.
    Bits16,
    /// In 64 bits, even where fewer are enough.
    Bits64,
    /// This number in 64 bits, whatever the payload is.
    Claimed(u64),
}

/// Bytes, perhaps the same ones over and over, which are not stored that often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    /// What is repeated.
    pub(crate) unit: Bytes,
    /// How long it is to be; `None` for the unit as it is.
    pub(crate) repeated_to: Option<usize>,
}

impl Payload {
    pub(crate) const fn repeated(unit: &'static [u8], len: usize) -> Self {
        Self { unit: Bytes::from_static(unit), repeated_to: Some(len) }
    }

    pub(crate) fn len(&self) -> usize {
        self.repeated_to.unwrap_or(self.unit.len())
    }

    /// All the bytes.
    pub(crate) fn to_bytes(&self) -> Bytes {
        let Some(len) = self.repeated_to.filter(|_| !self.unit.is_empty()) else {
            return self.unit.clone();
        };
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            let part = self.unit.len().min(len - bytes.len());
            bytes.extend_from_slice(self.unit.get(..part).unwrap_or_default());
        }
        bytes.into()
    }
}

impl From<&'static [u8]> for Payload {
    fn from(bytes: &'static [u8]) -> Self {
        Self { unit: Bytes::from_static(bytes), repeated_to: None }
    }
}

impl<const N: usize> From<&'static [u8; N]> for Payload {
    fn from(bytes: &'static [u8; N]) -> Self {
        Self { unit: Bytes::from_static(bytes), repeated_to: None }
    }
}

impl From<&'static str> for Payload {
    fn from(text: &'static str) -> Self {
        text.as_bytes().into()
    }
}

impl From<Bytes> for Payload {
    fn from(unit: Bytes) -> Self {
        Self { unit, repeated_to: None }
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_repeated_to_its_length_and_cut() {
        assert_eq!(&Payload::repeated(b"abc", 7).to_bytes()[..], b"abcabca");
        assert_eq!(&Payload::repeated(b"abc", 0).to_bytes()[..], b"");
        assert_eq!(&Payload::from("abc").to_bytes()[..], b"abc");
    }
}
