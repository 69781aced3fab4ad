//! Section 5: messages in more than one frame ([RFC 6455 §5.4]).
//!
//! [RFC 6455 §5.4]: https://www.rfc-editor.org/rfc/rfc6455#section-5.4

use super::{HELLO, secs};
use crate::case::{Case, CaseId, ExpectedClose, Frame, Received, Step};

const FIRST: &str = "fragment1";
const SECOND: &str = "fragment2";
const BOTH: &str = "fragment1fragment2";
const PING: &str = "ping payload";

/// How frames go over the wire, and the words for it.
type How = (fn(Frame) -> Frame, &'static str);
const TOGETHER: How = (|frame| frame, "all at once");
const ALONE: How = (Frame::sync, "each frame in a write of its own");
const BYTEWISE: How = (|frame| frame.chop(1), "byte by byte");

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![fragmented_control(1, 9, "ping"), fragmented_control(2, 10, "pong")];
    cases.extend((3..).zip([TOGETHER, ALONE, BYTEWISE]).map(|(number, how)| two_fragments(number, how)));
    cases.extend((6..).zip([TOGETHER, ALONE, BYTEWISE]).map(|(number, how)| ping_between(number, how)));
    cases.extend(
        (9..).zip([TOGETHER, ALONE, BYTEWISE]).map(|(number, how)| nothing_to_continue(number, true, how)),
    );
    cases.extend(
        (12..).zip([TOGETHER, ALONE, BYTEWISE]).map(|(number, how)| nothing_to_continue(number, false, how)),
    );
    cases.push(after_a_message());
    cases.push(wrong_order(16, false));
    cases.push(wrong_order(17, true));
    cases.push(failing(18, [Frame::new(1, FIRST).unfinished(), Frame::new(1, SECOND)]).ok([]).text(
        "Sends the first fragment of a text message, then the second as a message of its own.",
        FAILED_AT_ONCE,
    ));
    cases.push(ping_answered_early(19, TOGETHER));
    cases.push(ping_answered_early(20, ALONE));
    cases
}

const FAILED_AT_ONCE: &str = "The connection is failed at once, with 1002 or without a closing handshake.";

const fn id(number: u16) -> CaseId {
    CaseId::two(5, number)
}

/// Frames that the endpoint is to fail the connection for.
fn failing(number: u16, frames: impl IntoIterator<Item = Frame>) -> Case {
    let steps = frames.into_iter().map(Step::Frame).chain([Step::FailAfter(secs(1))]);
    Case::steps(id(number), steps).close(ExpectedClose::by_endpoint(1002))
}

fn fragmented_control(number: u16, opcode: u8, name: &str) -> Case {
    failing(number, [Frame::new(opcode, FIRST).unfinished(), Frame::new(0, SECOND)])
        .ok([])
        .text(format!("Sends a {name} in two fragments, which no control frame may come in."), FAILED_AT_ONCE)
}

fn two_fragments(number: u16, (how, words): How) -> Case {
    let frames =
        [Frame::new(1, FIRST).unfinished(), Frame::new(0, SECOND)].map(|frame| Step::Frame(how(frame)));
    Case::steps(id(number), frames.into_iter().chain([Step::CloseAfter(secs(1))]))
        .ok([Received::text(BOTH)])
        .text(
            format!("Sends a text message in two fragments, {words}."),
            "The message comes back. The connection closes cleanly with 1000.",
        )
}

fn ping_between(number: u16, (how, words): How) -> Case {
    let frames = [Frame::new(1, FIRST).unfinished(), Frame::new(9, PING), Frame::new(0, SECOND)];
    let steps = frames.map(|frame| Step::Frame(how(frame)));
    Case::steps(id(number), steps.into_iter().chain([Step::CloseAfter(secs(1))]))
        .ok([Received::pong(PING), Received::text(BOTH)])
        .text(
            format!("Sends a text message in two fragments with a ping between them, {words}."),
            "The pong comes first, then the message. The connection closes cleanly with 1000.",
        )
}

fn nothing_to_continue(number: u16, fin: bool, (how, words): How) -> Case {
    let mut first = Frame::new(0, "non-continuation payload");
    first.fin = fin;
    let last = if fin { "which is the last" } else { "which is not the last" };
    failing(number, [first, Frame::new(1, HELLO)].map(how)).ok([]).text(
        format!("Sends a continuation of nothing, {last}, then a text message, {words}."),
        FAILED_AT_ONCE,
    )
}

fn after_a_message() -> Case {
    let frames = [
        Frame::new(1, FIRST).unfinished(),
        Frame::new(0, SECOND),
        Frame::new(0, "fragment3").unfinished(),
        Frame::new(1, "fragment4"),
    ];
    failing(15, frames).ok([Received::text(BOTH)]).non_strict([]).text(
        "Sends a text message in two fragments, then a continuation of nothing that is not the last, then a text message.",
        "The first message comes back, or not; then the connection is failed at once.",
    )
}

fn wrong_order(number: u16, fin: bool) -> Case {
    let once = || {
        let mut first = Frame::new(0, FIRST);
        first.fin = fin;
        [first, Frame::new(1, SECOND).unfinished(), Frame::new(0, "fragment3")]
    };
    let last = if fin { "marked as the last" } else { "not marked as the last" };
    failing(number, once().into_iter().chain(once())).ok([]).text(
        format!("Sends, twice: a continuation of nothing, {last}, then a text message in two fragments."),
        FAILED_AT_ONCE,
    )
}

fn ping_answered_early(number: u16, (how, words): How) -> Case {
    let frame = |frame| Step::Frame(how(frame));
    let steps = [
        frame(Frame::new(1, "fragment1").unfinished()),
        frame(Frame::new(0, "fragment2").unfinished()),
        frame(Frame::new(9, "pongme 1!")),
        Step::Later(secs(1), None),
        frame(Frame::new(0, "fragment3").unfinished()),
        frame(Frame::new(0, "fragment4").unfinished()),
        frame(Frame::new(9, "pongme 2!")),
        frame(Frame::new(0, "fragment5")),
        Step::CloseAfter(secs(1)),
    ];
    let message = "fragment1fragment2fragment3fragment4fragment5";
    Case::steps(id(number), steps)
        .ok([Received::pong("pongme 1!"), Received::pong("pongme 2!"), Received::text(message)])
        .text(
            format!(
                "Sends two fragments of a text message and a ping, waits a second, then sends two more, another ping, and the last, {words}."
            ),
            "Each ping is answered without waiting for the end of the message. Then the message comes back, and the connection closes cleanly with 1000.",
        )
}
