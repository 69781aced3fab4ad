//! Generators for [proptest](https://docs.rs/proptest): payloads, messages, frames, conversations and splits.

use crate::Chunks;
use crate::raw::{Length, RawFrame};
use proptest::prelude::*;
use proptest::{collection, option, sample};
use ws_proto::{Message, Role};

/// Bytes of up to `most`: random ones, runs that compress well, and the lengths around 125 and 126.
pub fn payload(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        collection::vec(any::<u8>(), 0..=most),
        collection::vec(0..3u8, 0..=most),
        (any::<u8>(), sample::select(&[0, 1, 2, 124, 125, 126, 127, 128][..]))
            .prop_map(move |(byte, len)| vec![byte; len.min(most)]),
    ]
}

/// Text of up to `most` characters, with characters of every length.
pub fn text(most: usize) -> impl Strategy<Value = String> {
    let character =
        prop_oneof![any::<char>(), sample::select(&['a', 'é', '水', '\u{1F600}', '\u{FFFF}', '\0'][..])];
    collection::vec(character, 0..=most).prop_map(String::from_iter)
}

/// Text that may have a byte that is wrong, or may end inside a character.
pub fn nearly_text(most: usize) -> impl Strategy<Value = Vec<u8>> {
    (text(most), option::weighted(0.5, (any::<sample::Index>(), any::<u8>())), 0..4usize).prop_map(
        |(text, wrong, cut)| {
            let mut bytes = text.into_bytes();
            if let Some((index, byte)) = wrong
                && !bytes.is_empty()
            {
                let index = index.index(bytes.len());
                bytes.splice(index..=index, [byte]);
            }
            bytes.truncate(bytes.len().saturating_sub(cut));
            bytes
        },
    )
}

/// A message of up to `most` bytes, or characters.
pub fn message(most: usize) -> impl Strategy<Value = Message> {
    prop_oneof![text(most).prop_map(Message::from), payload(most).prop_map(Message::from)]
}

/// Ways to cut bytes into pieces: whole, byte by byte, and sizes of up to `most` in any order.
pub fn chunks(most: usize) -> impl Strategy<Value = Chunks> {
    prop_oneof![
        1 => Just(Chunks::whole()),
        2 => Just(Chunks::of(1)),
        7 => collection::vec(1..=most.max(1), 1..12).prop_map(Chunks::cycle),
    ]
}

/// `payload` cut into fragments of these sizes: frames of one message, the first with `opcode`. The last size holds for all that is left.
#[must_use]
pub fn fragmented(opcode: u8, payload: &[u8], sizes: &[usize]) -> Vec<RawFrame> {
    let mut rest = payload;
    let mut frames = Vec::new();
    for size in sizes {
        let (front, back) = rest.split_at((*size).min(rest.len()));
        rest = back;
        let opcode = if frames.is_empty() { opcode } else { 0 };
        frames.push(RawFrame::new(opcode, front).unfinished());
    }
    let opcode = if frames.is_empty() { opcode } else { 0 };
    frames.push(RawFrame::new(opcode, rest));
    frames
}

/// A control frame that may stand anywhere: a ping or a pong.
pub fn ping_or_pong() -> impl Strategy<Value = RawFrame> {
    (any::<bool>(), payload(125))
        .prop_map(|(ping, payload)| if ping { RawFrame::ping(payload) } else { RawFrame::pong(payload) })
}

/// The frames of one message, fragmented at will with pings and pongs in between; text may be wrong.
pub fn fragmented_message(most: usize) -> impl Strategy<Value = Vec<RawFrame>> {
    let body = prop_oneof![
        text(most).prop_map(|text| (1, text.into_bytes())),
        nearly_text(most).prop_map(|text| (1, text)),
        payload(most).prop_map(|bytes| (2, bytes)),
    ];
    let controls = collection::vec(option::weighted(0.3, ping_or_pong()), 8);
    (body, collection::vec(0..=most, 0..6), controls).prop_map(|((opcode, payload), sizes, controls)| {
        let mut controls = controls.into_iter();
        fragmented(opcode, &payload, &sizes)
            .into_iter()
            .flat_map(|frame| controls.next().flatten().into_iter().chain([frame]))
            .collect()
    })
}

/// A Close frame: mostly legal, else of any code, one byte, or any reason.
pub fn close() -> impl Strategy<Value = RawFrame> {
    prop_oneof![
        Just(RawFrame::close_empty()),
        (sample::select(&[1000, 1001, 1002, 1011, 3000, 4999][..]), text(20))
            .prop_map(|(code, text)| RawFrame::close(code, text)),
        (any::<u16>(), payload(123)).prop_map(|(code, reason)| RawFrame::close(code, reason)),
        any::<u8>().prop_map(|byte| RawFrame::new(8, [byte])),
    ]
}

/// A frame that may break any rule. One that declares more than it holds makes what follows it its payload.
pub fn hostile_frame(most: usize) -> impl Strategy<Value = RawFrame> {
    let length = prop_oneof![
        12 => Just(Length::Minimal),
        1 => Just(Length::Bits16),
        1 => Just(Length::Bits64),
        1 => prop_oneof![0..300u64, 65_000..70_000u64, any::<u64>()].prop_map(Length::Declared),
    ];
    let opcode = prop_oneof![4 => 0..3u8, 1 => 8..11u8, 1 => 0..16u8];
    let rsv = prop_oneof![8 => Just(0), 2 => Just(4), 1 => 0..8u8];
    (any::<bool>(), rsv, opcode, any::<Option<[u8; 4]>>(), length, payload(most)).prop_map(
        |(fin, rsv, opcode, mask, length, payload)| RawFrame {
            fin: fin || opcode > 7,
            rsv,
            opcode,
            mask,
            length,
            payload,
        },
    )
}

/// What a peer of the role `sender` may write: whole messages in fragments, pings and pongs, perhaps a Close frame, perhaps a frame that
/// breaks a rule, perhaps bytes that are no frame, perhaps an end in the middle.
pub fn conversation(sender: Role, most: usize) -> impl Strategy<Value = Vec<u8>> {
    let end = prop_oneof![
        4 => Just(Vec::new()),
        3 => close().prop_map(|frame| vec![frame]),
        3 => collection::vec(hostile_frame(most), 1..4),
    ];
    let key = any::<[u8; 4]>();
    let garbage = prop_oneof![3 => Just(Vec::new()), 1 => collection::vec(any::<u8>(), 0..40)];
    (
        collection::vec(fragmented_message(most), 0..4),
        end,
        key,
        garbage,
        option::weighted(0.2, any::<sample::Index>()),
    )
        .prop_map(move |(messages, end, key, garbage, cut)| {
            let legal =
                messages.into_iter().flatten().map(|frame| frame.masked(key).sent_by(sender).to_bytes());
            // Most hostile frames are at least masked right, so that their other faults are reached.
            let end = end
                .into_iter()
                .enumerate()
                .map(|(i, frame)| if i == 0 { frame.sent_by(sender).to_bytes() } else { frame.to_bytes() });
            let mut bytes: Vec<u8> = legal.chain(end).flatten().chain(garbage).collect();
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len() + 1));
            }
            bytes
        })
}
