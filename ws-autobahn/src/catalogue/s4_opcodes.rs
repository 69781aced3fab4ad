//! Section 4: opcodes that are reserved ([RFC 6455 §5.2]).
//!
//! [RFC 6455 §5.2]: https://www.rfc-editor.org/rfc/rfc6455#section-5.2

use super::{HELLO, secs};
use crate::case::{Case, CaseId, ExpectedClose, Frame, Received, Step};

pub(super) fn cases() -> Vec<Case> {
    let part = |part: u16, first: u8| {
        let id = move |number| CaseId::three(4, part, number);
        [
            alone(id(1), Frame::new(first, ""), "without payload"),
            alone(id(2), Frame::new(first + 1, "reserved opcode payload"), "with a payload"),
            between(id(3), Frame::new(first + 2, ""), |frame| frame, "without payload"),
            between(id(4), Frame::new(first + 3, HELLO), |frame| frame, "with a payload"),
            between(
                id(5),
                Frame::new(first + 4, HELLO),
                |frame| frame.chop(1),
                "with a payload, all of it byte by byte",
            ),
        ]
    };
    part(1, 3).into_iter().chain(part(2, 11)).collect()
}

fn alone(id: CaseId, frame: Frame, what: &str) -> Case {
    let opcode = frame.opcode;
    Case::steps(id, [frame.into(), Step::FailAfter(secs(1))])
        .ok([])
        .close(ExpectedClose::by_endpoint(1002))
        .text(
            format!("Sends a frame {what} whose opcode is {opcode}, which is reserved."),
            "The connection is failed at once, with 1002 or without a closing handshake.",
        )
}

fn between(id: CaseId, frame: Frame, how: impl Fn(Frame) -> Frame, what: &str) -> Case {
    let opcode = frame.opcode;
    let frames =
        [Frame::new(1, HELLO), frame, Frame::new(9, "")].into_iter().map(|frame| Step::Frame(how(frame)));
    Case::steps(id, frames.chain([Step::FailAfter(secs(1))]))
        .ok([Received::text(HELLO)])
        .non_strict([])
        .close(ExpectedClose::by_endpoint(1002))
        .text(
            format!("Sends a text message, then a frame {what} whose opcode is {opcode}, which is reserved, then a ping."),
            "The message comes back, then the connection is failed at once, and the ping goes unanswered.",
        )
}
