//! Any split of the input gives the same events and the same answer.

use super::*;
use crate::support::{bytes_for, cases};
use proptest::prelude::*;
use ws_proto::Delivery;
use ws_testkit::raw::{Length, RawFrame};
use ws_testkit::vectors::{self, UTF8_INVALID, UTF8_VALID, frames};
use ws_testkit::{put_together, strategies};

/// The examples of the RFC and each kind of violation, each as the peer of `role` sends it, with more behind it.
fn short_vectors(role: Role) -> Vec<Vec<u8>> {
    let examples = [frames::TEXT, frames::TEXT_FRAGMENTED, frames::PING, &vectors::binary_256()];
    let examples = examples.map(|bytes| ws_testkit::raw::read_all(bytes).unwrap());
    let valid = UTF8_VALID.iter().map(|text| vec![RawFrame::text(text)]);
    let invalid = UTF8_INVALID
        .iter()
        .map(|(text, _)| vec![RawFrame::text(text).unfinished(), RawFrame::continuation("more")]);
    let others = [
        vec![RawFrame::text("a").unfinished(), RawFrame::ping("between"), RawFrame::continuation("b")],
        vec![RawFrame::text("a").unfinished(), RawFrame::text("b")],
        vec![RawFrame::continuation("a")],
        vec![RawFrame::new(3, "a")],
        vec![RawFrame::new(11, "a")],
        vec![RawFrame::text("a").rsv(4)],
        vec![RawFrame::binary("a").length(Length::Bits16)],
        vec![RawFrame::binary("a").length(Length::Bits64)],
        vec![RawFrame::binary("a").length(Length::Declared(251))],
        vec![RawFrame::binary("a").length(Length::Declared(u64::MAX))],
        vec![RawFrame::binary([1; 250]).unfinished(), RawFrame::continuation([2; 50])],
        vec![RawFrame::binary([1; 200]).unfinished(), RawFrame::continuation([2; 200])],
        vec![RawFrame::ping([1; 126])],
        vec![RawFrame::ping("").unfinished()],
        vec![RawFrame::close(1000, "reason")],
        vec![RawFrame::close(1005, "reason")],
        vec![RawFrame::close(1000, b"\xFF")],
        vec![RawFrame::new(8, [1])],
        vec![RawFrame::close_empty()],
        (0..25).map(|i| RawFrame::ping([i])).collect(),
        vec![RawFrame::binary("").unfinished(); 9],
    ];
    let all = examples.into_iter().chain(valid).chain(invalid).chain(others);
    let mut vectors: Vec<_> =
        all.map(|frames| bytes_for(role, frames.into_iter().chain([RawFrame::text("behind")]))).collect();
    // Masked where it must not be, and not where it must.
    vectors.push(bytes_for(role.peer(), [RawFrame::text("Hello")]));
    vectors
}

#[test]
fn every_offset_of_every_vector_gives_the_same_outcome() {
    for role in support::ROLES {
        let negotiated = Negotiated::new(role);
        for bytes in short_vectors(role) {
            let expected = whole(&negotiated, settings(), &bytes);
            for how in Feed::ALL {
                for cut in 1..=bytes.len() {
                    let split =
                        outcome(&negotiated, settings(), &bytes, how, Chunks::cycle([cut, usize::MAX]));
                    assert_eq!(split, expected, "{role:?} {how:?} cut at {cut}: {bytes:02X?}");
                }
                assert_eq!(
                    outcome(&negotiated, settings(), &bytes, how, Chunks::of(1)),
                    expected,
                    "{role:?} {how:?} by bytes"
                );
            }
        }
    }
}

#[test]
fn the_rest_of_a_header_is_never_taken_for_a_header_of_its_own() {
    // Behind their first byte, or two, these headers look like that of a whole message.
    let masked = RawFrame::text("a").masked([0x80, 1, 2, 3]);
    let long = RawFrame::binary([7; 0x8105]);
    for (role, frame) in [(Role::Server, masked), (Role::Client, long)] {
        let bytes = bytes_for(role, [frame, RawFrame::text("behind")]);
        let expected = whole(&Negotiated::new(role), config(), &bytes);
        for cut in 1..10 {
            let split = outcome(
                &Negotiated::new(role),
                config(),
                &bytes,
                Feed::Borrowed,
                Chunks::cycle([cut, usize::MAX]),
            );
            assert!(split == expected, "{role:?} cut at {cut}");
        }
    }
}

#[test]
fn every_offset_of_the_64_kib_example_gives_the_same_message() {
    let vector = vectors::binary_64k();
    let expected = Observed::Message(vector[frames::BINARY_64K_HEAD.len()..].into());
    for cut in 1..vector.len() {
        let mut probe = Probe::new(Role::Client);
        probe.receive(&vector[..cut]);
        probe.receive(&vector[cut..]);
        assert!(probe.events.len() == 1 && probe.events[0] == expected, "cut at {cut}");
    }
}

#[test]
fn a_masked_message_of_64_kib_is_the_same_at_every_phase_of_the_mask_and_every_read_size() {
    let payload: Vec<u8> = (0..70_000u32).map(|i| (i * 31).to_le_bytes()[1]).collect();
    let bytes = bytes_for(Role::Server, [RawFrame::binary(&payload)]);
    let expected = [Observed::Message(payload.into())];
    for how in Feed::ALL {
        for size in (1..40).map(|i| i * 977).chain([4_096, 16_384, 65_536, 65_537]) {
            for first in 1..18 {
                let mut probe = Probe::new(Role::Server);
                probe.receive_in(&bytes[..first], how, Chunks::whole());
                probe.receive_in(&bytes[first..], how, Chunks::of(size));
                assert!(probe.events == expected, "{how:?}, {first} and then {size}");
            }
        }
    }
}

#[test]
fn events_in_between_may_be_handled_before_the_rest_of_the_input() {
    // A driver that answers each message at once writes the same as one that handles all of them first.
    let bytes = bytes_for(Role::Server, (0..10).map(|i| RawFrame::text(i.to_string())));
    let answer = |probe: &mut Probe| {
        for event in probe.events.split_off(0) {
            let Observed::Message(message) = event else { panic!("a message") };
            probe.connection.send(message).unwrap();
        }
    };
    let mut at_the_end = Probe::new(Role::Server);
    at_the_end.receive(&bytes);
    answer(&mut at_the_end);
    let mut at_once = Probe::new(Role::Server);
    for piece in bytes.chunks(5) {
        at_once.receive(piece);
        answer(&mut at_once);
    }
    assert_eq!(at_once.wire(), at_the_end.wire());
}

fn conversation() -> impl Strategy<Value = (Role, Vec<u8>)> {
    any::<bool>().prop_flat_map(|is_client| {
        let role = role_of(is_client);
        (Just(role), strategies::conversation(role.peer(), 130))
    })
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn any_split_of_any_conversation_gives_the_same_outcome(
        (role, bytes) in conversation(),
        chunks in strategies::chunks(40),
        how in prop::sample::select(&Feed::ALL[..]),
    ) {
        let negotiated = Negotiated::new(role);
        let expected = whole(&negotiated, settings(), &bytes);
        prop_assert_eq!(outcome(&negotiated, settings(), &bytes, how, chunks), expected);
    }

    #[test]
    fn garbage_never_panics_and_ends_in_exactly_one_terminal_state(
        is_client in any::<bool>(),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        chunks in strategies::chunks(20),
        how in prop::sample::select(&Feed::ALL[..]),
    ) {
        let negotiated = Negotiated::new(role_of(is_client));
        // `outcome` counts the terminal events.
        let expected = whole(&negotiated, settings(), &bytes);
        prop_assert_eq!(outcome(&negotiated, settings(), &bytes, how, chunks), expected);
    }
}

proptest! {
    #![proptest_config(cases(3_000))]

    #[test]
    fn streaming_delivery_puts_together_to_the_same_outcome(
        (role, bytes) in conversation(),
        chunks in strategies::chunks(40),
        how in prop::sample::select(&Feed::ALL[..]),
    ) {
        let negotiated = Negotiated::new(role);
        let expected = whole(&negotiated, settings(), &bytes);
        let streaming = settings().delivery(Delivery::Streaming);
        let Outcome { events, wire } = outcome(&negotiated, streaming, &bytes, how, chunks);
        prop_assert_eq!(Outcome { events: put_together(events), wire }, expected);
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn large_frames_come_out_the_same_however_they_are_read(
        is_client in any::<bool>(),
        kind in 1..3u8,
        sizes in prop::collection::vec(0..60_000usize, 0..3),
        wrong in prop::option::weighted(0.3, any::<prop::sample::Index>()),
        chunks in strategies::chunks(50_000),
        how in prop::sample::select(&Feed::ALL[..]),
    ) {
        let role = role_of(is_client);
        let mut payload = "aé水😀".repeat(8_000).into_bytes();
        if let Some(index) = wrong {
            let index = index.index(payload.len());
            payload[index] = 0xFF;
        }
        let bytes = bytes_for(role, strategies::fragmented(kind, &payload, &sizes));
        let chunks = if chunks_are_tiny(&chunks) { Chunks::of(9_973) } else { chunks };
        let negotiated = Negotiated::new(role);
        let expected = whole(&negotiated, config(), &bytes);
        prop_assert!(outcome(&negotiated, config(), &bytes, how, chunks) == expected);
    }
}

/// Single bytes of so much take long and show nothing more.
fn chunks_are_tiny(chunks: &Chunks) -> bool {
    chunks.clone().size(usize::MAX) < 1_000
}
