//! Section 3: reserved bits that no extension has given a meaning ([RFC 6455 §5.2]).
//!
//! [RFC 6455 §5.2]: https://www.rfc-editor.org/rfc/rfc6455#section-5.2

use super::{HELLO, secs};
use crate::case::{Case, CaseId, ExpectedClose, Frame, Received, Step};

pub(super) fn cases() -> Vec<Case> {
    let binary = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff";
    vec![
        alone(1, Frame::new(1, HELLO).rsv(1), "a text message with RSV3 set"),
        between(2, 2, |frame| frame, "RSV2"),
        between(3, 3, Frame::sync, "RSV2 and RSV3, each frame in a write of its own"),
        between(4, 4, |frame| frame.chop(1), "RSV1, all of it byte by byte"),
        alone(5, Frame::new(2, binary).rsv(5), "a binary message with RSV1 and RSV3 set"),
        alone(6, Frame::new(2, HELLO).rsv(6), "a binary message with RSV1 and RSV2 set"),
        alone(7, Frame::new(8, "").rsv(7), "a Close frame with all reserved bits set"),
    ]
}

fn alone(number: u16, frame: Frame, what: &str) -> Case {
    Case::steps(CaseId::two(3, number), [frame.into(), Step::FailAfter(secs(1))])
        .ok([])
        .close(ExpectedClose::by_endpoint(1002))
        .text(
            format!("Sends {what}."),
            "The connection is failed at once, with 1002 or without a closing handshake: nobody has negotiated what the bits mean.",
        )
}

fn between(number: u16, rsv: u8, how: impl Fn(Frame) -> Frame, what: &str) -> Case {
    let frames = [Frame::new(1, HELLO), Frame::new(1, HELLO).rsv(rsv), Frame::new(9, "")];
    let steps = frames.into_iter().map(|frame| Step::Frame(how(frame)));
    Case::steps(CaseId::two(3, number), steps.chain([Step::FailAfter(secs(1))]))
        .ok([Received::text(HELLO)])
        .non_strict([])
        .close(ExpectedClose::by_endpoint(1002))
        .text(
            format!("Sends a text message, then one with reserved bits set ({what}), then a ping."),
            "The first message comes back, then the connection is failed at once, and the ping goes unanswered.",
        )
}
