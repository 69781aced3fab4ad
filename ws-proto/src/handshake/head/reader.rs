//! Finds the end of a head, however its bytes are cut up. Each byte is looked at once.

use crate::handshake::HandshakeError;
use bytes::{Bytes, BytesMut};

/// Collects the bytes of one head after another, and fails at the first byte that cannot belong to one.
#[derive(Debug)]
pub(in crate::handshake) struct HeadReader {
    start: StartLine,
    max_bytes: usize,
    max_headers: usize,
    /// Bytes taken so far, which may never pass `max_bytes`; with earlier heads included, so that no row of interim
    /// responses is endless.
    taken: usize,
    /// What came of a head that did not arrive in one piece. Empty until then.
    buf: BytesMut,
    place: Place,
    /// Lines that ended, without empty ones: the start line and the headers.
    lines: usize,
}

/// What the first line is: the roles meet different faults in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::handshake) enum StartLine {
    /// A request: one empty line may come before it (RFC 9112 §2.2: "at least one"), and a long one is 414.
    Request,
    /// A response: nothing may come before it.
    Response,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// Before the first byte of all.
    Start,
    /// At the beginning of a line.
    LineStart,
    InLine,
    /// Behind the carriage return of a line.
    LineEnd,
    /// Behind the carriage return of an empty line before the start line.
    LeadingEnd,
    /// Behind the carriage return of the empty line that ends the head.
    HeadEnd,
}

impl HeadReader {
    pub(in crate::handshake) fn new(start: StartLine, max_bytes: usize, max_headers: usize) -> Self {
        Self { start, max_bytes, max_headers, taken: 0, buf: BytesMut::new(), place: Place::Start, lines: 0 }
    }

    /// Takes bytes off `input` up to the end of the head, and gives the head when it is whole. What comes behind it
    /// stays in `input`. Another head may follow.
    pub(in crate::handshake) fn read(&mut self, input: &mut &[u8]) -> Result<Option<Bytes>, HandshakeError> {
        let mut ended = false;
        let mut len = 0;
        while let Some(rest) = input.get(len..).filter(|rest| !ended && !rest.is_empty()) {
            let rest = rest.get(..self.max_bytes - self.taken).unwrap_or(rest);
            let Some((&byte, behind)) = rest.split_first() else { return Err(self.too_large()) };
            ended = self.step(byte)?;
            // Nearly all bytes: within a line a plain one changes nothing.
            let plain = if matches!(self.place, Place::InLine) {
                behind.iter().position(|&byte| !is_plain(byte)).unwrap_or(behind.len())
            } else {
                0
            };
            self.taken += 1 + plain;
            len += 1 + plain;
        }
        let (part, rest) = input.split_at_checked(len).unwrap_or_default();
        *input = rest;
        if !ended {
            self.buf.extend_from_slice(part);
            return Ok(None);
        }
        self.place = Place::Start;
        self.lines = 0;
        if self.buf.is_empty() {
            return Ok(Some(Bytes::copy_from_slice(part)));
        }
        self.buf.extend_from_slice(part);
        Ok(Some(std::mem::take(&mut self.buf).freeze()))
    }

    /// Did any byte arrive?
    pub(in crate::handshake) const fn has_begun(&self) -> bool {
        self.taken > 0
    }

    /// Goes on by one byte; true when it is the last of the head.
    fn step(&mut self, byte: u8) -> Result<bool, HandshakeError> {
        self.place = match (self.place, byte) {
            (Place::InLine, byte) if is_plain(byte) => Place::InLine,
            (Place::InLine, b'\r') => Place::LineEnd,
            (Place::LineEnd, b'\n') => {
                self.lines += 1;
                Place::LineStart
            }
            (Place::HeadEnd, b'\n') => return Ok(true),
            (Place::LeadingEnd, b'\n') => Place::LineStart,
            (Place::LineEnd | Place::LeadingEnd | Place::HeadEnd, _) => {
                return Err(HandshakeError::BareCarriageReturn);
            }
            (Place::Start, b'\r') if self.start == StartLine::Request => Place::LeadingEnd,
            (Place::LineStart, b'\r') if self.lines > 0 => Place::HeadEnd,
            (Place::LineStart, b' ' | b'\t') if self.lines > 0 => {
                return Err(HandshakeError::ObsoleteLineFolding);
            }
            (Place::Start | Place::LineStart, b'\r' | b' ' | b'\t') => return Err(self.malformed_start()),
            (Place::Start | Place::LineStart, b'!'..=b'~' | 0x80..) => {
                if self.lines > self.max_headers {
                    return Err(HandshakeError::TooManyHeaders { limit: self.max_headers });
                }
                Place::InLine
            }
            (Place::Start | Place::LineStart | Place::InLine, b'\n') => {
                return Err(HandshakeError::BareLineFeed);
            }
            (Place::Start | Place::LineStart, 0..=0x1f | 0x7f) | (Place::InLine, _) => {
                return Err(HandshakeError::ControlCharacter);
            }
        };
        Ok(false)
    }

    const fn malformed_start(&self) -> HandshakeError {
        match self.start {
            StartLine::Request => HandshakeError::MalformedRequestLine,
            StartLine::Response => HandshakeError::MalformedStatusLine,
        }
    }

    const fn too_large(&self) -> HandshakeError {
        match self.start {
            StartLine::Request if self.lines == 0 => HandshakeError::UriTooLong { limit: self.max_bytes },
            StartLine::Request | StartLine::Response => {
                HandshakeError::HeadTooLarge { limit: self.max_bytes }
            }
        }
    }
}

/// May the byte lie within a line?
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(start: StartLine) -> HeadReader {
        HeadReader::new(start, 64, 2)
    }

    /// A head, and what is left behind it.
    type HeadAndRest = (Vec<u8>, Vec<u8>);

    /// What is read, in one piece and byte by byte; both must be the same.
    fn read(start: StartLine, wire: &[u8]) -> Result<Option<HeadAndRest>, String> {
        let whole = {
            let mut input = wire;
            reader(start).read(&mut input).map(|head| head.map(|head| (head.to_vec(), input.to_vec())))
        };
        let mut bytes = reader(start);
        let mut single = Ok(None);
        for (at, byte) in wire.iter().enumerate() {
            single = bytes
                .read(&mut &[*byte][..])
                .map(|head| head.map(|head| (head.to_vec(), wire[at + 1..].to_vec())));
            if !matches!(single, Ok(None)) {
                break;
            }
        }
        let (whole, single) = (whole.map_err(|e| e.to_string()), single.map_err(|e| e.to_string()));
        assert_eq!(whole, single);
        whole
    }

    #[test]
    fn a_head_ends_at_the_empty_line_and_the_rest_stays() {
        for start in [StartLine::Request, StartLine::Response] {
            let (head, rest) = read(start, b"a\r\nb:c\r\n\r\nrest").unwrap().unwrap();
            assert_eq!((&head[..], &rest[..]), (&b"a\r\nb:c\r\n\r\n"[..], &b"rest"[..]));
            assert_eq!(read(start, b"a\r\nb:c\r\n\r"), Ok(None));
        }
    }

    #[test]
    fn one_empty_line_may_come_before_a_request_only() {
        assert!(read(StartLine::Request, b"\r\na\r\n\r\n").unwrap().is_some());
        let error = |start, wire| read(start, wire).unwrap_err();
        assert_eq!(error(StartLine::Request, b"\r\n\r\n"), HandshakeError::MalformedRequestLine.to_string());
        assert_eq!(
            error(StartLine::Response, b"\r\na\r\n\r\n"),
            HandshakeError::MalformedStatusLine.to_string()
        );
    }

    #[test]
    fn lines_end_in_crlf_and_hold_no_control_characters() {
        for (wire, error) in [
            (&b"a\n"[..], HandshakeError::BareLineFeed),
            (b"\n", HandshakeError::BareLineFeed),
            (b"a\r\n\n", HandshakeError::BareLineFeed),
            (b"a\rb", HandshakeError::BareCarriageReturn),
            (b"a\r\r\n", HandshakeError::BareCarriageReturn),
            (b"\r\r\n", HandshakeError::BareCarriageReturn),
            (b"a\r\n\rb", HandshakeError::BareCarriageReturn),
            (b"a\r\nb:\0", HandshakeError::ControlCharacter),
            (b"a\r\n\x7f", HandshakeError::ControlCharacter),
            (b"\x16\x03\x01", HandshakeError::ControlCharacter),
            (b"a\r\nb:c\r\n d", HandshakeError::ObsoleteLineFolding),
            (b"a\r\n\tb:c", HandshakeError::ObsoleteLineFolding),
            (b" a\r\n", HandshakeError::MalformedRequestLine),
        ] {
            assert_eq!(read(StartLine::Request, wire).unwrap_err(), error.to_string(), "{wire:?}");
        }
    }

    #[test]
    fn limits_are_inclusive() {
        let line = |len: usize| [&b"a".repeat(len - 4)[..], b"\r\n\r\n"].concat();
        assert!(read(StartLine::Request, &line(64)).unwrap().is_some());
        assert_eq!(
            read(StartLine::Request, &line(65)).unwrap_err(),
            HandshakeError::HeadTooLarge { limit: 64 }.to_string()
        );
        assert_eq!(
            read(StartLine::Request, &line(70)).unwrap_err(),
            HandshakeError::UriTooLong { limit: 64 }.to_string()
        );
        assert_eq!(
            read(StartLine::Response, &line(70)).unwrap_err(),
            HandshakeError::HeadTooLarge { limit: 64 }.to_string()
        );
        assert!(read(StartLine::Request, b"a\r\nb:\r\nc:\r\n\r\n").unwrap().is_some());
        let three = b"a\r\nb:\r\nc:\r\nd:\r\n\r\n";
        assert_eq!(
            read(StartLine::Request, three).unwrap_err(),
            HandshakeError::TooManyHeaders { limit: 2 }.to_string()
        );
    }

    #[test]
    fn heads_in_a_row_share_one_limit() {
        let mut reader = reader(StartLine::Response);
        let wire = b"a\r\n\r\n".repeat(13);
        let mut input = &wire[..];
        for _ in 0..12 {
            assert!(reader.read(&mut input).unwrap().is_some());
        }
        assert!(matches!(reader.read(&mut input), Err(HandshakeError::HeadTooLarge { limit: 64 })));
    }
}
