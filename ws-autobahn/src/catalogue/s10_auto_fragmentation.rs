//! Section 10: a message that the sender cuts by itself.

use super::secs;
use crate::case::{Case, CaseId, Payload, Received, Rules, Step};

pub(super) fn cases() -> Vec<Case> {
    let payload = Payload::repeated(b"*", 65_536);
    let message = Step::Message { payload: payload.clone(), binary: false, fragment: Some(1300) };
    let case = Case::steps(CaseId::three(10, 1, 1), [message, Step::FailAfter(secs(10))])
        .ok([Received::text(payload)])
        .rules(Rules { must_open: true, ..Rules::default() })
        .text(
            "Sends a text message of 64 KiB in fragments of 1300 bytes.",
            "The message comes back. The connection closes cleanly with 1000.",
        );
    vec![case]
}
