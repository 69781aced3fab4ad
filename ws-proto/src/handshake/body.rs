//! The body of a response that refuses ([RFC 9112 §6.3]): its beginning, for those who want to know why.
//!
//! [RFC 9112 §6.3]: https://www.rfc-editor.org/rfc/rfc9112#section-6.3

use super::list::elements;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Response, StatusCode};

/// Collects the first [`MAX_BODY_BYTES`] of a body.
#[derive(Debug)]
pub(super) struct BodyReader {
    framing: Framing,
    body: BytesMut,
}

/// What the next bytes are.
#[derive(Debug)]
enum Framing {
    /// The body, up to the end of the stream.
    Endless,
    /// So many bytes of the body; then it is whole.
    Sized(u64),
    /// The line before a chunk, as far as it is here.
    ChunkLine(Vec<u8>),
    /// So many bytes of a chunk.
    Chunk(u64),
    /// The end of the line behind a chunk.
    ChunkEnd,
    /// None of the body: it is whole, or broken.
    Done,
}

impl BodyReader {
    pub(super) fn new(response: &Response<()>) -> Self {
        let framing = if matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            Framing::Done
        } else if response.headers().contains_key(TRANSFER_ENCODING) {
            // Of another encoding we only know where it ends.
            let encodings = response.headers().get_all(TRANSFER_ENCODING);
            match elements(&encodings).last() {
                Some(last) if last.eq_ignore_ascii_case(b"chunked") => Framing::ChunkLine(Vec::new()),
                _ => Framing::Endless,
            }
        } else if let Some(len) = response.headers().get(CONTENT_LENGTH) {
            // What is no length says nothing about the body.
            len.to_str().ok().and_then(|len| len.parse().ok()).map_or(Framing::Endless, Framing::Sized)
        } else {
            Framing::Endless
        };
        Self { framing, body: BytesMut::new() }
    }

    /// Takes bytes off `input`. True when it wants no more: the body is whole, broken, or longer than is kept.
    pub(super) fn read(&mut self, input: &mut &[u8]) -> bool {
        loop {
            let room = MAX_BODY_BYTES - self.body.len();
            if room == 0 {
                self.framing = Framing::Done;
            }
            match &mut self.framing {
                Framing::Done | Framing::Sized(0) => return true,
                Framing::Chunk(0) => self.framing = Framing::ChunkEnd,
                _ if input.is_empty() => return false,
                Framing::Endless => self.body.extend_from_slice(take(input, room)),
                Framing::Sized(left) | Framing::Chunk(left) => {
                    let most = usize::try_from(*left).unwrap_or(usize::MAX).min(room);
                    let part = take(input, most);
                    *left -= part.len() as u64;
                    self.body.extend_from_slice(part);
                }
                Framing::ChunkEnd => match take(input, 1) {
                    b"\r" => {}
                    b"\n" => self.framing = Framing::ChunkLine(Vec::new()),
                    _ => self.framing = Framing::Done,
                },
                Framing::ChunkLine(line) => match take(input, 1) {
                    b"\n" => {
                        // The last chunk has no bytes; behind it are only trailers.
                        let len = chunk_len(line).filter(|&len| len > 0);
                        self.framing = len.map_or(Framing::Done, Framing::Chunk);
                    }
                    _ if line.len() == MAX_CHUNK_LINE_BYTES => self.framing = Framing::Done,
                    byte => line.extend_from_slice(byte),
                },
            }
        }
    }

    pub(super) fn finish(self) -> Bytes {
        self.body.freeze()
    }
}

/// At most so many bytes off the front.
fn take<'a>(input: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (front, rest) = input.split_at(input.len().min(most));
    *input = rest;
    front
}

/// The number before the extensions of a chunk (RFC 9112 §7.1).
fn chunk_len(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| b"; \t\r".contains(byte)).next()?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Enough for a page that says what is wrong.
pub(super) const MAX_BODY_BYTES: usize = 16 << 10;
const MAX_CHUNK_LINE_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;

    /// What is read of a body, whether it is whole, and what is left; however the input is cut.
    fn read(status: u16, headers: &[(HeaderName, &str)], input: &[u8]) -> (Vec<u8>, bool, usize) {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            response.headers_mut().append(name, value.parse().unwrap());
        }
        let results = [1, 7, usize::MAX].map(|size| {
            let mut reader = BodyReader::new(&response);
            let (mut rest, mut whole) = (input, false);
            while !whole && !rest.is_empty() {
                let (mut piece, behind) = rest.split_at(rest.len().min(size));
                let len = piece.len();
                whole = reader.read(&mut piece);
                assert!(whole || piece.is_empty());
                rest = &rest[len - piece.len()..];
                assert!(rest.len() >= behind.len());
            }
            (reader.finish().to_vec(), whole, rest.len())
        });
        assert!(results[0] == results[1] && results[0] == results[2], "{results:?}");
        let [result, ..] = results;
        result
    }

    #[test]
    fn a_body_has_a_length_or_chunks_or_ends_with_the_stream() {
        let length = [(CONTENT_LENGTH, "5")];
        assert_eq!(read(403, &length, b"hello, world"), (b"hello".to_vec(), true, 7));
        assert_eq!(read(403, &length, b"hell"), (b"hell".to_vec(), false, 0));
        assert_eq!(read(403, &[], b"hello"), (b"hello".to_vec(), false, 0));
        assert_eq!(read(403, &[(CONTENT_LENGTH, "-1")], b"hello"), (b"hello".to_vec(), false, 0));
        assert_eq!(read(204, &[], b"hello"), (b"".to_vec(), true, 5));
        assert_eq!(read(403, &[(TRANSFER_ENCODING, "gzip")], b"hello"), (b"hello".to_vec(), false, 0));
        let chunked = [(TRANSFER_ENCODING, "Chunked"), (CONTENT_LENGTH, "1")];
        let input = b"5\r\nhello\r\n1;a=b\r\n \r\n00A \r\n0123456789\r\n0\r\n\r\nnext";
        assert_eq!(read(403, &chunked, input), (b"hello 0123456789".to_vec(), true, 6));
    }

    #[test]
    fn what_is_broken_ends_the_body_and_what_is_long_is_cut() {
        let chunked = [(TRANSFER_ENCODING, "chunked")];
        for input in
            [&b"x\r\nhello"[..], b"2\r\nhello", b"\r\nhello", b"+5\r\nhello", b"11111111111111111\r\nh"]
        {
            let (body, whole, _) = read(403, &chunked, input);
            assert!(whole && body.len() <= 2, "{body:?}");
        }
        let long = vec![b'a'; MAX_BODY_BYTES + 1];
        let (line, whole, left) = read(403, &chunked, &long);
        assert!(line.is_empty() && whole && left > MAX_BODY_BYTES - 512);
        for headers in [&[][..], &[(CONTENT_LENGTH, "18446744073709551615")]] {
            assert_eq!(read(403, headers, &long), (vec![b'a'; MAX_BODY_BYTES], true, 1));
        }
        let chunk = [b"ffffffffffffffff\r\n", &long[..]].concat();
        assert_eq!(read(403, &chunked, &chunk), (vec![b'a'; MAX_BODY_BYTES], true, 1));
    }
}
