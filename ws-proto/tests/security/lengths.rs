//! Lengths that are not minimal, out of range, or too large for a type (§5.2).

use super::*;

#[test]
fn a_non_minimal_16_bit_length_fails_with_1002() {
    for len in [0, 1, 125] {
        both_roles_fail(
            [RawFrame::binary(vec![7; len]).length(Length::Bits16)],
            ProtocolError::NonMinimalLength,
        );
    }
}

#[test]
fn a_non_minimal_64_bit_length_fails_with_1002() {
    for len in [0, 125, 126, 65_535] {
        both_roles_fail(
            [RawFrame::binary(vec![7; len]).length(Length::Bits64)],
            ProtocolError::NonMinimalLength,
        );
    }
}

#[test]
fn a_64_bit_length_with_its_highest_bit_set_fails_with_1002() {
    for len in [1 << 63, u64::MAX] {
        both_roles_fail(
            [RawFrame::binary("").length(Length::Declared(len))],
            ProtocolError::LengthOutOfRange,
        );
    }
}

#[test]
fn minimal_lengths_at_the_edges_are_taken() {
    for role in ROLES {
        for len in [0, 125, 126, 65_535, 65_536] {
            let mut probe = Probe::new(role);
            probe.receive_frames([RawFrame::binary(vec![7; len])]);
            assert_eq!(probe.events, [Observed::Message(vec![7; len].into())]);
        }
    }
}

/// Lengths that a conversion by truncation to 32 bits would make small: none may be taken for what is left of it.
#[test]
fn a_length_beyond_32_bits_is_not_cut_to_them() {
    for role in ROLES {
        for low in [0u64, 5] {
            for high in [1u64 << 32, 1 << 33, 1 << 53, 1 << 62] {
                for settings in [
                    ws_testkit::config(),
                    ws_testkit::config().max_message_bytes(usize::MAX).max_frame_bytes(usize::MAX),
                ] {
                    let mut probe = Probe::with(ws_proto::Negotiated::new(role), settings.build().unwrap());
                    let frame = RawFrame::text("Hello").length(Length::Declared(high + low));
                    probe.receive(bytes_for(role, [frame, RawFrame::text("behind it")]));
                    let message = |event: &Observed| matches!(event, Observed::Message(_));
                    assert!(!probe.events.iter().any(message), "{role:?}: {:#x}", high + low);
                }
            }
        }
    }
}

#[test]
fn lengths_at_the_edges_of_every_type_add_up_without_wrapping() {
    for role in ROLES {
        let config =
            ws_testkit::config().max_message_bytes(usize::MAX).max_frame_bytes(usize::MAX).build().unwrap();
        for declared in [u64::from(u32::MAX), u64::from(u32::MAX) + 1, (1 << 63) - 1] {
            let mut probe = Probe::with(ws_proto::Negotiated::new(role), config.clone());
            // Many fragments whose lengths would wrap a sum; each one declares, and nothing of it comes.
            let first = RawFrame::binary("a").unfinished();
            let next = RawFrame::continuation("").length(Length::Declared(declared)).unfinished();
            probe.receive(bytes_for(role, [first, next]));
            probe.receive(vec![0; 100_000]);
            assert!(probe.events.is_empty() || probe.connection.failure().is_some());
            let lent = probe.connection.recv_buf().map_or(0, |room| room.len());
            assert!(lent <= 2 * 100_001, "{lent} lent after 100,001 bytes");
        }
    }
}
