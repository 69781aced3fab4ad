//! §8: limits that hold while inflating.

use super::*;
use crate::support::{ROLES, assert_failed, bytes_for};
use ws_proto::{CloseCode, Delivery, Failure, LimitError};
use ws_testkit::raw::RawFrame;

fn limited(role: Role, delivery: Delivery, max_message_bytes: usize) -> Probe {
    probe_with(role, params(true, 15), config().max_message_bytes(max_message_bytes).delivery(delivery))
}

fn bomb(len: usize) -> RawFrame {
    RawFrame::binary(deflated(&vec![0; len])).rsv(4)
}

fn everywhere() -> impl Iterator<Item = (Role, Delivery)> {
    ROLES.into_iter().flat_map(|role| [(role, Delivery::Whole), (role, Delivery::Streaming)])
}

/// Checks all that follows a failure, which is `expected` whatever it tells of sizes.
fn assert_limit(probe: &mut Probe, expected: fn(&LimitError) -> bool) {
    let failure = probe.connection.failure().cloned().expect("a failure");
    assert!(matches!(&failure, Failure::Limit(limit) if expected(limit)), "{failure:?}");
    assert_eq!(failure.close_code(), CloseCode::MESSAGE_TOO_BIG);
    assert_failed(probe, failure);
}

#[test]
fn a_message_that_inflates_to_exactly_the_limit_is_taken_and_one_byte_more_fails_with_1009() {
    for (role, delivery) in everywhere() {
        let mut at_limit = limited(role, delivery, 100_000);
        at_limit.receive_frames([bomb(100_000)]);
        assert_eq!(ws_testkit::put_together(at_limit.events), [Observed::Message(vec![0; 100_000].into())]);
        let mut above = limited(role, delivery, 100_000);
        above.receive_frames([bomb(100_001)]);
        assert_limit(&mut above, |limit| matches!(limit, LimitError::MessageTooBig { limit: 100_000, .. }));
    }
}

#[test]
fn an_incompressible_message_of_exactly_the_limit_is_taken() {
    // Compression makes it a little longer than the limit; what counts is what comes out.
    for role in ROLES {
        let message = noise(100_000);
        let mut probe = limited(role, Delivery::Whole, message.len());
        probe.receive_frames([RawFrame::binary(deflated(&message)).rsv(4)]);
        assert_eq!(probe.events, [Observed::Message(message.into())]);
    }
}

#[test]
fn the_limit_holds_over_fragments_and_before_the_message_ends() {
    for (role, delivery) in everywhere() {
        let payload = deflated(&vec![0; 1_000_000]);
        let mut frames = ws_testkit::strategies::fragmented(2, &payload, &[10, 10, 0, 100]);
        frames[0].rsv = 4;
        frames.last_mut().unwrap().fin = false;
        let mut probe = limited(role, delivery, 100_000);
        probe.receive_frames(frames);
        assert_limit(&mut probe, |limit| matches!(limit, LimitError::MessageTooBig { limit: 100_000, .. }));
    }
}

#[test]
fn a_long_compressed_message_is_refused_by_its_header_when_it_cannot_be_small_enough() {
    for role in ROLES {
        let mut probe = limited(role, Delivery::Whole, 100_000);
        let header = RawFrame::binary("").rsv(4).length(ws_testkit::raw::Length::Declared(1 << 20));
        probe.receive(bytes_for(role, [header]));
        assert_limit(&mut probe, |limit| matches!(limit, LimitError::MessageTooBig { limit: 100_000, .. }));
    }
}

#[test]
fn a_bomb_that_stays_below_the_limit_fails_by_its_ratio_with_1009() {
    for (role, delivery) in everywhere() {
        let mut probe = probe_with(role, params(true, 15), config().delivery(delivery));
        probe.receive_frames([bomb(8 << 20)]);
        assert_limit(&mut probe, |limit| {
            matches!(limit, LimitError::InflationRatio { limit: 200, actual: 201.. })
        });
    }
}

#[test]
fn up_to_one_mib_any_ratio_is_fine() {
    for (role, delivery) in everywhere() {
        let mut probe = probe_with(role, params(true, 15), config().delivery(delivery));
        probe.receive_frames([bomb(1 << 20), bomb(1 << 20)]);
        assert_eq!(ws_testkit::put_together(probe.events).len(), 2, "each message for itself");
    }
}

#[test]
fn the_ratio_is_a_setting() {
    for role in ROLES {
        let deflate = DeflateConfig { max_ratio: 2_000, ..DeflateConfig::default() };
        let mut probe = probe_with(role, params(true, 15), config().deflate(deflate));
        probe.receive_frames([bomb(2 << 20)]);
        assert_eq!(probe.events.len(), 1);
    }
}

#[test]
fn a_bomb_at_the_end_of_a_long_message_is_a_bomb_too() {
    for role in ROLES {
        let head = noise(20_000);
        let message = [&head[..], &vec![0; 7 << 20]].concat();
        let mut probe = probe_with(role, params(true, 15), config());
        probe.receive_frames([RawFrame::binary(deflated(&message)).rsv(4)]);
        assert_limit(&mut probe, |limit| matches!(limit, LimitError::InflationRatio { limit: 200, .. }));
    }
}

#[test]
fn whether_a_message_is_a_bomb_does_not_depend_on_how_it_arrives() {
    // A run of zeros that alone would be one, and behind it so much noise that the whole is none; before it so much that the ratio is
    // passed early, late, barely or never.
    for before in [0, 3_500, 3_600, 3_700, 3_800, 4_100] {
        let message = [noise(before), vec![0; 1_150_000], noise(100_000)].concat();
        let bytes = bytes_for(Role::Server, [RawFrame::binary(deflated(&message)).rsv(4)]);
        let verdicts = [Delivery::Whole, Delivery::Streaming].map(|delivery| {
            [usize::MAX, 100_000, 10_000, 999, 100, 1].map(|size| {
                let mut probe = probe_with(Role::Server, params(true, 15), config().delivery(delivery));
                probe.receive_in(&bytes, Feed::Borrowed, Chunks::of(size));
                probe.connection.failure().cloned()
            })
        });
        let [first, ..] = verdicts.as_flattened() else { unreachable!() };
        assert_eq!(first.is_some(), before < 4_000, "{before}");
        assert!(verdicts.as_flattened().iter().all(|verdict| verdict == first), "{before}: {verdicts:?}");
    }
}
