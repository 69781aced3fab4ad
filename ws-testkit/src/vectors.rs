//! The examples of the standards, as bytes.

/// The key of a client's opening handshake and the value that accepts it (RFC 6455 §1.3).
pub const ACCEPT_KEY: (&str, &str) = ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");

/// Frames of RFC 6455 §5.7, by what they are: the bytes on the wire, and the payload unmasked. The two large ones of the section are
/// [`binary_256`] and [`binary_64k`].
pub mod frames {
    /// "A single-frame unmasked text message".
    pub const TEXT: &[u8] = &[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    /// "A single-frame masked text message".
    pub const TEXT_MASKED: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    /// "A fragmented unmasked text message", both frames.
    pub const TEXT_FRAGMENTED: &[u8] = &[0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f];
    /// "Unmasked Ping request".
    pub const PING: &[u8] = &[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    /// "masked Ping response".
    pub const PONG_MASKED: &[u8] = &[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    /// The payload of all of them.
    pub const PAYLOAD: &str = "Hello";
    /// The head of "256 bytes binary message in a single unmasked frame".
    pub const BINARY_256_HEAD: &[u8] = &[0x82, 0x7E, 0x01, 0x00];
    /// The head of "64KiB binary message in a single unmasked frame".
    pub const BINARY_64K_HEAD: &[u8] = &[0x82, 0x7F, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00];
}

/// "256 bytes binary message in a single unmasked frame" (RFC 6455 §5.7).
#[must_use]
pub fn binary_256() -> Vec<u8> {
    [frames::BINARY_256_HEAD, &[0x5A; 256]].concat()
}

/// "64KiB binary message in a single unmasked frame" (RFC 6455 §5.7).
#[must_use]
pub fn binary_64k() -> Vec<u8> {
    [frames::BINARY_64K_HEAD, &[0xA5; 65_536]].concat()
}

/// Compressed messages of RFC 7692 §7.2.3, all of them the text `Hello` ([`frames::PAYLOAD`]).
pub mod compressed {
    /// §7.2.3.1: one frame, "using 1 block of fixed Huffman codes".
    pub const ONE_FRAME: &[u8] = &[0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    /// §7.2.3.1: the same in two fragments.
    pub const TWO_FRAGMENTS: &[u8] = &[0x41, 0x03, 0xf2, 0x48, 0xcd, 0x80, 0x04, 0xc9, 0xc9, 0x07, 0x00];
    /// §7.2.3.2: the same message for the second time, where the window was carried over.
    pub const SECOND_WITH_TAKEOVER: &[u8] = &[0xc1, 0x05, 0xf2, 0x00, 0x11, 0x00, 0x00];
    /// §7.2.3.3: "a DEFLATE block with no compression".
    pub const STORED: &[u8] = &[0xc1, 0x0b, 0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
    /// §7.2.3.4: a block "with BFINAL set to 1".
    pub const BFINAL: &[u8] = &[0xc1, 0x08, 0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    /// §7.2.3.5: "two DEFLATE blocks" in one message.
    pub const TWO_BLOCKS: &[u8] =
        &[0xc1, 0x0d, 0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
    /// §7.2.3.6: an empty message as one frame with the payload 0x00.
    pub const EMPTY: &[u8] = &[0xc1, 0x01, 0x00];
}

/// Text that is UTF-8: the edges of RFC 3629 §3 and §4, the first and last character of each length and beside the surrogates.
pub const UTF8_VALID: &[&[u8]] = &[
    b"",
    b"\x00",
    b"\x7F",
    b"\xC2\x80",
    b"\xDF\xBF",
    b"\xE0\xA0\x80",
    b"\xEC\xBF\xBF",
    b"\xED\x9F\xBF",
    b"\xEE\x80\x80",
    b"\xEF\xBB\xBF",
    b"\xEF\xBF\xBD",
    b"\xEF\xBF\xBE",
    b"\xEF\xBF\xBF",
    b"\xF0\x90\x80\x80",
    b"\xF3\xBF\xBF\xBF",
    b"\xF4\x80\x80\x80",
    b"\xF4\x8F\xBF\xBF",
    "Hello-µ@ßöäüàá-UTF-8!!".as_bytes(),
    "κόσμε".as_bytes(),
    "水\u{1F600}z".as_bytes(),
];

/// Text that is not UTF-8, each with the number of bytes after which nothing could mend it; `None` where only the end of the message
/// tells (it ends inside a character). RFC 3629 §3 and §4.
pub const UTF8_INVALID: &[(&[u8], Option<usize>)] = &[
    // Continuation bytes and impossible bytes.
    (b"\x80", Some(1)),
    (b"\xBF", Some(1)),
    (b"abc\xFE", Some(4)),
    (b"abc\xFF", Some(4)),
    // Overlong forms: the first byte, or the second, gives them away.
    (b"\xC0\x80", Some(1)),
    (b"\xC1\xBF", Some(1)),
    (b"\xE0\x80\x80", Some(2)),
    (b"\xE0\x9F\xBF", Some(2)),
    (b"\xF0\x80\x80\x80", Some(2)),
    (b"\xF0\x8F\xBF\xBF", Some(2)),
    // Surrogates.
    (b"\xED\xA0\x80", Some(2)),
    (b"\xED\xBF\xBF", Some(2)),
    (b"\xED\xA0\x80\xED\xB0\x80", Some(2)),
    // Above U+10FFFF.
    (b"\xF4\x90\x80\x80", Some(2)),
    (b"\xF5\x80\x80\x80", Some(1)),
    (b"\xF7\xBF\xBF\xBF", Some(1)),
    (b"\xF8\x88\x80\x80\x80", Some(1)),
    // A character that another begins inside.
    (b"\xC2a", Some(2)),
    (b"\xE2\x82a", Some(3)),
    (b"\xF0\x90\x80a", Some(4)),
    (b"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80edited", Some(13)),
    // The end inside a character.
    (b"\xC2", None),
    (b"\xE2\x82", None),
    (b"a\xF0\x90", None),
    (b"\xF4\x8F\xBF", None),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_utf8_are_what_they_say() {
        assert!(UTF8_VALID.iter().all(|text| std::str::from_utf8(text).is_ok()));
        for (text, hopeless) in UTF8_INVALID {
            let hopeless_at = (0..=text.len()).find(|n| match std::str::from_utf8(&text[..*n]) {
                Ok(_) => false,
                Err(error) => error.error_len().is_some(),
            });
            assert!(std::str::from_utf8(text).is_err());
            assert_eq!(hopeless_at, *hopeless, "{text:02X?}");
        }
    }
}
