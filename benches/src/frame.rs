//! Frames as bytes (RFC 6455 §5.2). The generator has its own, so that what it checks is not checked by itself.

/// A frame for a server: masked, always with the same key.
pub(crate) fn masked(opcode: u8, rsv1: bool, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(opcode, rsv1, 0x80, payload.len());
    frame.extend(KEY);
    frame.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// A frame from a server.
pub(crate) fn unmasked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(opcode, false, 0, payload.len());
    frame.extend(payload);
    frame
}

fn header(opcode: u8, rsv1: bool, mask: u8, len: usize) -> Vec<u8> {
    let mut header = vec![0x80 | u8::from(rsv1) << 6 | opcode];
    if let Ok(len @ 0..=125) = u8::try_from(len) {
        header.push(mask | len);
    } else if let Ok(len) = u16::try_from(len) {
        header.push(mask | 126);
        header.extend(len.to_be_bytes());
    } else {
        header.push(mask | 127);
        header.extend((len as u64).to_be_bytes());
    }
    header
}

/// A frame that was read: its first byte, and where in the input its payload stands.
#[derive(Clone, Copy, Debug)]
pub struct Parsed {
    /// FIN, the reserved bits and the opcode.
    pub first_byte: u8,
    /// Where the payload begins.
    pub start: usize,
    /// Where it ends, and with it the frame.
    pub end: usize,
}

/// The unmasked frame that `input` begins with; `None` while it is incomplete.
#[must_use]
pub fn parse(input: &[u8]) -> Option<Parsed> {
    let (len, start) = match *input.get(1)? {
        126 => (u64::from(u16::from_be_bytes(input.get(2..4)?.try_into().ok()?)), 4),
        127 => (u64::from_be_bytes(input.get(2..10)?.try_into().ok()?), 10),
        len => (u64::from(len), 2),
    };
    let end = start + usize::try_from(len).ok()?;
    (input.len() >= end).then_some(Parsed { first_byte: input[0], start, end })
}

/// Opcode of a text message.
pub(crate) const TEXT: u8 = 1;
/// Opcode of a binary message.
pub(crate) const BINARY: u8 = 2;
/// The example of RFC 6455 §5.7. One key for all is no secret from a server of ours.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hellos_of_section_5_7() {
        assert_eq!(
            masked(TEXT, false, b"Hello"),
            [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]
        );
        assert_eq!(unmasked(TEXT, b"Hello"), [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
    }

    #[test]
    fn a_frame_is_parsed_when_its_last_byte_is_there() {
        for len in [0, 125, 126, 65_535, 65_536] {
            let frame = unmasked(BINARY, &vec![7; len]);
            assert!(parse(&frame[..frame.len() - 1]).is_none());
            let parsed = parse(&frame).unwrap();
            assert_eq!((parsed.first_byte, parsed.end - parsed.start, parsed.end), (0x82, len, frame.len()));
        }
    }
}
