//! Cases that the original suite does not have, numbered from 100. Each names its rule.

mod frames;
mod opening;

use super::{HELLO, secs};
use crate::case::{Audience, Case, CaseId, Frame, Received, Step};
use crate::opening::Probe;

pub(super) fn cases() -> Vec<Case> {
    opening::cases().into_iter().chain(frames::cases()).collect()
}

pub(super) const fn part_name(section: u16, part: u16) -> &'static str {
    match (section, part) {
        (100, 1) => "Requests that a server must refuse",
        (100, 2) => "Requests that are unusual, but good",
        (100, 3) => "Answers that a client must refuse",
        (100, 4) => "The request of a client",
        (101, 1) => "Offers that a server must decline",
        (101, 2) => "Offers whose limits a server must keep to",
        (102, 1) => "Headers of frames that are wrong",
        (102, 2) => "Compressed messages",
        (103, 1) => "Floods",
        (104, 1) => "Ends of the connection",
        _ => "",
    }
}

/// A case that sends a text and wants it back.
fn echo(id: CaseId) -> Case {
    Case::steps(id, [Frame::new(1, HELLO).into(), Step::FailAfter(secs(2))]).ok([Received::text(HELLO)])
}

fn rule(mut case: Case, reference: &'static str) -> Case {
    case.reference = Some(reference);
    case
}

fn probing(mut case: Case, audience: Audience, probe: Probe) -> Case {
    case.audience = audience;
    case.opening.probe = Some(probe);
    case
}
