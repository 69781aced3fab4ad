//! Frames that may break any rule, and a strict reader that shares nothing with the parser under test.

mod legal;

pub use legal::read_legal;

use std::fmt;
use ws_proto::Role;

/// A frame as it stands on the wire, legal or not ([RFC 6455 §5.2]).
///
/// [RFC 6455 §5.2]: https://www.rfc-editor.org/rfc/rfc6455#section-5.2
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFrame {
    /// The FIN bit.
    pub fin: bool,
    /// RSV1, RSV2 and RSV3 as the bits 4, 2 and 1; higher bits are left out.
    pub rsv: u8,
    /// The opcode, 0 to 15; higher bits are left out.
    pub opcode: u8,
    /// The masking key; `None` writes an unmasked frame.
    pub mask: Option<[u8; 4]>,
    /// How the length is written.
    pub length: Length,
    /// The payload before masking.
    pub payload: Vec<u8>,
}

/// How the length of a payload is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// In its shortest form.
    Minimal,
    /// In 16 bits, whatever it is (cut to 16 bits).
    Bits16,
    /// In 64 bits, whatever it is.
    Bits64,
    /// This number in its shortest form, whatever the payload's length is.
    Declared(u64),
}

impl RawFrame {
    /// A final, unmasked frame without reserved bits.
    pub fn new(opcode: u8, payload: impl AsRef<[u8]>) -> Self {
        Self {
            fin: true,
            rsv: 0,
            opcode,
            mask: None,
            length: Length::Minimal,
            payload: payload.as_ref().to_vec(),
        }
    }

    /// Opcode 0: goes on with a fragmented message.
    pub fn continuation(payload: impl AsRef<[u8]>) -> Self {
        Self::new(0x0, payload)
    }

    /// Opcode 1: begins a text message. The payload may be anything.
    pub fn text(payload: impl AsRef<[u8]>) -> Self {
        Self::new(0x1, payload)
    }

    /// Opcode 2: begins a binary message.
    pub fn binary(payload: impl AsRef<[u8]>) -> Self {
        Self::new(0x2, payload)
    }

    /// Opcode 8, with a code and a reason.
    pub fn close(code: u16, reason: impl AsRef<[u8]>) -> Self {
        Self::new(0x8, [&code.to_be_bytes(), reason.as_ref()].concat())
    }

    /// Opcode 8, without a code.
    #[must_use]
    pub fn close_empty() -> Self {
        Self::new(0x8, [])
    }

    /// Opcode 9.
    pub fn ping(payload: impl AsRef<[u8]>) -> Self {
        Self::new(0x9, payload)
    }

    /// Opcode 10.
    pub fn pong(payload: impl AsRef<[u8]>) -> Self {
        Self::new(0xA, payload)
    }

    /// The same without FIN.
    #[must_use]
    pub fn unfinished(self) -> Self {
        Self { fin: false, ..self }
    }

    /// The same with these reserved bits: RSV1, RSV2 and RSV3 count 4, 2 and 1.
    #[must_use]
    pub fn rsv(self, rsv: u8) -> Self {
        Self { rsv, ..self }
    }

    /// The same masked with this key.
    #[must_use]
    pub fn masked(self, key: [u8; 4]) -> Self {
        Self { mask: Some(key), ..self }
    }

    /// The same masked as `sender` must (§5.3), with a fixed key.
    #[must_use]
    pub fn sent_by(self, sender: Role) -> Self {
        let mask = (sender == Role::Client).then(|| self.mask.unwrap_or(KEY));
        Self { mask, ..self }
    }

    /// The same with its length written like this.
    #[must_use]
    pub fn length(self, length: Length) -> Self {
        Self { length, ..self }
    }

    /// The code of a Close frame; `None` for another frame, and for a payload of less than two bytes.
    #[must_use]
    pub fn close_code(&self) -> Option<u16> {
        let code = self.payload.first_chunk().filter(|_| self.opcode == 0x8)?;
        Some(u16::from_be_bytes(*code))
    }

    /// Its bytes on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mask_bit = if self.mask.is_some() { 0x80 } else { 0 };
        let mut bytes = vec![u8::from(self.fin) << 7 | (self.rsv & 7) << 4 | self.opcode & 15];
        let len = match self.length {
            Length::Declared(len) => len,
            Length::Minimal | Length::Bits16 | Length::Bits64 => self.payload.len() as u64,
        };
        match (self.length, len) {
            (Length::Bits64, _) | (Length::Minimal | Length::Declared(_), 65_536..) => {
                bytes.push(mask_bit | 127);
                bytes.extend(len.to_be_bytes());
            }
            (Length::Bits16, _) | (_, 126..) => {
                bytes.push(mask_bit | 126);
                let [.., high, low] = len.to_be_bytes();
                bytes.extend([high, low]);
            }
            (_, 0..126) => {
                let [.., low] = len.to_be_bytes();
                bytes.push(mask_bit | low);
            }
        }
        bytes.extend(self.mask.into_iter().flatten());
        bytes.extend(mask(&self.payload, self.mask));
        bytes
    }
}

/// The frames of `bytes`, payloads unmasked.
///
/// # Errors
/// A [`Fault`] where a frame breaks a rule that needs no context: a reserved opcode, a length that is not minimal, a long or fragmented
/// control frame, or bytes that end inside a frame. Reserved bits, masks and the order of fragments are left to the caller.
pub fn read_all(mut bytes: &[u8]) -> Result<Vec<RawFrame>, Fault> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (frame, rest) = read(bytes)?;
        frames.push(frame);
        bytes = rest;
    }
    Ok(frames)
}

/// The first frame of `bytes`, and what follows it.
///
/// # Errors
/// As [`read_all`].
pub fn read(bytes: &[u8]) -> Result<(RawFrame, &[u8]), Fault> {
    let ([first, second], rest) = split::<2>(bytes)?;
    let (len, rest) = match second & 0x7F {
        126 => {
            let (len, rest) = split::<2>(rest)?;
            (check_minimal(u16::from_be_bytes(*len).into(), 126)?, rest)
        }
        127 => {
            let (len, rest) = split::<8>(rest)?;
            (check_minimal(u64::from_be_bytes(*len), 65_536)?, rest)
        }
        len => (u64::from(len), rest),
    };
    let (key, rest) = if second & 0x80 == 0 {
        (None, rest)
    } else {
        let (key, rest) = split::<4>(rest)?;
        (Some(*key), rest)
    };
    let (fin, opcode) = (first & 0x80 != 0, first & 0x0F);
    if matches!(opcode, 3..=7 | 11..=15) {
        return Err(Fault::ReservedOpcode(opcode));
    }
    if opcode >= 8 && (!fin || len > 125) {
        return Err(Fault::ControlFrame);
    }
    let len = usize::try_from(len).map_err(|_| Fault::Length)?;
    let (payload, rest) = rest.split_at_checked(len).ok_or(Fault::Truncated)?;
    let payload = mask(payload, key).collect();
    Ok((RawFrame { fin, rsv: first >> 4 & 7, opcode, mask: key, length: Length::Minimal, payload }, rest))
}

/// Why bytes are no frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// They end inside a frame.
    Truncated,
    /// An opcode of §5.2 that is reserved.
    ReservedOpcode(u8),
    /// A length that is not in its shortest form, or 2^63 and above.
    Length,
    /// A control frame that is fragmented or longer than 125 bytes.
    ControlFrame,
    /// A frame of a client that is not masked, or one of a server that is.
    Mask,
    /// Reserved bits that no extension explains.
    ReservedBits(u8),
    /// A continuation without a start, or a new message inside another.
    Order,
    /// Text, or the reason of a Close frame, that is not UTF-8.
    Utf8,
    /// A Close frame of one byte, or with a code that must not be sent.
    CloseCode(Option<u16>),
    /// A frame behind the Close frame.
    BehindClose,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the bytes end inside a frame"),
            Self::ReservedOpcode(opcode) => write!(f, "opcode {opcode} is reserved"),
            Self::Length => f.write_str("a length is not minimal, or too large"),
            Self::ControlFrame => f.write_str("a control frame is fragmented or too long"),
            Self::Mask => f.write_str("a frame is not masked as the role must"),
            Self::ReservedBits(bits) => write!(f, "the reserved bits {bits} are set and mean nothing"),
            Self::Order => f.write_str("fragments are out of order"),
            Self::Utf8 => f.write_str("text is not UTF-8"),
            Self::CloseCode(Some(code)) => write!(f, "code {code} must not be sent"),
            Self::CloseCode(None) => f.write_str("a Close frame has one byte"),
            Self::BehindClose => f.write_str("a frame stands behind the Close frame"),
        }
    }
}

impl std::error::Error for Fault {}

/// §5.3: octet i is combined with octet i modulo 4 of the key.
fn mask(payload: &[u8], key: Option<[u8; 4]>) -> impl Iterator<Item = u8> {
    payload.iter().zip(key.unwrap_or_default().into_iter().cycle()).map(|(byte, key)| byte ^ key)
}

fn check_minimal(len: u64, least: u64) -> Result<u64, Fault> {
    if len < least || len >> 63 != 0 { Err(Fault::Length) } else { Ok(len) }
}

fn split<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), Fault> {
    bytes.split_first_chunk().ok_or(Fault::Truncated)
}

/// The key of §5.7.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_read_again() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536] {
            for frame in [
                RawFrame::binary(vec![7; len]),
                RawFrame::continuation(vec![8; len]).unfinished().rsv(5).masked(KEY),
            ] {
                assert_eq!(read_all(&frame.to_bytes()), Ok(vec![frame]));
            }
        }
    }

    #[test]
    fn the_reader_is_strict() {
        assert_eq!(read_all(&RawFrame::text("a").length(Length::Bits16).to_bytes()), Err(Fault::Length));
        assert_eq!(read_all(&RawFrame::text("a").length(Length::Bits64).to_bytes()), Err(Fault::Length));
        assert_eq!(read_all(&RawFrame::new(3, "").to_bytes()), Err(Fault::ReservedOpcode(3)));
        assert_eq!(read_all(&RawFrame::ping("").unfinished().to_bytes()), Err(Fault::ControlFrame));
        assert_eq!(read_all(&RawFrame::ping([0; 126]).to_bytes()), Err(Fault::ControlFrame));
        assert_eq!(read_all(&[0x81, 2, b'a']), Err(Fault::Truncated));
        assert_eq!(
            read_all(&RawFrame::text("").length(Length::Declared(1 << 62)).to_bytes()),
            Err(Fault::Truncated)
        );
    }
}
