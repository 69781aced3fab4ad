//! Section 7: the closing handshake ([RFC 6455 §5.5.1, §7]).
//!
//! [RFC 6455 §5.5.1, §7]: https://www.rfc-editor.org/rfc/rfc6455#section-7

use super::secs;
use crate::case::{Case, CaseId, ExpectedClose, Frame, Payload, Received, Rules, Step};
use bytes::Bytes;

const GREETING: &str = "Hello World!";
/// The case closes by itself; a wrong close code fails it.
const OWN_CLOSE: Rules = Rules { suppress_close: true, wrong_code_fails: true, ..Rules::NONE };
const STRICT_CODE: Rules = Rules { suppress_close: false, ..OWN_CLOSE };
const ONLY_TELLS: Rules = Rules { suppress_close: true, informational: true, ..Rules::NONE };

pub(super) fn cases() -> Vec<Case> {
    let mut cases = basics();
    cases.extend(lengths());
    let valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    cases.extend((1..).zip(valid).map(|(number, code)| {
        closing(CaseId::three(7, 7, number), Some(code), b"")
            .close(ExpectedClose::by_us(&[1000, code]))
            .rules(STRICT_CODE)
            .text(
                format!("Closes with {code}, which may be sent."),
                "A Close frame with 1000 or the same code, and a clean close.",
            )
    }));
    let invalid = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
    cases.extend((1..).zip(invalid).map(|(number, code)| {
        closing(CaseId::three(7, 9, number), Some(code), b"")
            .close(ExpectedClose::by_us(&[1002]).may_be_unclean())
            .rules(STRICT_CODE)
            .text(format!("Closes with {code}, which must not be sent."), REFUSED)
    }));
    cases.extend((1..).zip([5000, 65_535]).map(|(number, code)| {
        closing(CaseId::three(7, 13, number), Some(code), b"")
            .close(ExpectedClose::by_us(&[1000, code, 1002]).may_be_unclean())
            .rules(ONLY_TELLS)
            .text(
                format!("Closes with {code}, which is in no range of codes."),
                "The specification does not say what happens.",
            )
    }));
    cases
}

const REFUSED: &str = "A Close frame with 1002, or the end of the connection without one.";
const CLEAN: &str = "A clean close with 1000.";

fn basics() -> Vec<Case> {
    let close = || Step::Close { code: Some(1000), reason: Bytes::new() };
    let after = |number, before: Option<Frame>, frame: Frame| {
        let steps =
            before.map(Step::Frame).into_iter().chain([close(), frame.into(), Step::FailAfter(secs(1))]);
        Case::steps(CaseId::three(7, 1, number), steps).ok([]).rules(OWN_CLOSE)
    };
    vec![
        Case::steps(CaseId::three(7, 1, 1), [Frame::new(1, GREETING).into(), Step::FailAfter(secs(1))])
            .ok([Received::text(GREETING)])
            .rules(STRICT_CODE)
            .text(
                "Sends a text message, and closes when it has come back.",
                "The message comes back, then a clean close with 1000.",
            ),
        after(2, None, Frame::new(8, ""))
            .text("Sends two Close frames.", "A clean close with 1000; the second frame is ignored."),
        after(3, None, Frame::new(9, ""))
            .text("Sends a Close frame, then a ping.", "A clean close with 1000, and no pong."),
        after(4, None, Frame::new(1, GREETING)).text(
            "Sends a Close frame, then a text message.",
            "A clean close with 1000; the message is ignored.",
        ),
        after(5, Some(Frame::new(1, "fragment1").unfinished()), Frame::new(0, "fragment2")).text(
            "Sends the first fragment of a text message, a Close frame, and the second fragment.",
            CLEAN,
        ),
        after_much(),
    ]
}

fn after_much() -> Case {
    let steps = [
        Frame::new(1, Payload::repeated(b"BAsd7&jh23", 256 << 10)).into(),
        Frame::new(1, GREETING).into(),
        Step::Close { code: Some(1000), reason: Bytes::new() },
        Frame::new(9, "").into(),
        Step::FailAfter(secs(1)),
    ];
    // Only the second message is looked for, as in the original suite; that both come back is no match, and does not matter.
    Case::steps(CaseId::three(7, 1, 6), steps)
        .ok([Received::text(GREETING)])
        .non_strict([])
        .rules(ONLY_TELLS)
        .text(
            "Sends a text message of 256 KiB, a short one, a Close frame and a ping, without waiting.",
            "The specification does not say whether the messages come back before the endpoint closes.",
        )
}

fn lengths() -> Vec<Case> {
    let id = |number| CaseId::three(7, 3, number);
    let stars: &'static [u8] = &[b'*'; 124];
    let clean = |number, code, reason: &'static [u8], description: &str| {
        closing(id(number), code, reason).rules(OWN_CLOSE).text(description, CLEAN)
    };
    let refused = |id, code, reason: &'static [u8], codes: &[u16], description: &str, expectation: &str| {
        closing(id, code, reason)
            .close(ExpectedClose::by_us(codes).may_be_unclean())
            .rules(OWN_CLOSE)
            .text(description, expectation)
    };
    vec![
        clean(1, None, b"", "Sends a Close frame without payload."),
        refused(
            id(2),
            None,
            b"a",
            &[1002],
            "Sends a Close frame with a payload of one byte, which is half a code.",
            REFUSED,
        ),
        clean(3, Some(1000), b"", "Sends a Close frame with a code and no reason."),
        clean(4, Some(1000), GREETING.as_bytes(), "Sends a Close frame with a code and a reason."),
        clean(
            5,
            Some(1000),
            stars.get(..123).unwrap_or_default(),
            "Sends a Close frame with a code and a reason of 123 bytes, the most there can be.",
        ),
        refused(
            id(6),
            Some(1000),
            stars,
            &[1002],
            "Sends a Close frame with a code and a reason of 124 bytes, one more than there can be.",
            REFUSED,
        ),
        refused(
            CaseId::three(7, 5, 1),
            Some(1000),
            b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
            &[1002, 1007],
            "Sends a Close frame whose reason is not UTF-8.",
            "A Close frame with 1002 or 1007, or the end of the connection without one.",
        ),
    ]
}

fn closing(id: CaseId, code: Option<u16>, reason: &'static [u8]) -> Case {
    let close = Step::Close { code, reason: Bytes::from_static(reason) };
    Case::steps(id, [close, Step::FailAfter(secs(1))]).ok([])
}
