//! Section 2: pings and pongs ([RFC 6455 §5.5.2, §5.5.3]).
//!
//! [RFC 6455 §5.5.2, §5.5.3]: https://www.rfc-editor.org/rfc/rfc6455#section-5.5.2

use super::{HELLO, secs};
use crate::case::{Case, CaseId, ExpectedClose, Frame, Payload, Received, Step};
use bytes::Bytes;

const BINARY: &[u8; 8] = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff";
const UNASKED: &str = "unsolicited pong payload";

pub(super) fn cases() -> Vec<Case> {
    let id = |number| CaseId::two(2, number);
    let ping = |payload: Payload| Frame::new(9, payload);
    let answered = |number, payload: Payload, description: &str| {
        Case::steps(id(number), [ping(payload.clone()).into(), Step::CloseAfter(secs(1))])
            .ok([Received::pong(payload)])
            .text(description, "A pong with the same payload. The connection closes cleanly with 1000.")
    };
    let unanswered = |number, payload: Payload, description: &str| {
        let close = Step::Close { code: Some(1000), reason: Bytes::new() };
        Case::steps(id(number), [Frame::new(10, payload).into(), close, Step::CloseAfter(secs(1))])
            .ok([])
            .text(
                description,
                "Nothing but a clean close with 1000: a pong that nobody asked for is ignored.",
            )
    };
    let long = |len| Payload::from(vec![0xFE; len]);
    vec![
        answered(1, "".into(), "Sends a ping without payload."),
        answered(2, HELLO.into(), "Sends a ping with text in its payload."),
        answered(3, BINARY.into(), "Sends a ping whose payload is not UTF-8."),
        answered(4, long(125), "Sends a ping with 125 bytes, the most that a control frame may have."),
        Case::steps(id(5), [ping(long(126)).into(), Step::FailAfter(secs(1))])
            .ok([])
            .close(ExpectedClose::by_endpoint(1002))
            .text(
                "Sends a ping with 126 bytes, one more than a control frame may have.",
                "The connection is failed at once, with 1002 or without a closing handshake.",
            ),
        Case::steps(id(6), [ping(long(125)).chop(1).into(), Step::CloseAfter(secs(2))])
            .ok([Received::pong(long(125))])
            .text(
                "Sends a ping with 125 bytes, byte by byte.",
                "A pong with the same payload: how the stream is cut does not matter. The connection closes cleanly with 1000.",
            ),
        unanswered(7, "".into(), "Sends a pong without payload that nobody asked for, then closes."),
        unanswered(8, UNASKED.into(), "Sends a pong with a payload that nobody asked for, then closes."),
        Case::steps(
            id(9),
            [Frame::new(10, UNASKED).into(), ping("ping payload".into()).into(), Step::CloseAfter(secs(1))],
        )
        .ok([Received::pong("ping payload")])
        .text(
            "Sends a pong that nobody asked for, then a ping.",
            "A pong for the ping and nothing for the pong. The connection closes cleanly with 1000.",
        ),
        ten(10, None),
        ten(11, Some(1)),
    ]
}

fn ten(number: u16, chop: Option<usize>) -> Case {
    let payloads = || (0..10).map(|n| Payload::from(format!("payload-{n}").into_bytes()));
    let frames = payloads().map(|payload| Step::Frame(Frame { chop, ..Frame::new(9, payload) }));
    Case::steps(CaseId::two(2, number), frames.chain([Step::CloseAfter(secs(3))]))
        .ok(payloads().map(Received::pong))
        .text(
            if chop.is_some() { "Sends ten pings, byte by byte." } else { "Sends ten pings at once." },
            "Ten pongs, each with the payload of its ping, in their order. A later pong could stand for those before it, but is not taken for it here. \
             The connection closes cleanly with 1000.",
        )
}
