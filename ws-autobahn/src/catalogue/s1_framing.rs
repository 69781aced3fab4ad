//! Section 1: frames of all lengths ([RFC 6455 §5.2]).
//!
//! [RFC 6455 §5.2]: https://www.rfc-editor.org/rfc/rfc6455#section-5.2

use super::secs;
use crate::case::{Case, CaseId, Frame, Payload, Received, Step};

pub(super) fn cases() -> Vec<Case> {
    let text = (1..).zip(LENGTHS).map(|(number, length)| case(false, number, length));
    let binary = (1..).zip(LENGTHS).map(|(number, length)| case(true, number, length));
    text.chain(binary).collect()
}

/// Length of the payload, and of the writes.
const LENGTHS: [(usize, Option<usize>); 8] = [
    (0, None),
    (125, None),
    (126, None),
    (127, None),
    (128, None),
    (65_535, None),
    (65_536, None),
    (65_536, Some(997)),
];

fn case(binary: bool, number: u16, (len, chop): (usize, Option<usize>)) -> Case {
    let payload = Payload::from(vec![if binary { 0xFE } else { b'*' }; len]);
    let mut frame = Frame::new(if binary { 2 } else { 1 }, payload.clone());
    frame.chop = chop;
    let wait = if len > 1000 { secs(10) } else { secs(1) };
    let (kind, echo) =
        if binary { ("binary", Received::binary(payload)) } else { ("text", Received::text(payload)) };
    let writes = chop.map_or_else(String::new, |size| format!(", in writes of {size} bytes"));
    Case::steps(CaseId::three(1, if binary { 2 } else { 1 }, number), [frame.into(), Step::FailAfter(wait)])
        .ok([echo])
        .text(
            format!("Sends a {kind} message of {len} bytes in one frame{writes}."),
            "The message comes back. The connection closes cleanly with 1000.",
        )
}
