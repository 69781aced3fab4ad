//! Pings and pongs: RFC 6455 §5.5.2, §5.5.3, and the bounds on answering them.

mod support;

use bytes::Buf;
use std::time::Duration;
use support::{ROLES, assert_failed, bytes_for};
use ws_proto::{ControlPayload, LimitError, MessageKind, Negotiated, ProtocolError, Role, SendRefusal};
use ws_testkit::raw::RawFrame;
use ws_testkit::{Observed, Probe, config};

fn ping(payload: &str) -> Observed {
    Observed::Ping(payload.try_into().unwrap())
}

fn numbered(n: usize) -> impl Iterator<Item = RawFrame> {
    (0..n).map(|i| RawFrame::ping(i.to_string()))
}

mod s5_5_2_ping {
    use super::*;

    #[test]
    fn a_ping_is_answered_by_a_pong_with_its_payload() {
        for role in ROLES {
            for payload in [vec![], vec![0xFF; 1], vec![7; 125]] {
                let mut probe = Probe::new(role);
                probe.receive_frames([RawFrame::ping(&payload)]);
                assert_eq!(probe.events, [Observed::Ping(payload[..].try_into().unwrap())]);
                assert_eq!(probe.frames(), [RawFrame::pong(payload)]);
            }
        }
    }

    #[test]
    fn a_ping_without_fin_fails_with_1002() {
        support::both_roles_fail([RawFrame::ping("").unfinished()], ProtocolError::FragmentedControlFrame);
        support::both_roles_fail([RawFrame::pong("").unfinished()], ProtocolError::FragmentedControlFrame);
        support::both_roles_fail(
            [RawFrame::close(1000, "").unfinished()],
            ProtocolError::FragmentedControlFrame,
        );
    }

    #[test]
    fn pongs_do_not_wait_behind_a_message_that_the_application_has_not_finished() {
        let mut probe = Probe::new(Role::Server);
        probe.connection.send_fragment(MessageKind::Text, "open".into(), false).unwrap();
        probe.receive_frames([RawFrame::ping("now")]);
        assert_eq!(probe.frames(), [RawFrame::text("open").unfinished(), RawFrame::pong("now")]);
    }

    #[test]
    fn a_full_send_queue_does_not_hold_pongs_back() {
        let mut probe =
            Probe::with(Negotiated::new(Role::Server), config().max_send_queue_bytes(10).build().unwrap());
        probe.connection.send("0123456789".into()).unwrap();
        probe.receive_frames([RawFrame::ping("now")]);
        assert_eq!(probe.frames(), [RawFrame::text("0123456789"), RawFrame::pong("now")]);
    }
}

mod s5_5_3_pong {
    use super::*;

    #[test]
    fn sixteen_pongs_are_kept_in_order() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            probe.receive_frames(numbered(16));
            assert_eq!(
                probe.frames(),
                numbered(16).map(|ping| RawFrame::pong(ping.payload)).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn beyond_sixteen_only_the_newest_ping_is_answered() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            probe.receive_frames(numbered(100));
            assert_eq!(probe.events.len(), 100, "the application sees all of them");
            let mut expected: Vec<_> = numbered(16).map(|ping| RawFrame::pong(ping.payload)).collect();
            expected.push(RawFrame::pong("99"));
            assert_eq!(probe.frames(), expected);
            probe.receive_frames([RawFrame::ping("and on")]);
            assert_eq!(probe.frames(), [RawFrame::pong("and on")], "written pongs do not count");
        }
    }

    #[test]
    fn the_newest_pong_leaves_as_soon_as_those_before_it_were_written() {
        let mut probe = Probe::new(Role::Server);
        probe.receive_frames(numbered(17));
        let transmit = probe.connection.transmit();
        assert_eq!(transmit.len(), 10 * 3 + 6 * 4);
        transmit.advance(10 * 3 + 6 * 4 - 1);
        assert_eq!(probe.connection.transmit().len(), 1, "one byte of the sixteenth is left");
        probe.receive_frames([RawFrame::ping("newest")]);
        assert_eq!(probe.connection.transmit().len(), 1);
        probe.connection.transmit().advance(1);
        assert_eq!(probe.frames(), [RawFrame::pong("newest")]);
    }

    #[test]
    fn pongs_that_wait_stand_in_their_order_among_messages() {
        let mut probe = Probe::new(Role::Server);
        probe.receive_frames([RawFrame::ping("1")]);
        probe.connection.send("a".into()).unwrap();
        probe.receive_frames([RawFrame::ping("2")]);
        assert_eq!(probe.frames(), [RawFrame::pong("1"), RawFrame::text("a"), RawFrame::pong("2")]);
    }

    #[test]
    fn a_flood_of_pings_does_not_grow_the_queue() {
        let mut probe = Probe::with(
            Negotiated::new(Role::Server),
            config().max_control_frames(u32::MAX).build().unwrap(),
        );
        let flood = bytes_for(Role::Server, [RawFrame::ping([7; 125])]).repeat(1_000);
        for _ in 0..100 {
            probe.receive(&flood);
            probe.events.clear();
        }
        assert_eq!(probe.connection.transmit().len(), 16 * 127);
    }

    #[test]
    fn an_unasked_pong_is_told_and_changes_nothing() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            probe.receive_frames([RawFrame::pong("unasked")]);
            let Some(Observed::Pong(pong)) = probe.events.first() else { panic!("a pong") };
            assert_eq!((&pong.payload[..], pong.round_trip), (&b"unasked"[..], None));
            assert!(probe.frames().is_empty());
        }
    }

    #[test]
    fn a_pong_tells_the_round_trip_of_its_ping() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            for payload in ["one", "two", "three"] {
                probe.connection.ping(payload.try_into().unwrap(), probe.clock.now()).unwrap();
                probe.clock.advance(Duration::from_millis(100));
            }
            probe.receive_frames([
                RawFrame::pong("two"),
                RawFrame::pong("one"),
                RawFrame::pong("three"),
                RawFrame::pong("three"),
            ]);
            let trips: Vec<_> = probe
                .events
                .iter()
                .map(|event| if let Observed::Pong(pong) = event { pong.round_trip } else { None })
                .collect();
            let expected = [Some(Duration::from_millis(200)), None, Some(Duration::from_millis(100)), None];
            assert_eq!(trips, expected, "§5.5.3: a pong answers older pings too");
        }
    }

    #[test]
    fn round_trips_of_many_pings_are_bounded_in_memory() {
        let mut probe = Probe::new(Role::Server);
        for i in 0..20 {
            probe
                .connection
                .ping(ControlPayload::try_from(i.to_string().as_str()).unwrap(), probe.clock.now())
                .unwrap();
        }
        probe.receive_frames([RawFrame::pong("3"), RawFrame::pong("4")]);
        let trips: Vec<_> = probe
            .events
            .iter()
            .map(|e| matches!(e, Observed::Pong(pong) if pong.round_trip.is_some()))
            .collect();
        assert_eq!(trips, [false, true], "the newest 16 are remembered");
    }

    #[test]
    fn automatic_pongs_and_pings_of_our_own_do_not_disturb_each_other() {
        let mut probe = Probe::new(Role::Client);
        probe.connection.ping("ours".try_into().unwrap(), probe.clock.now()).unwrap();
        probe.receive_frames([RawFrame::ping("theirs"), RawFrame::pong("ours")]);
        assert_eq!(probe.frames(), [RawFrame::ping("ours"), RawFrame::pong("theirs")]);
        assert!(matches!(&probe.events[1], Observed::Pong(pong) if pong.round_trip == Some(Duration::ZERO)));
    }
}

mod own_pings {
    use super::*;

    #[test]
    fn a_ping_is_given_back_when_too_much_waits_or_the_connection_is_closing() {
        let mut probe =
            Probe::with(Negotiated::new(Role::Server), config().max_send_queue_bytes(1).build().unwrap());
        probe.connection.send("a".into()).unwrap();
        let refused = probe.connection.ping("p".try_into().unwrap(), probe.clock.now()).unwrap_err();
        assert_eq!((refused.refusal(), &refused.into_rejected()[..]), (SendRefusal::QueueFull, &b"p"[..]));
        probe.wire();
        probe.connection.close(ws_proto::CloseCode::NORMAL, "", probe.clock.now()).unwrap();
        let refused = probe.connection.ping("p".try_into().unwrap(), probe.clock.now()).unwrap_err();
        assert_eq!(refused.refusal(), SendRefusal::Closed);
    }

    #[test]
    fn pings_after_our_close_frame_are_told_but_not_answered() {
        let mut probe = Probe::new(Role::Server);
        probe.connection.close(ws_proto::CloseCode::NORMAL, "", probe.clock.now()).unwrap();
        probe.receive_frames([RawFrame::ping("late")]);
        assert_eq!(probe.events, [ping("late")]);
        assert_eq!(probe.frames(), [RawFrame::close(1000, "")]);
    }

    #[test]
    fn a_pong_that_waited_for_room_is_not_sent_behind_our_close_frame() {
        let mut probe = Probe::new(Role::Server);
        probe.receive_frames(numbered(20));
        probe.connection.close(ws_proto::CloseCode::NORMAL, "", probe.clock.now()).unwrap();
        let frames = probe.frames();
        assert_eq!((frames.len(), frames.last()), (17, Some(&RawFrame::close(1000, ""))));
    }
}

mod rate {
    use super::*;

    fn probe(role: Role) -> Probe {
        Probe::with(Negotiated::new(role), config().max_control_frames(10).build().unwrap())
    }

    #[test]
    fn as_many_control_frames_a_second_as_the_limit_are_taken_and_one_more_fails_with_1008() {
        for role in ROLES {
            let mut probe = probe(role);
            probe.receive_frames(numbered(5).chain((0..5).map(|_| RawFrame::pong(""))));
            assert_eq!((probe.events.len(), probe.connection.is_open()), (10, true));
            probe.receive_frames(numbered(1));
            assert_failed(&mut probe, LimitError::TooManyControlFrames { limit: 10, actual: 11 });
        }
    }

    #[test]
    fn a_steady_rate_at_the_limit_goes_on() {
        for role in ROLES {
            let mut probe = probe(role);
            for _ in 0..100 {
                probe.receive_frames(numbered(10));
                probe.clock.advance(Duration::from_secs(1));
            }
            assert_eq!((probe.events.len(), probe.connection.is_open()), (1_000, true));
        }
    }

    #[test]
    fn data_frames_do_not_count() {
        let mut probe = probe(Role::Server);
        probe.receive_frames((0..100).map(|_| RawFrame::text("a")));
        assert_eq!((probe.events.len(), probe.connection.is_open()), (100, true));
    }

    #[test]
    fn by_default_a_thousand_are_taken_within_a_second() {
        let mut probe = Probe::new(Role::Server);
        probe.receive_frames(numbered(1_000));
        assert!(probe.connection.is_open());
        probe.receive_frames(numbered(1));
        assert_failed(&mut probe, LimitError::TooManyControlFrames { limit: 1_000, actual: 1_001 });
    }
}

mod send_queue {
    use super::*;
    use ws_proto::Message;

    #[test]
    fn a_send_into_a_full_queue_gives_the_message_back_until_something_was_written() {
        for role in ROLES {
            let mut probe =
                Probe::with(Negotiated::new(role), config().max_send_queue_bytes(100).build().unwrap());
            let header = if role == Role::Client { 6 } else { 2 };
            probe.connection.send(vec![7; 100 - header - 1].into()).unwrap();
            probe.connection.send("below the mark".into()).unwrap();
            let waiting = probe.connection.transmit().len();
            for _ in 0..3 {
                let refused = probe.connection.send("above the mark".into()).unwrap_err();
                assert_eq!(refused.refusal(), SendRefusal::QueueFull);
                assert_eq!(refused.into_rejected(), Message::from("above the mark"));
                let refused =
                    probe.connection.send_fragment(MessageKind::Text, "piece".into(), true).unwrap_err();
                assert_eq!(
                    (refused.refusal(), &refused.into_rejected()[..]),
                    (SendRefusal::QueueFull, &b"piece"[..])
                );
                let refused = probe.connection.send_prepared(&ws_proto::Prepared::new("many")).unwrap_err();
                assert_eq!(refused.refusal(), SendRefusal::QueueFull);
            }
            assert_eq!(probe.connection.transmit().len(), waiting);
            probe.connection.transmit().advance(waiting - 99);
            probe.connection.send("above the mark".into()).unwrap();
        }
    }
}
