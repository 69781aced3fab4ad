//! Frames that a hostile peer sends: each must end the connection with one Close frame of the right code, whose bytes are checked.
//! What "end" means is in `support::assert_failed`.

mod support;

use support::{ROLES, assert_failed, both_roles_fail, bytes_for};
use ws_proto::{Failure, LimitError, ProtocolError, Role};
use ws_testkit::raw::{Length, RawFrame};
use ws_testkit::{Chunks, Feed, Observed, Probe};

mod masking {
    use super::*;

    #[test]
    fn server_fails_an_unmasked_client_frame_with_1002() {
        for frame in
            [RawFrame::text("hi"), RawFrame::binary(""), RawFrame::ping(""), RawFrame::close(1000, "")]
        {
            let mut probe = Probe::new(Role::Server);
            probe.receive(frame.to_bytes());
            assert_failed(&mut probe, ProtocolError::UnmaskedClientFrame);
        }
    }

    #[test]
    fn client_fails_a_masked_server_frame_with_1002() {
        for frame in
            [RawFrame::text("hi"), RawFrame::binary(""), RawFrame::ping(""), RawFrame::close(1000, "")]
        {
            let mut probe = Probe::new(Role::Client);
            probe.receive(frame.masked([1, 2, 3, 4]).to_bytes());
            assert_failed(&mut probe, ProtocolError::MaskedServerFrame);
        }
    }

    #[test]
    fn an_unmasked_frame_is_refused_before_any_of_its_payload_is_told() {
        let mut probe = Probe::new(Role::Server);
        probe.receive(&RawFrame::text("a payload").to_bytes()[..2]);
        assert_failed(&mut probe, ProtocolError::UnmaskedClientFrame);
    }

    #[test]
    fn a_key_of_zeros_is_a_mask() {
        let mut probe = Probe::new(Role::Server);
        probe.receive(RawFrame::text("plain").masked([0; 4]).to_bytes());
        assert_eq!(probe.events, [Observed::from("plain")]);
    }
}

mod control_frames {
    use super::*;

    #[test]
    fn a_ping_of_126_bytes_fails_with_1002() {
        both_roles_fail([RawFrame::ping([7; 126])], ProtocolError::ControlFrameTooLong);
    }

    #[test]
    fn a_pong_of_126_bytes_fails_with_1002() {
        both_roles_fail([RawFrame::pong([7; 126])], ProtocolError::ControlFrameTooLong);
    }

    #[test]
    fn a_close_frame_of_126_bytes_fails_with_1002() {
        both_roles_fail([RawFrame::close(1000, [b'r'; 124])], ProtocolError::ControlFrameTooLong);
    }

    #[test]
    fn a_long_control_frame_fails_before_its_length_has_come() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            probe.receive(&bytes_for(role, [RawFrame::ping([7; 126])])[..2]);
            assert_failed(&mut probe, ProtocolError::ControlFrameTooLong);
        }
    }

    #[test]
    fn a_close_frame_of_one_byte_fails_with_1002() {
        both_roles_fail([RawFrame::new(8, [3])], ProtocolError::CloseFrameOfOneByte);
    }
}

mod lengths {
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
}

mod order_of_fragments {
    use super::*;

    #[test]
    fn a_new_data_frame_inside_an_unfinished_message_fails_with_1002() {
        for second in [RawFrame::text("b"), RawFrame::binary("b"), RawFrame::text("b").unfinished()] {
            both_roles_fail(
                [RawFrame::text("a").unfinished(), second],
                ProtocolError::DataFrameInsideMessage,
            );
        }
    }

    #[test]
    fn a_continuation_without_a_start_fails_with_1002() {
        for frame in [
            RawFrame::continuation("a"),
            RawFrame::continuation("a").unfinished(),
            RawFrame::continuation(""),
        ] {
            both_roles_fail([frame.clone()], ProtocolError::ContinuationWithoutStart);
        }
    }

    #[test]
    fn a_continuation_behind_a_finished_message_fails_with_1002() {
        let frames =
            [RawFrame::text("a").unfinished(), RawFrame::continuation("b"), RawFrame::continuation("c")];
        both_roles_fail(frames, ProtocolError::ContinuationWithoutStart);
    }
}

mod utf8 {
    use super::*;

    #[test]
    fn invalid_utf8_at_the_end_of_a_message_fails_with_1007() {
        both_roles_fail([RawFrame::text(b"abc\xE2\x82")], ProtocolError::InvalidUtf8);
        let fragments = [RawFrame::text(b"abc\xE2").unfinished(), RawFrame::continuation(b"\x82")];
        both_roles_fail(fragments, ProtocolError::InvalidUtf8);
        let fragments = [RawFrame::text(b"abc\xE2").unfinished(), RawFrame::continuation("")];
        both_roles_fail(fragments, ProtocolError::InvalidUtf8);
    }

    #[test]
    fn invalid_utf8_inside_an_unfinished_frame_fails_with_1007_at_once() {
        for role in ROLES {
            let frame = RawFrame::text([b"abc\xED\xA0".as_slice(), &[b'x'; 1000]].concat());
            let bytes = bytes_for(role, [frame]);
            let head = bytes.len() - 1005;
            let mut probe = Probe::new(role);
            probe.receive(&bytes[..head + 4]);
            assert!(probe.events.is_empty(), "{role:?}: 0xED alone may become a character");
            probe.receive(&bytes[head + 4..head + 5]);
            assert_failed(&mut probe, ProtocolError::InvalidUtf8);
        }
    }

    #[test]
    fn invalid_utf8_read_straight_into_the_message_fails_with_1007_at_once() {
        for role in ROLES {
            let mut payload = vec![b'x'; 200_000];
            payload[150_000] = 0xFF;
            let bytes = bytes_for(role, [RawFrame::text(payload)]);
            let mut probe = Probe::new(role);
            probe.receive_in(&bytes[..160_000], Feed::Direct, Chunks::of(20_000));
            assert_failed(&mut probe, ProtocolError::InvalidUtf8);
        }
    }
}

mod limits {
    use super::*;

    #[test]
    fn a_message_of_100_000_empty_fragments_fails_with_1008() {
        for role in ROLES {
            let first = bytes_for(role, [RawFrame::binary("").unfinished()]);
            let fragment = bytes_for(role, [RawFrame::continuation("").unfinished()]);
            let mut probe = Probe::new(role);
            probe.receive([first, fragment.repeat(99_999)].concat());
            assert_failed(&mut probe, LimitError::TooManyFragments { limit: 65_536, actual: 65_537 });
        }
    }

    #[test]
    fn a_message_of_65_536_fragments_of_64_bytes_is_legal_and_one_more_is_not() {
        for role in ROLES {
            let first = bytes_for(role, [RawFrame::binary([7; 64]).unfinished()]);
            let middle = bytes_for(role, [RawFrame::continuation([7; 64]).unfinished()]);
            let last = bytes_for(role, [RawFrame::continuation([7; 64])]);
            let mut probe = Probe::new(role);
            probe.receive([&first[..], &middle.repeat(65_534), &last].concat());
            assert_eq!(probe.events, [Observed::Message(vec![7; 65_536 * 64].into())]);
            let mut probe = Probe::new(role);
            probe.receive([&first[..], &middle.repeat(65_535), &last].concat());
            assert_failed(&mut probe, LimitError::TooManyFragments { limit: 65_536, actual: 65_537 });
        }
    }

    /// What a probe of `role` says to a message of 80 MiB whose frames are so long.
    fn after_80_mib(role: Role, frame_bytes: usize) -> Probe {
        let first = RawFrame::binary(vec![7; frame_bytes]).unfinished();
        let middle = RawFrame::continuation(vec![7; frame_bytes]).unfinished();
        let middle = bytes_for(role, [middle]);
        let mut probe = Probe::new(role);
        probe.receive(bytes_for(role, [first]));
        let frames = (80 << 20) / frame_bytes;
        for _ in 1..frames {
            probe.receive(&middle);
        }
        probe
    }

    #[test]
    fn eighty_mib_assembled_from_frames_of_one_mib_fail_with_1009_as_the_17th_begins() {
        for role in ROLES {
            let mut probe = after_80_mib(role, 1 << 20);
            assert_failed(&mut probe, LimitError::MessageTooBig { limit: 16 << 20, actual: 17 << 20 });
        }
    }

    #[test]
    fn eighty_mib_in_one_frame_fail_with_1009_when_the_header_came() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            let header = RawFrame::binary("").length(Length::Declared(80 << 20));
            probe.receive(bytes_for(role, [header]));
            let failure = probe.connection.failure().cloned();
            assert!(matches!(failure, Some(Failure::Limit(_))), "{failure:?}");
            assert_failed(&mut probe, failure.unwrap());
            assert_eq!(probe.connection.failure().unwrap().close_code().get(), 1009);
        }
    }
}

mod reserved {
    use super::*;

    #[test]
    fn reserved_bits_without_an_extension_fail_with_1002() {
        for bits in 1..=7 {
            for frame in
                [RawFrame::text("a"), RawFrame::binary(""), RawFrame::ping("a"), RawFrame::close(1000, "")]
            {
                both_roles_fail([frame.rsv(bits)], ProtocolError::ReservedBits { bits });
            }
            let frames = [RawFrame::text("a").unfinished(), RawFrame::continuation("b").rsv(bits)];
            both_roles_fail(frames, ProtocolError::ReservedBits { bits });
        }
    }

    #[test]
    fn reserved_opcodes_fail_with_1002() {
        for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
            both_roles_fail([RawFrame::new(opcode, "")], ProtocolError::ReservedOpcode { opcode });
            both_roles_fail(
                [RawFrame::new(opcode, "with a payload")],
                ProtocolError::ReservedOpcode { opcode },
            );
        }
    }
}

mod memory {
    use super::*;

    #[test]
    fn a_declared_length_of_2_to_the_62_reserves_nothing() {
        for role in ROLES {
            let config = ws_testkit::config()
                .max_message_bytes(usize::MAX)
                .max_frame_bytes(usize::MAX)
                .build()
                .unwrap();
            let mut probe = Probe::with(ws_proto::Negotiated::new(role), config);
            probe.receive(bytes_for(role, [RawFrame::binary("begin").length(Length::Declared(1 << 62))]));
            assert!(
                probe.events.is_empty() && probe.connection.recv_buf().is_none(),
                "five bytes deserve no buffer"
            );
            let mut arrived = 5;
            while arrived < 1 << 20 {
                // What is lent is never more than the rule of the capacity allows: max(64 KiB, twice what arrived), all in all.
                let n = match probe.connection.recv_buf() {
                    Some(room) => {
                        assert!(
                            arrived + room.len() <= (64 << 10).max(2 * arrived),
                            "{} after {arrived}",
                            room.len()
                        );
                        room.len().min(9_000)
                    }
                    None => 1_000,
                };
                probe.receive_in(vec![0; n], Feed::Direct, Chunks::of(n));
                arrived += n;
            }
            assert!(probe.events.is_empty(), "{role:?}");
        }
    }

    #[test]
    fn by_default_a_declared_length_of_2_to_the_62_fails_with_1009() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            probe.receive(bytes_for(role, [RawFrame::binary("").length(Length::Declared(1 << 62))]));
            let failure = probe.connection.failure().cloned().unwrap();
            assert_eq!(failure.close_code().get(), 1009);
            assert_failed(&mut probe, failure);
        }
    }

    #[test]
    fn a_close_frame_is_exactly_its_code_and_reason() {
        let mut probe = Probe::new(Role::Server);
        probe.connection.close(ws_proto::CloseCode::NORMAL, "bye", probe.clock.now()).unwrap();
        assert_eq!(probe.wire(), [0x88, 5, 0x03, 0xE8, b'b', b'y', b'e']);
    }
}

#[cfg(feature = "getrandom")]
mod masking_keys {
    use super::*;
    use std::collections::BTreeSet;
    use ws_proto::{Config, Negotiated};

    #[test]
    fn every_frame_of_a_client_has_its_own_unpredictable_key() {
        let mut probe = Probe::with(Negotiated::new(Role::Client), Config::default());
        for _ in 0..1_000 {
            probe.connection.send("the same".into()).unwrap();
        }
        let frames = ws_testkit::raw::read_all(&probe.wire()).unwrap();
        let keys: BTreeSet<_> = frames.iter().map(|frame| frame.mask.unwrap()).collect();
        // By the birthday bound one pair of 1,000 is equal in one of 8,600 runs; two pairs are not to be seen.
        assert!(keys.len() >= 999);
        assert!(frames.iter().all(|frame| frame.payload == b"the same"));
        let mut another = Probe::with(Negotiated::new(Role::Client), Config::default());
        another.connection.send("the same".into()).unwrap();
        let frames = ws_testkit::raw::read_all(&another.wire()).unwrap();
        assert!(!keys.contains(&frames[0].mask.unwrap()), "another connection has other keys");
    }
}
