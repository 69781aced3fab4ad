//! The closing handshake and the end of the transport: RFC 6455 §5.5.1, §7.

#[path = "../support/mod.rs"]
mod support;

mod transport;

use bytes::Buf;
use std::time::Duration;
use support::{ROLES, assert_failed, bytes_for};
use ws_proto::{
    ApiMisuse, CloseCode, CloseFrame, CloseInfo, Failure, Initiator, Message, ProtocolError, Role,
    SendRefusal, Timer, Transport,
};
use ws_testkit::raw::RawFrame;
use ws_testkit::{Observed, Probe};

fn close(probe: &mut Probe, code: CloseCode, reason: &str) {
    probe.connection.close(code, reason, probe.clock.now()).unwrap();
}

fn frame(code: CloseCode, reason: &str) -> CloseFrame {
    CloseFrame { code, reason: reason.into() }
}

mod s5_5_1_close {
    use super::*;

    #[test]
    fn a_close_frame_is_answered_with_its_code() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            probe.receive_frames([RawFrame::close(1001, "going")]);
            let info = CloseInfo {
                initiator: Initiator::Peer,
                sent: frame(CloseCode::GOING_AWAY, ""),
                received: frame(CloseCode::GOING_AWAY, "going"),
            };
            assert_eq!(probe.events, [Observed::Closed(info.clone())]);
            assert_eq!(probe.frames(), [RawFrame::close(1001, "")]);
            assert_eq!((probe.connection.close_info(), probe.connection.failure()), (Some(&info), None));
        }
    }

    #[test]
    fn an_empty_close_frame_is_answered_with_an_empty_one() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            probe.receive_frames([RawFrame::close_empty()]);
            let none = frame(CloseCode::NO_STATUS, "");
            let info = CloseInfo { initiator: Initiator::Peer, sent: none.clone(), received: none };
            assert_eq!(probe.events, [Observed::Closed(info)]);
            assert_eq!(probe.frames(), [RawFrame::close_empty()]);
        }
    }

    #[test]
    fn our_close_is_complete_with_the_peers_answer() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            close(&mut probe, CloseCode::NORMAL, "done");
            assert!(!probe.connection.is_open() && probe.connection.close_info().is_none());
            assert_eq!(probe.frames(), [RawFrame::close(1000, "done")]);
            probe.receive_frames([RawFrame::close(1000, "")]);
            let info = CloseInfo {
                initiator: Initiator::Local,
                sent: frame(CloseCode::NORMAL, "done"),
                received: frame(CloseCode::NORMAL, ""),
            };
            assert_eq!(probe.events, [Observed::Closed(info)]);
            assert!(probe.frames().is_empty(), "one Close frame");
        }
    }

    #[test]
    fn messages_are_received_until_the_peers_close_frame_and_none_is_sent_after_ours() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            probe.connection.send("before".into()).unwrap();
            close(&mut probe, CloseCode::NORMAL, "");
            let refused = probe.connection.send("after".into()).unwrap_err();
            assert_eq!(
                (refused.refusal(), refused.into_rejected()),
                (SendRefusal::Closed, Message::from("after"))
            );
            probe.receive_frames([
                RawFrame::text("late"),
                RawFrame::close(1000, ""),
                RawFrame::text("too late"),
            ]);
            assert_eq!(probe.events.len(), 2);
            assert_eq!(probe.events[0], Observed::from("late"));
            assert_eq!(probe.frames(), [RawFrame::text("before"), RawFrame::close(1000, "")]);
        }
    }

    #[test]
    fn closing_inside_a_fragmented_message_of_ours_leaves_it_unfinished() {
        let mut probe = Probe::new(Role::Server);
        probe.connection.send_fragment(ws_proto::MessageKind::Text, "open".into(), false).unwrap();
        close(&mut probe, CloseCode::GOING_AWAY, "");
        let refused =
            probe.connection.send_fragment(ws_proto::MessageKind::Text, "end".into(), true).unwrap_err();
        assert_eq!(refused.refusal(), SendRefusal::Closed);
        assert_eq!(probe.frames(), [RawFrame::text("open").unfinished(), RawFrame::close(1001, "")]);
    }

    #[test]
    fn closing_twice_sends_one_close_frame() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            close(&mut probe, CloseCode::NORMAL, "first");
            close(&mut probe, CloseCode::GOING_AWAY, "second");
            assert_eq!(probe.frames(), [RawFrame::close(1000, "first")]);
            probe.receive_frames([RawFrame::close(1000, "")]);
            close(&mut probe, CloseCode::NORMAL, "third");
            assert!(probe.frames().is_empty());
        }
    }

    #[test]
    fn a_full_send_queue_does_not_hold_the_close_frame_back() {
        let config = ws_testkit::config().max_send_queue_bytes(1).build().unwrap();
        let mut probe = Probe::with(ws_proto::Negotiated::new(Role::Server), config);
        probe.connection.send("full".into()).unwrap();
        close(&mut probe, CloseCode::NORMAL, "");
        assert_eq!(probe.frames(), [RawFrame::text("full"), RawFrame::close(1000, "")]);
    }

    #[test]
    fn a_reason_longer_than_123_bytes_is_cut_at_a_character() {
        let mut probe = Probe::new(Role::Server);
        close(&mut probe, CloseCode::NORMAL, &format!("a{}", "é".repeat(100)));
        assert_eq!(probe.frames(), [RawFrame::close(1000, format!("a{}", "é".repeat(61)))]);
        let mut probe = Probe::new(Role::Server);
        close(&mut probe, CloseCode::NORMAL, &format!("ab{}", "é".repeat(100)));
        assert_eq!(probe.frames(), [RawFrame::close(1000, format!("ab{}", "é".repeat(60)))]);
    }

    #[test]
    fn a_reason_of_123_bytes_is_received_and_sent_whole() {
        let reason = "r".repeat(123);
        for role in ROLES {
            let mut probe = Probe::new(role);
            close(&mut probe, CloseCode::NORMAL, &reason);
            probe.receive_frames([RawFrame::close(1000, &reason)]);
            assert_eq!(probe.frames(), [RawFrame::close(1000, &reason)]);
            assert_eq!(probe.connection.close_info().unwrap().received.reason, reason.as_str());
        }
    }

    #[test]
    fn a_reason_that_is_not_utf8_fails_with_1007() {
        for reason in [&b"\xFF"[..], b"abc\xED\xA0\x80", b"cut \xE2\x82"] {
            support::both_roles_fail([RawFrame::close(1000, reason)], ProtocolError::InvalidCloseReason);
        }
    }
}

mod s7_4_codes {
    use super::*;

    const MAY_BE_SENT: [std::ops::RangeInclusive<u16>; 3] = [1000..=1003, 1007..=1014, 3000..=4999];

    fn codes() -> impl Iterator<Item = (u16, bool)> {
        let edges = [0, 1, 999, 2000, 2999, 5000, 9999, u16::MAX];
        let all = (1000..=1020).chain([1100, 2998, 3000, 3001, 3999, 4000, 4998, 4999, 5001]).chain(edges);
        all.map(|code| (code, MAY_BE_SENT.iter().any(|range| range.contains(&code))))
    }

    #[test]
    fn received_codes_are_those_of_the_registry_and_others_fail_with_1002() {
        for (role, (code, legal)) in ROLES.into_iter().flat_map(|role| codes().map(move |code| (role, code)))
        {
            let mut probe = Probe::new(role);
            probe.receive_frames([RawFrame::close(code, "why")]);
            if legal {
                assert!(
                    matches!(&probe.events[..], [Observed::Closed(info)] if info.received.code.get() == code),
                    "{code}"
                );
                assert_eq!(probe.frames(), [RawFrame::close(code, "")]);
            } else {
                assert_failed(&mut probe, ProtocolError::InvalidCloseCode { code });
            }
        }
    }

    #[test]
    fn every_code_that_may_be_sent_is_sent() {
        for (code, legal) in codes() {
            assert_eq!(CloseCode::new(code).is_some(), legal, "{code}");
            if let Some(code) = CloseCode::new(code) {
                let mut probe = Probe::new(Role::Server);
                close(&mut probe, code, "");
                assert_eq!(probe.frames(), [RawFrame::close(code.get(), "")]);
            }
        }
    }

    #[test]
    fn no_status_sends_an_empty_close_frame_and_abnormal_cannot_be_sent() {
        let mut probe = Probe::new(Role::Client);
        let refused = probe.connection.close(CloseCode::ABNORMAL, "", probe.clock.now());
        assert_eq!(refused, Err(ApiMisuse::UnsendableCloseCode { code: 1006 }));
        assert!(probe.connection.is_open() && probe.frames().is_empty());
        close(&mut probe, CloseCode::NO_STATUS, "a reason needs a code");
        assert_eq!(probe.frames(), [RawFrame::close_empty()]);
    }
}

mod violations_while_closing {
    use super::*;

    #[test]
    fn a_violation_behind_our_close_frame_fails_without_a_second_one() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            close(&mut probe, CloseCode::NORMAL, "mine");
            probe.receive_frames([RawFrame::new(3, "")]);
            let failure = Failure::from(ProtocolError::ReservedOpcode { opcode: 3 });
            assert_eq!(probe.events, [Observed::Failed(failure)]);
            assert_eq!(probe.frames(), [RawFrame::close(1000, "mine")]);
        }
    }

    #[test]
    fn anything_behind_the_peers_close_frame_is_ignored() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            let mut bytes = bytes_for(role, [RawFrame::close(1000, ""), RawFrame::text("late")]);
            bytes.extend([0xFF; 100]);
            probe.receive(bytes);
            assert!(matches!(&probe.events[..], [Observed::Closed(_)]));
            assert_eq!(probe.frames(), [RawFrame::close(1000, "")]);
        }
    }
}
