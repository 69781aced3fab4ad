//! What messages are about.

use crate::frame::{BINARY, TEXT};

/// What a message consists of. The same every time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Bytes without a pattern.
    Binary,
    /// Text with a letter of two or three bytes in every other place.
    NonAscii,
    /// A list of records, as an API answers.
    Json,
}

impl Payload {
    /// About `len` bytes of it: exactly for [`Binary`](Self::Binary) and [`NonAscii`](Self::NonAscii), whole records for [`Json`](Self::Json).
    #[must_use]
    pub fn bytes(self, len: usize) -> Vec<u8> {
        match self {
            Self::Binary => noise().take(len).collect(),
            Self::NonAscii => {
                let mut text: Vec<u8> = "Größe€ naïve Ωmega здраво 東京 ".bytes().cycle().take(len).collect();
                // Cut between letters, and fill up.
                let valid = std::str::from_utf8(&text).map_or_else(|error| error.valid_up_to(), str::len);
                text[valid..].fill(b' ');
                text
            }
            Self::Json => json(len),
        }
    }

    pub(crate) const fn opcode(self) -> u8 {
        match self {
            Self::Binary => BINARY,
            Self::NonAscii | Self::Json => TEXT,
        }
    }
}

fn json(len: usize) -> Vec<u8> {
    let mut random = noise();
    let mut digits =
        move |n: u32| (0..n).fold(0, |sum, _| sum * 10 + u32::from(random.next().unwrap_or_default() % 10));
    let mut text = String::from("[");
    while text.len() < len.saturating_sub(70) {
        let separator = if text.len() > 1 { "," } else { "" };
        let (id, user, price, size) = (digits(6), digits(3), digits(5), digits(2));
        text += &format!(
            r#"{separator}{{"id":{id},"user":"user{user}","price":{}.{:02},"size":{size},"side":"{}"}}"#,
            price / 100,
            price % 100,
            if id % 2 == 0 { "buy" } else { "sell" },
        );
    }
    text += "]";
    text.into_bytes()
}

/// A xorshift: what matters is that it does not compress and is the same for every server.
fn noise() -> impl Iterator<Item = u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    std::iter::from_fn(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Some(state.to_be_bytes()[0])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_utf_8_and_have_the_length_asked_for() {
        for len in 0..200 {
            assert_eq!(Payload::Binary.bytes(len).len(), len);
            let text = Payload::NonAscii.bytes(len);
            assert_eq!((text.len(), std::str::from_utf8(&text).is_ok()), (len, true));
        }
    }

    #[test]
    fn json_is_json_and_about_as_long_as_asked_for() {
        let text = Payload::Json.bytes(1024);
        assert!((900..1100).contains(&text.len()), "{}", text.len());
        let records: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert!(records.as_array().unwrap().len() > 10);
    }
}
