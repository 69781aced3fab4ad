//! Section 9: large messages, small fragments and writes, and round trips.

use super::secs;
use crate::case::{Case, CaseId, Frame, Payload, Script, Step};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const TEXT: &[u8] = b"BAsd7&jh23";
const BINARY: &[u8] = b"\x00\xfe\x23\xfa\xf0";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let sizes = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB];
    cases.extend(
        (1..)
            .zip(sizes.into_iter().zip([10, 10, 100, 100, 100, 100]))
            .map(|(number, (len, wait))| large(false, number, len, wait)),
    );
    cases.extend(
        (1..)
            .zip(sizes.into_iter().zip([10, 10, 10, 10, 100, 100]))
            .map(|(number, (len, wait))| large(true, number, len, wait)),
    );
    for binary in [false, true] {
        cases.extend(
            (1..)
                .zip((3..=11).map(|power| 1 << (2 * power)))
                .map(|(number, size)| fragmented(binary, number, size)),
        );
    }
    for binary in [false, true] {
        cases.extend(
            (1..).zip((6..=11).map(|power| 1 << power)).map(|(number, size)| chopped(binary, number, size)),
        );
    }
    let trips = [(0, 60), (16, 60), (64, 60), (256, 120), (1024, 240), (4096, 480)];
    for binary in [false, true] {
        cases.extend((1..).zip(trips).map(|(number, (len, wait))| round_trips(binary, number, len, wait)));
    }
    cases
}

const fn kind(binary: bool) -> &'static str {
    if binary { "binary" } else { "text" }
}

fn large(binary: bool, number: u16, len: usize, wait: u64) -> Case {
    let (part, opcode, unit) = if binary { (2, 2, BINARY) } else { (1, 1, TEXT) };
    let send = Step::Frame(Frame::new(opcode, Payload::repeated(unit, len)));
    echo(CaseId::three(9, part, number), send, binary, len, wait).text(
        format!("Sends a {} message of {} KiB in one frame.", kind(binary), len / KIB),
        "The message comes back.",
    )
}

fn fragmented(binary: bool, number: u16, size: usize) -> Case {
    // The first of the binary ones has other bytes than those after it; so it is in the original suite.
    let unit: &[u8] = if binary && number == 1 { b"\xfe" } else { b"*" };
    let send = Step::Message { payload: Payload::repeated(unit, 4 * MIB), binary, fragment: Some(size) };
    echo(CaseId::three(9, if binary { 4 } else { 3 }, number), send, binary, 4 * MIB, 100).text(
        format!("Sends a {} message of 4 MiB in fragments of {size} bytes.", kind(binary)),
        "The message comes back.",
    )
}

fn chopped(binary: bool, number: u16, size: usize) -> Case {
    let (part, opcode, unit) = if binary { (6, 2, BINARY) } else { (5, 1, TEXT) };
    let send = Step::Frame(Frame::new(opcode, Payload::repeated(unit, MIB)).chop(size));
    echo(CaseId::three(9, part, number), send, binary, MIB, 1000).text(
        format!("Sends a {} message of 1 MiB in one frame, in writes of {size} bytes.", kind(binary)),
        "The message comes back.",
    )
}

fn echo(id: CaseId, send: Step, binary: bool, len: usize, wait: u64) -> Case {
    Case::new(id, Script::Echo { send: Box::new(send), binary, len, wait: secs(wait) })
}

fn round_trips(binary: bool, number: u16, len: usize, wait: u64) -> Case {
    let unit = if binary { 0xFE } else { b'*' };
    let script = Script::RoundTrips { unit, binary, len, count: 1000, wait: secs(wait) };
    Case::new(CaseId::three(9, if binary { 8 } else { 7 }, number), script).text(
        format!("Sends 1000 {} messages of {len} bytes, each when the last has come back.", kind(binary)),
        format!("All messages come back, within {wait} s."),
    )
}
