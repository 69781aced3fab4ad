//! Section 6, parts 1 to 4: text, how it is cut, and how soon a fault in it is found ([RFC 6455 §5.6, §8.1]).
//!
//! [RFC 6455 §5.6, §8.1]: https://www.rfc-editor.org/rfc/rfc6455#section-8.1

use super::secs;
use crate::case::{Case, CaseId, ExpectedClose, Frame, Received, Step};
use bytes::Bytes;

const MIDDLE: &str = "middle frame payload";
const LATIN: &str = "Hello-µ@ßöäüàá-UTF-8!!";
const LATIN_FRONT: &str = "Hello-µ@ßöä";
const LATIN_BACK: &str = "üàá-UTF-8!!";
const GREEK: &str = "κ\u{1F79}σμε";
/// A surrogate between valid text: wrong at its second byte.
const SURROGATE: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited";
/// A number beyond Unicode between valid text: wrong at the second byte of the number.
const BEYOND: &[u8; 21] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80edited";

pub(super) fn cases() -> Vec<Case> {
    let text = |id, steps: Vec<Step>, message: &'static str, description: &str| {
        Case::steps(id, steps.into_iter().chain([Step::CloseAfter(secs(1))]))
            .ok([Received::text(message)])
            .text(description, "The message comes back. The connection closes cleanly with 1000.")
    };
    let id = CaseId::three;
    let open = |payload: &'static str| Frame::new(1, payload).unfinished().into();
    let more = |payload: &'static str| Frame::new(0, payload).unfinished().into();
    let last = |payload: &'static str| Frame::new(0, payload).into();
    let message =
        |payload: &'static str, fragment| Step::Message { payload: payload.into(), binary: false, fragment };
    vec![
        text(id(6, 1, 1), vec![Frame::new(1, "").into()], "", "Sends a text message without payload."),
        text(
            id(6, 1, 2),
            vec![open(""), more(""), last("")],
            "",
            "Sends a text message in three fragments, all of them empty.",
        ),
        text(
            id(6, 1, 3),
            vec![open(""), more(MIDDLE), last("")],
            MIDDLE,
            "Sends a text message in three fragments, the first and the last of them empty.",
        ),
        text(
            id(6, 2, 1),
            vec![message(LATIN, None)],
            LATIN,
            "Sends a text message with characters of two bytes.",
        ),
        text(
            id(6, 2, 2),
            vec![open(LATIN_FRONT), last(LATIN_BACK)],
            LATIN,
            "Sends a text message in two fragments, cut between two characters.",
        ),
        text(
            id(6, 2, 3),
            vec![message(LATIN, Some(1))],
            LATIN,
            "Sends a text message in fragments of one byte, so that characters are cut.",
        ),
        text(
            id(6, 2, 4),
            vec![message(GREEK, Some(1))],
            GREEK,
            "Sends a text message with characters of two and three bytes in fragments of one byte.",
        ),
        invalid(1, None),
        invalid(2, Some(1)),
        early(1, 11, 15, Cut::Frames),
        early(2, 12, 13, Cut::Frames),
        early(3, 11, 15, Cut::Writes),
        early(4, 12, 13, Cut::Writes),
    ]
}

fn invalid(number: u16, fragment: Option<usize>) -> Case {
    let message = Step::Message { payload: SURROGATE.into(), binary: false, fragment };
    let how = if fragment.is_some() { "fragments of one byte" } else { "one frame" };
    Case::steps(CaseId::three(6, 3, number), [message, Step::FailAfter(secs(1))])
        .ok([])
        .close(ExpectedClose::by_endpoint(1007).fatal())
        .text(
            format!("Sends a text message that is not UTF-8, because it holds a surrogate, in {how}."),
            "The connection is failed at once, with 1007 or without a closing handshake.",
        )
}

/// What the message is cut into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Frames,
    Writes,
}

/// Waits before and after the piece that makes the text invalid.
fn early(number: u16, first: usize, second: usize, cut: Cut) -> Case {
    let piece = |range: std::ops::Range<usize>| Bytes::from_static(BEYOND.get(range).unwrap_or_default());
    let pieces = [piece(0..first), piece(first..second), piece(second..BEYOND.len())];
    let [a, b, c] = pieces;
    let wait = |tag| Step::Later(secs(1), Some(tag));
    let mut steps = match cut {
        Cut::Frames => vec![
            Frame::new(1, a).unfinished().into(),
            wait("A"),
            Frame::new(0, b).unfinished().into(),
            wait("B"),
            Frame::new(0, c).into(),
        ],
        Cut::Writes => {
            vec![
                Step::Head { len: BEYOND.len() },
                Step::Data(a),
                wait("A"),
                Step::Data(b),
                wait("B"),
                Step::Data(c),
                Step::End,
            ]
        }
    };
    steps.push(Step::FailAfter(secs(1)));
    let piece = if cut == Cut::Frames { "fragment" } else { "part of one frame" };
    let ends = if second == 13 { ", which ends with the first byte that cannot be right" } else { "" };
    Case::steps(CaseId::three(6, 4, number), steps)
        .ok([Received::Timeout("A")])
        .non_strict([Received::Timeout("A"), Received::Timeout("B")])
        .close(ExpectedClose::by_endpoint(1007).fatal())
        .text(
            format!(
                "Sends a valid {piece} of a text message, waits a second, sends the {piece} that makes the text invalid{ends}, waits a second, sends the rest."
            ),
            "Nothing happens in the first wait. In the second the connection is failed, with 1007 or without a closing handshake; \
             to fail it only when the message has ended is allowed, but not strict.",
        )
}
