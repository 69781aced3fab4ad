//! Payloads that look like chance and are the same in each run.

use super::plan::Kind;
use ws_proto::Message;

/// A message of `kind` that is `bytes` long.
pub(super) fn message(kind: Kind, bytes: usize, seed: u64) -> Message {
    let mut chance = Chance(seed);
    match kind {
        Kind::Noise => Message::binary((0..bytes).map(|_| chance.byte()).collect::<Vec<_>>()),
        Kind::Text => Message::text(text(bytes, &mut chance)),
        Kind::Binary => Message::binary(text(bytes, &mut chance).into_bytes()),
    }
}

/// Words, some of them beyond ASCII, filled up with full stops where the next word is too long.
fn text(bytes: usize, chance: &mut Chance) -> String {
    let mut text = String::with_capacity(bytes);
    while let Some(word) = WORDS.get(usize::from(chance.byte()) % WORDS.len()) {
        if text.len() + word.len() > bytes {
            break;
        }
        text.push_str(word);
    }
    text.extend(std::iter::repeat_n('.', bytes - text.len()));
    text
}

const WORDS: [&str; 9] =
    ["frame ", "mask ", "opcode ", "Grüße ", "世界 ", "payload ", "😀 ", "fin ", "window "];

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)).to_le_bytes()[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_as_long_as_was_asked_and_the_same_each_time() {
        for kind in [Kind::Text, Kind::Binary, Kind::Noise] {
            for bytes in [0, 1, 125, 126, 70_000] {
                let made = message(kind, bytes, 7);
                assert_eq!(made.len(), bytes);
                assert_eq!(made.is_text(), kind == Kind::Text);
                assert_eq!(made, message(kind, bytes, 7));
            }
        }
        assert_ne!(message(Kind::Text, 70_000, 7), message(Kind::Text, 70_000, 8));
    }
}
