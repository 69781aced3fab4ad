//! All cases, as data, a file for each section.

mod beyond;
mod s10_auto_fragmentation;
mod s12_compression;
mod s1_framing;
mod s2_pings;
mod s3_reserved_bits;
mod s4_opcodes;
mod s5_fragmentation;
mod s6_fragments;
mod s6_sequences;
mod s7_closing;
mod s9_limits;

#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::case::{Case, CaseId};

/// All cases that the original suite has, in its order: 517.
#[must_use]
pub fn original() -> &'static [Arc<Case>] {
    static MADE: OnceLock<Vec<Arc<Case>>> = OnceLock::new();
    MADE.get_or_init(|| {
        let sections = [
            s1_framing::cases(),
            s2_pings::cases(),
            s3_reserved_bits::cases(),
            s4_opcodes::cases(),
            s5_fragmentation::cases(),
            s6_fragments::cases(),
            s6_sequences::cases(),
            s7_closing::cases(),
            s9_limits::cases(),
            s10_auto_fragmentation::cases(),
            s12_compression::cases(),
        ];
        sections.into_iter().flatten().map(Arc::new).collect()
    })
}

/// All cases that the original suite does not have, numbered from 100.
#[must_use]
pub fn beyond() -> &'static [Arc<Case>] {
    static MADE: OnceLock<Vec<Arc<Case>>> = OnceLock::new();
    MADE.get_or_init(|| beyond::cases().into_iter().map(Arc::new).collect())
}

/// The place of a case in the original suite, counted from 1; the cases beyond it follow.
#[must_use]
pub fn index(id: CaseId) -> usize {
    original().iter().chain(beyond()).position(|case| case.id == id).map_or(0, |position| position + 1)
}

/// What a section is about.
#[must_use]
pub const fn section_name(section: u16) -> &'static str {
    match section {
        1 => "Framing",
        2 => "Pings and pongs",
        3 => "Reserved bits",
        4 => "Opcodes",
        5 => "Fragmentation",
        6 => "UTF-8",
        7 => "Closing",
        9 => "Limits and performance",
        10 => "Automatic fragmentation",
        12 => "Compression: data",
        13 => "Compression: parameters",
        100 => "Beyond: opening handshake",
        101 => "Beyond: negotiation of compression",
        102 => "Beyond: frames",
        103 => "Beyond: floods",
        104 => "Beyond: ends and masks",
        _ => "",
    }
}

/// What a part of a section is about, where the section has parts.
#[must_use]
pub fn part_name(section: u16, part: u16) -> String {
    match (section, part) {
        (1, 1) => "Text messages",
        (1, 2) => "Binary messages",
        (4, 1) => "Reserved opcodes of data frames",
        (4, 2) => "Reserved opcodes of control frames",
        (6, 1) => "Empty messages and fragments",
        (6, 2) => "Valid text, cut at and within characters",
        (6, 3) => "Invalid text, in one frame and in many",
        (6, 4) => "Invalid text is to be found early",
        (6, 5..) => return s6_sequences::part_name(part).to_owned(),
        (7, 1) => "Closing, and what comes after",
        (7, 3) => "Length of a Close frame",
        (7, 5) => "Reason of a Close frame",
        (7, 7) => "Close codes that may be sent",
        (7, 9) => "Close codes that must not be sent",
        (7, 13) => "Close codes that the specification leaves open",
        (9, 1) => "One text message, larger and larger",
        (9, 2) => "One binary message, larger and larger",
        (9, 3) => "A text message of 4 MiB in fragments",
        (9, 4) => "A binary message of 4 MiB in fragments",
        (9, 5) => "A text message of 1 MiB in small writes",
        (9, 6) => "A binary message of 1 MiB in small writes",
        (9, 7) => "Round trips of text messages",
        (9, 8) => "Round trips of binary messages",
        (10, 1) => "A message in fragments of one size",
        (12 | 13, _) => return s12_compression::part_name(section, part),
        (100.., _) => beyond::part_name(section, part),
        _ => "",
    }
    .to_owned()
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The greeting of many cases.
const HELLO: &str = "Hello, world!";
