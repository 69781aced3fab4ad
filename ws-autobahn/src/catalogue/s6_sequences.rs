//! Section 6, parts 5 to 23: sequences of bytes that are UTF-8 and that are not ([RFC 3629]).
//!
//! [RFC 3629]: https://www.rfc-editor.org/rfc/rfc3629

use crate::case::{Case, CaseId, ExpectedClose, Received, Step};
use crate::wire_log::hex;
use std::time::Duration;

pub(super) fn cases() -> Vec<Case> {
    let numbered = (5..).zip(parts());
    numbered
        .flat_map(|(part, (_, sequences))| {
            (1..).zip(sequences).map(move |(number, bytes)| case(part, number, bytes))
        })
        .collect()
}

pub(super) fn part_name(part: u16) -> &'static str {
    let index = usize::from(part.saturating_sub(5));
    parts().get(index).map_or("", |(name, _)| name)
}

fn case(part: u16, number: u16, bytes: Vec<u8>) -> Case {
    let id = CaseId::three(6, part, number);
    let shown = hex(&bytes);
    let valid = std::str::from_utf8(&bytes).is_ok();
    let message = Step::Message { payload: bytes.clone().into(), binary: false, fragment: None };
    let case = Case::steps(id, [message, Step::FailAfter(Duration::from_millis(500))]);
    if valid {
        case.ok([Received::text(bytes)]).text(
            format!("Sends a text message that is UTF-8: {shown}"),
            "The message comes back. The connection closes cleanly with 1000.",
        )
    } else {
        case.ok([]).close(ExpectedClose::by_endpoint(1007).fatal()).text(
            format!("Sends a text message that is not UTF-8: {shown}"),
            "The connection is failed at once, with 1007 or without a closing handshake.",
        )
    }
}

const GREEK: &[u8] = "κ\u{1F79}σμε".as_bytes();

fn parts() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let list = |sequences: &[&[u8]]| sequences.iter().map(|bytes| bytes.to_vec()).collect::<Vec<_>>();
    vec![
        (
            "Text with characters of one to four bytes",
            list(&[
                b"hello$world",
                "hello¢world".as_bytes(),
                "hello€world".as_bytes(),
                "hello\u{24B62}world".as_bytes(),
                GREEK,
            ]),
        ),
        (
            "All beginnings of a text",
            (1..=GREEK.len()).map(|len| GREEK.get(..len).unwrap_or_default().to_vec()).collect(),
        ),
        (
            "The first character of each length",
            list(&[b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"]),
        ),
        (
            "The first number of five and of six bytes",
            list(&[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"]),
        ),
        (
            "The last character of each length",
            list(&[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"]),
        ),
        (
            "The last number of four, five and six bytes",
            list(&[b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"]),
        ),
        (
            "Around the surrogates and the end of Unicode",
            list(&[
                b"\xed\x9f\xbf",
                b"\xee\x80\x80",
                b"\xef\xbf\xbd",
                b"\xf4\x8f\xbf\xbf",
                b"\xf4\x90\x80\x80",
            ]),
        ),
        ("Continuation bytes that continue nothing", continuations()),
        (
            "First bytes that nothing continues",
            [0xC0..=0xDE, 0xE0..=0xEE, 0xF0..=0xF6, 0xF8..=0xFA, 0xFC..=0xFC]
                .map(|bytes| bytes.flat_map(|byte| [byte, b' ']).collect())
                .to_vec(),
        ),
        ("Sequences without their last byte", unfinished().to_vec()),
        ("All of these one after the other", vec![unfinished().concat()]),
        ("Bytes that never occur", list(&[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"])),
        (
            "A slash in more bytes than needed",
            list(&[
                b"\xc0\xaf",
                b"\xe0\x80\xaf",
                b"\xf0\x80\x80\xaf",
                b"\xf8\x80\x80\x80\xaf",
                b"\xfc\x80\x80\x80\x80\xaf",
            ]),
        ),
        (
            "The largest numbers in more bytes than needed",
            list(&[
                b"\xc1\xbf",
                b"\xe0\x9f\xbf",
                b"\xf0\x8f\xbf\xbf",
                b"\xf8\x87\xbf\xbf\xbf",
                b"\xfc\x83\xbf\xbf\xbf\xbf",
            ]),
        ),
        (
            "Zero in more bytes than needed",
            list(&[
                b"\xc0\x80",
                b"\xe0\x80\x80",
                b"\xf0\x80\x80\x80",
                b"\xf8\x80\x80\x80\x80",
                b"\xfc\x80\x80\x80\x80\x80",
            ]),
        ),
        (
            "Single surrogates",
            [0xD800, 0xDB7F, 0xDB80, 0xDBFF, 0xDC00, 0xDF80, 0xDFFF]
                .map(three_bytes)
                .map(|bytes| bytes.to_vec())
                .to_vec(),
        ),
        (
            "Pairs of surrogates",
            [0xD800, 0xDB7F, 0xDB80, 0xDBFF]
                .into_iter()
                .flat_map(|high| [0xDC00, 0xDFFF].map(|low| [three_bytes(high), three_bytes(low)].concat()))
                .collect(),
        ),
        ("Numbers that are no characters, but valid", noncharacters()),
        ("Special characters", (0xFFF9..=0xFFFF).map(|number| three_bytes(number).to_vec()).collect()),
    ]
}

/// A number in three bytes, also where it is a surrogate.
fn three_bytes(number: u16) -> [u8; 3] {
    let [high, low] = number.to_be_bytes();
    [0xE0 | high >> 4, 0x80 | (high & 0x0F) << 2 | low >> 6, 0x80 | low & 0x3F]
}

fn continuations() -> Vec<Vec<u8>> {
    let alternating = |len: usize| [0x80, 0xBF].into_iter().cycle().take(len).collect::<Vec<u8>>();
    let mut sequences = vec![vec![0x80], vec![0xBF]];
    sequences.extend((2..=6).map(alternating));
    sequences.push((0x80..=0xBE).collect());
    sequences
}

fn unfinished() -> [Vec<u8>; 10] {
    [
        b"\xc0".to_vec(),
        b"\xe0\x80".to_vec(),
        b"\xf0\x80\x80".to_vec(),
        b"\xf8\x80\x80\x80".to_vec(),
        b"\xfc\x80\x80\x80\x80".to_vec(),
        b"\xdf".to_vec(),
        b"\xef\xbf".to_vec(),
        b"\xf7\xbf\xbf".to_vec(),
        b"\xfb\xbf\xbf\xbf".to_vec(),
        b"\xfd\xbf\xbf\xbf\xbf".to_vec(),
    ]
}

/// U+FFFE and U+FFFF, and the last two of each plane behind the first.
fn noncharacters() -> Vec<Vec<u8>> {
    let planes = (0..=16).flat_map(|plane: u32| [plane << 16 | 0xFFFE, plane << 16 | 0xFFFF]);
    planes.filter_map(char::from_u32).map(|character| character.to_string().into_bytes()).collect()
}
