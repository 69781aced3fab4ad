//! The parameters of permessage-deflate ([RFC 7692 §7.1]) as types that cannot hold an illegal value.
//!
//! [RFC 7692 §7.1]: https://www.rfc-editor.org/rfc/rfc7692#section-7.1

use std::fmt;

/// The size of an LZ77 sliding window, as the base-2 logarithm of its bytes: 8 (256 bytes) to 15 (32 KiB), RFC 7692
/// §7.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowBits(u8);

impl WindowBits {
    /// 8 bits, a window of 256 bytes.
    pub const MIN: Self = Self(8);
    /// 15 bits, a window of 32 KiB: what holds where nothing is said, and the default.
    pub const MAX: Self = Self(15);

    /// `None` outside of 8 to 15.
    #[must_use]
    pub const fn new(window_bits: u8) -> Option<Self> {
        match window_bits {
            8..=15 => Some(Self(window_bits)),
            _ => None,
        }
    }

    /// The number, 8 to 15.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Reads the value of a parameter: "a decimal integer value without leading zeroes between 8 to 15, inclusive"
    /// (§7.1.2.1).
    pub(super) const fn parse(value: &[u8]) -> Option<Self> {
        match value {
            [digit @ b'8'..=b'9'] => Some(Self(*digit - b'0')),
            [b'1', digit @ b'0'..=b'5'] => Some(Self(10 + *digit - b'0')),
            _ => None,
        }
    }
}

impl Default for WindowBits {
    fn default() -> Self {
        Self::MAX
    }
}

impl fmt::Display for WindowBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What both ends agreed on for permessage-deflate. The default is what an answer without any parameter means.
///
/// Of each pair of fields one binds what this end sends, the other what it must be able to receive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeflateParams {
    /// The server begins each message with an empty window (§7.1.1.1).
    pub server_no_context_takeover: bool,
    /// The client begins each message with an empty window (§7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The largest window that the server compresses with (§7.1.2.1). A server of ours never agrees to less than 9.
    pub server_max_window_bits: WindowBits,
    /// The largest window that the client compresses with (§7.1.2.2). Where it is 8 and we are the client, nothing is
    /// compressed: there is no compressor for so small a window, and sending uncompressed is always allowed (§6).
    pub client_max_window_bits: WindowBits,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_bits_go_from_8_to_15() {
        assert_eq!(WindowBits::new(7), None);
        assert_eq!(WindowBits::new(8), Some(WindowBits::MIN));
        assert_eq!(WindowBits::new(15), Some(WindowBits::MAX));
        assert_eq!(WindowBits::new(16), None);
    }

    #[test]
    fn window_bits_are_read_as_decimals_without_leading_zeros() {
        for bits in 0..=u8::MAX {
            let parsed = WindowBits::parse(bits.to_string().as_bytes());
            assert_eq!(parsed, WindowBits::new(bits));
        }
        for value in [
            "",
            "0",
            "08",
            "008",
            "8 ",
            " 8",
            "+8",
            "8.0",
            "0x8",
            "٨",
            "1５",
            "150",
            "256",
            "99999999999999999999",
        ] {
            assert_eq!(WindowBits::parse(value.as_bytes()), None, "{value:?}");
        }
    }
}
