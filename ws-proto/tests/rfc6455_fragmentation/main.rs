//! Messages in fragments: RFC 6455 §5.4, UTF-8 across them (§8.1), and the limits on them (§10.4).

#[path = "../support/mod.rs"]
mod support;

mod streaming;

use support::{ROLES, assert_failed, bytes_for};
use ws_proto::{Delivery, LimitError, Message, MessageKind, Negotiated, ProtocolError, Role, SendRefusal};
use ws_testkit::raw::{Length, RawFrame};
use ws_testkit::vectors::{UTF8_INVALID, UTF8_VALID};
use ws_testkit::{Observed, Probe, config, put_together};

mod s5_4_receiving {
    use super::*;

    #[test]
    fn a_fragmented_message_is_one_message() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            let frames = [
                RawFrame::text("one ").unfinished(),
                RawFrame::continuation("message").unfinished(),
                RawFrame::continuation(""),
                RawFrame::binary("").unfinished(),
                RawFrame::continuation("").unfinished(),
                RawFrame::continuation(""),
            ];
            probe.receive_frames(frames);
            assert_eq!(probe.events, [Observed::from("one message"), Observed::Message(Vec::new().into())]);
        }
    }

    #[test]
    fn control_frames_come_in_the_middle_of_a_message_in_their_order() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            let frames = [
                RawFrame::text("frag").unfinished(),
                RawFrame::ping("first"),
                RawFrame::continuation("men").unfinished(),
                RawFrame::ping("second"),
                RawFrame::pong("unasked"),
                RawFrame::continuation("ted"),
            ];
            probe.receive_frames(frames);
            let events: Vec<_> = probe.events.iter().map(std::mem::discriminant).collect();
            let [ping, pong, message] = [events[0], events[2], events[3]];
            assert_eq!(events, [ping, ping, pong, message]);
            assert_eq!(probe.events[3], Observed::from("fragmented"));
            assert_eq!(probe.frames(), [RawFrame::pong("first"), RawFrame::pong("second")]);
        }
    }

    #[test]
    fn a_close_frame_in_the_middle_of_a_message_ends_the_connection_without_it() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            probe.receive_frames([RawFrame::text("never").unfinished(), RawFrame::close(1001, "")]);
            assert!(matches!(&probe.events[..], [Observed::Closed(_)]));
            assert_eq!(probe.frames(), [RawFrame::close(1001, "")]);
        }
    }
}

mod s5_4_sending {
    use super::*;

    #[test]
    fn a_message_is_sent_piece_by_piece_with_control_frames_in_between() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            let connection = &mut probe.connection;
            connection.send_fragment(MessageKind::Text, "one ".into(), false).unwrap();
            connection.ping("between".try_into().unwrap(), probe.clock.now()).unwrap();
            connection.send_fragment(MessageKind::Text, "message".into(), false).unwrap();
            connection.send_fragment(MessageKind::Text, "".into(), true).unwrap();
            connection.send("another".into()).unwrap();
            let expected = [
                RawFrame::text("one ").unfinished(),
                RawFrame::ping("between"),
                RawFrame::continuation("message").unfinished(),
                RawFrame::continuation(""),
                RawFrame::text("another"),
            ];
            assert_eq!(probe.frames(), expected);
        }
    }

    #[test]
    fn a_send_while_a_fragmented_message_is_open_gives_the_message_back() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            let connection = &mut probe.connection;
            connection.send_fragment(MessageKind::Binary, "open".into(), false).unwrap();
            for refused in [connection.send("whole".into()), connection.send_uncompressed("whole".into())] {
                let refused = refused.unwrap_err();
                assert_eq!(refused.refusal(), SendRefusal::FragmentedMessageOpen);
                assert_eq!(refused.into_rejected(), Message::from("whole"));
            }
            let refused = connection.send_prepared(&ws_proto::Prepared::new("whole")).unwrap_err();
            assert_eq!(refused.refusal(), SendRefusal::FragmentedMessageOpen);
            connection.send_fragment(MessageKind::Binary, "done".into(), true).unwrap();
            connection.send("whole".into()).unwrap();
            let expected = [
                RawFrame::binary("open").unfinished(),
                RawFrame::continuation("done"),
                RawFrame::text("whole"),
            ];
            assert_eq!(probe.frames(), expected);
        }
    }

    #[test]
    fn a_fragment_of_another_kind_is_given_back_and_the_message_stays_open() {
        let mut probe = Probe::new(Role::Server);
        probe.connection.send_fragment(MessageKind::Text, "te".into(), false).unwrap();
        let refused = probe.connection.send_fragment(MessageKind::Binary, "xx".into(), true).unwrap_err();
        assert_eq!(
            (refused.refusal(), &refused.into_rejected()[..]),
            (SendRefusal::KindMismatch, &b"xx"[..])
        );
        probe.connection.send_fragment(MessageKind::Text, "xt".into(), true).unwrap();
        assert_eq!(probe.frames(), [RawFrame::text("te").unfinished(), RawFrame::continuation("xt")]);
    }

    #[test]
    fn text_fragments_may_split_a_character_but_must_be_utf8_in_the_end() {
        let mut probe = Probe::new(Role::Server);
        let (front, back) = "é".as_bytes().split_at(1);
        probe.connection.send_fragment(MessageKind::Text, front.into(), false).unwrap();
        for (wrong, fin) in [(&b"x"[..], false), (b"", true)] {
            let refused = probe.connection.send_fragment(MessageKind::Text, wrong.into(), fin).unwrap_err();
            assert_eq!((refused.refusal(), &refused.into_rejected()[..]), (SendRefusal::InvalidUtf8, wrong));
        }
        probe.connection.send_fragment(MessageKind::Text, back.into(), true).unwrap();
        assert_eq!(probe.frames(), [RawFrame::text(front).unfinished(), RawFrame::continuation(back)]);
    }

    #[test]
    fn a_first_text_fragment_that_is_not_utf8_opens_nothing() {
        let mut probe = Probe::new(Role::Server);
        let refused =
            probe.connection.send_fragment(MessageKind::Text, b"\xFF".as_slice().into(), false).unwrap_err();
        assert_eq!(refused.refusal(), SendRefusal::InvalidUtf8);
        probe.connection.send("whole".into()).unwrap();
        assert_eq!(probe.frames(), [RawFrame::text("whole")]);
    }

    #[test]
    fn fragments_sent_by_hand_are_cut_at_fragment_bytes_too() {
        let config = config().fragment_bytes(Some(4)).build().unwrap();
        let mut probe = Probe::with(Negotiated::new(Role::Server), config);
        probe.connection.send_fragment(MessageKind::Text, "abcdef".into(), false).unwrap();
        probe.connection.send_fragment(MessageKind::Text, "ghijk".into(), true).unwrap();
        let expected = [
            RawFrame::text("abcd").unfinished(),
            RawFrame::continuation("ef").unfinished(),
            RawFrame::continuation("ghij").unfinished(),
            RawFrame::continuation("k"),
        ];
        assert_eq!(probe.frames(), expected);
    }
}

mod s8_1_utf8 {
    use super::*;

    /// `text` in two fragments, cut everywhere.
    fn in_two_fragments(text: &[u8]) -> impl Iterator<Item = [RawFrame; 2]> {
        (0..=text.len()).map(|cut| {
            let (front, back) = text.split_at(cut);
            [RawFrame::text(front).unfinished(), RawFrame::continuation(back)]
        })
    }

    #[test]
    fn every_valid_text_is_taken_however_it_is_fragmented() {
        for (role, text) in
            ROLES.into_iter().flat_map(|role| UTF8_VALID.iter().map(move |text| (role, *text)))
        {
            let expected = [Observed::from(str::from_utf8(text).unwrap())];
            let mut probe = Probe::new(role);
            probe.receive_frames([RawFrame::text(text)]);
            assert_eq!(probe.events, expected);
            for frames in in_two_fragments(text) {
                let mut probe = Probe::new(role);
                probe.receive_frames(frames);
                assert_eq!(probe.events, expected);
            }
        }
    }

    #[test]
    fn every_invalid_text_fails_with_1007_however_it_is_fragmented() {
        for (role, (text, _)) in
            ROLES.into_iter().flat_map(|role| UTF8_INVALID.iter().map(move |text| (role, *text)))
        {
            let mut probe = Probe::new(role);
            probe.receive_frames([RawFrame::text(text)]);
            assert_failed(&mut probe, ProtocolError::InvalidUtf8);
            for frames in in_two_fragments(text) {
                let mut probe = Probe::new(role);
                probe.receive_frames(frames);
                assert_failed(&mut probe, ProtocolError::InvalidUtf8);
            }
        }
    }

    #[test]
    fn invalid_text_fails_with_the_very_byte_that_nothing_could_mend() {
        for role in ROLES {
            for (text, hopeless) in UTF8_INVALID {
                let frame = RawFrame::text([text, &b"more"[..]].concat()).unfinished();
                let bytes = bytes_for(role, [frame.clone()]);
                let head = bytes.len() - frame.payload.len();
                let mut probe = Probe::new(role);
                // An open character is hopeless with the next byte at the latest.
                let fatal = head + hopeless.unwrap_or(text.len() + 1);
                for (i, byte) in bytes.iter().enumerate().take(fatal) {
                    assert!(probe.events.is_empty(), "{text:02X?} failed before byte {i}");
                    probe.receive([*byte]);
                }
                assert_failed(&mut probe, ProtocolError::InvalidUtf8);
            }
        }
    }

    #[test]
    fn binary_messages_may_hold_anything() {
        for (text, _) in UTF8_INVALID {
            let mut probe = Probe::new(Role::Server);
            probe.receive_frames([RawFrame::binary(text)]);
            assert_eq!(probe.events, [Observed::Message((*text).into())]);
        }
    }
}

mod s10_4_limits {
    use super::*;

    fn probe(role: Role) -> Probe {
        let config = config().max_message_bytes(1_000).max_frame_bytes(600).max_fragments(5).build().unwrap();
        Probe::with(Negotiated::new(role), config)
    }

    #[test]
    fn a_message_of_exactly_the_limit_is_taken_and_one_byte_more_fails_with_1009() {
        for role in ROLES {
            let mut at_limit = probe(role);
            at_limit
                .receive_frames([RawFrame::binary([7; 600]).unfinished(), RawFrame::continuation([7; 400])]);
            assert_eq!(at_limit.events, [Observed::Message(vec![7; 1_000].into())]);
            let mut above = probe(role);
            above.receive_frames([RawFrame::binary([7; 600]).unfinished(), RawFrame::continuation([7; 401])]);
            assert_failed(&mut above, LimitError::MessageTooBig { limit: 1_000, actual: 1_001 });
        }
    }

    #[test]
    fn a_message_in_one_frame_of_exactly_the_limit_is_taken_and_one_byte_more_fails_with_1009() {
        for role in ROLES {
            let mut at_limit = support::probe_with_limit(role, 1_000);
            at_limit.receive_frames([RawFrame::binary([7; 1_000])]);
            assert_eq!(at_limit.events, [Observed::Message(vec![7; 1_000].into())]);
            let mut above = support::probe_with_limit(role, 1_000);
            above.receive_frames([RawFrame::binary([7; 1_001])]);
            assert_failed(&mut above, LimitError::MessageTooBig { limit: 1_000, actual: 1_001 });
        }
    }

    #[test]
    fn a_frame_of_exactly_the_limit_is_taken_and_one_byte_more_fails_with_1009() {
        for role in ROLES {
            let mut at_limit = probe(role);
            at_limit.receive_frames([RawFrame::binary([7; 600])]);
            assert_eq!(at_limit.events, [Observed::Message(vec![7; 600].into())]);
            let mut above = probe(role);
            above.receive_frames([RawFrame::binary([7; 601])]);
            assert_failed(&mut above, LimitError::FrameTooBig { limit: 600, actual: 601 });
        }
    }

    #[test]
    fn too_long_a_frame_fails_with_its_header_and_never_reads_its_payload() {
        for role in ROLES {
            let mut probe = probe(role);
            probe.receive(bytes_for(role, [RawFrame::binary("").length(Length::Declared(601))]));
            assert_failed(&mut probe, LimitError::FrameTooBig { limit: 600, actual: 601 });
        }
    }

    #[test]
    fn as_many_fragments_as_the_limit_are_taken_and_one_more_fails_with_1008() {
        for role in ROLES {
            let first = || [RawFrame::binary("").unfinished()].into_iter();
            let middle = |n| std::iter::repeat_n(RawFrame::continuation("x").unfinished(), n);
            let last = || [RawFrame::continuation("x")].into_iter();
            let mut at_limit = probe(role);
            at_limit.receive_frames(first().chain(middle(3)).chain(last()));
            assert_eq!(at_limit.events, [Observed::Message(b"xxxx".as_slice().into())]);
            let mut above = probe(role);
            above.receive_frames(first().chain(middle(4)).chain(last()));
            assert_failed(&mut above, LimitError::TooManyFragments { limit: 5, actual: 6 });
        }
    }

    #[test]
    fn an_empty_last_fragment_does_not_count() {
        for role in ROLES {
            let mut probe = probe(role);
            let pieces = (0..4).map(|_| RawFrame::continuation("x").unfinished());
            let frames = [RawFrame::binary("x").unfinished()]
                .into_iter()
                .chain(pieces)
                .chain([RawFrame::continuation("")]);
            probe.receive_frames(frames);
            assert_eq!(probe.events, [Observed::Message(b"xxxxx".as_slice().into())]);
        }
    }

    #[test]
    fn the_limit_counts_each_message_for_itself() {
        let mut probe = probe(Role::Server);
        for _ in 0..10 {
            probe.receive_frames([RawFrame::binary([7; 500]).unfinished(), RawFrame::continuation([7; 500])]);
        }
        assert_eq!(probe.events.len(), 10);
    }
}
