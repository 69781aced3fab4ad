//! Whatever comes, parsing ends: each poll consumes input, tells something, or waits.

use super::*;
use ws_testkit::raw;

/// Everything about `bytes` is told within so many polls.
fn ends(role: Role, bytes: &[u8]) {
    let mut probe = Probe::new(role);
    let mut buf = bytes.to_vec();
    let mut input = buf.as_mut_slice();
    let mut polls = 0;
    while probe.connection.poll_event(&mut input, probe.clock.now()).is_some() {
        polls += 1;
        assert!(polls <= bytes.len() / 2 + 2, "{role:?}: {bytes:02X?}");
    }
    assert!(input.is_empty(), "{role:?}: {bytes:02X?} is used up");
    let wire = probe.wire();
    assert!(raw::read_legal(&wire, role, false).is_ok(), "{role:?}: {bytes:02X?}");
}

#[test]
fn every_header_of_two_bytes_ends_whatever_is_behind_it() {
    let rests = [&[][..], &[0; 12], &[0xFF; 12], &[0, 126, 0, 0, 1], &[0, 0, 0, 0, 0, 1, 0, 0, 1]];
    for first in 0..=255u8 {
        for (second, rest) in (0..=255u8).zip(rests.iter().cycle().skip(first.into())) {
            for role in ROLES {
                ends(role, &[&[first, second], *rest].concat());
            }
        }
    }
}

#[test]
fn empty_frames_of_every_kind_end_and_consume_their_bytes() {
    for role in ROLES {
        for opcode in 0..16 {
            for fin in [true, false] {
                let frame = RawFrame { fin, ..RawFrame::new(opcode, "") };
                ends(role, &bytes_for(role, [frame]).repeat(300));
            }
        }
    }
}
