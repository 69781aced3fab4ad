//! What a peer can make us queue, count or remember (§5.5, §10.4).

use super::*;
use ws_proto::{CloseCode, ControlPayload, Negotiated, SendRefusal};

#[test]
fn a_peer_that_floods_pings_and_reads_nothing_bounds_what_waits() {
    for role in ROLES {
        let config =
            ws_testkit::config().max_control_frames(u32::MAX).max_send_queue_bytes(10_000).build().unwrap();
        let mut probe = Probe::with(Negotiated::new(role), config);
        let ping = bytes_for(role, [RawFrame::ping([7; 125])]).repeat(100);
        for _ in 0..1_000 {
            probe.receive(&ping);
            probe.events.clear();
            if let Err(refused) = probe.connection.send(vec![0; 1_000].into()) {
                assert_eq!(refused.refusal(), SendRefusal::QueueFull);
            }
            assert!(probe.connection.transmit().len() < 14_000, "{role:?}: the mark, one message, 16 pongs");
        }
        assert!(probe.connection.is_open(), "{role:?}: 100,000 pings are no violation by themselves");
    }
}

#[test]
fn a_million_pings_are_answered_by_as_few_pongs_as_the_writes_allow() {
    let config = ws_testkit::config().max_control_frames(u32::MAX).build().unwrap();
    let mut probe = Probe::with(Negotiated::new(Role::Server), config);
    let pings = bytes_for(Role::Server, [RawFrame::ping("")]).repeat(10_000);
    for _ in 0..100 {
        probe.receive(&pings);
        probe.events.clear();
        assert!(probe.frames().len() <= 17, "16 in order, and the newest");
    }
}

#[test]
fn by_default_a_flood_of_control_frames_fails_with_1008() {
    for role in ROLES {
        for frame in [RawFrame::ping(""), RawFrame::pong("unasked"), RawFrame::pong([7; 125])] {
            let mut probe = Probe::new(role);
            probe.receive(bytes_for(role, [frame]).repeat(1_001));
            assert_failed(&mut probe, LimitError::TooManyControlFrames { limit: 1_000, actual: 1_001 });
        }
    }
}

#[test]
fn pings_that_nobody_answers_are_remembered_in_small_number() {
    let mut probe = Probe::new(Role::Client);
    for n in 0..10_000u32 {
        let payload = ControlPayload::try_from(&n.to_be_bytes()[..]).unwrap();
        probe.connection.ping(payload, probe.clock.now()).unwrap();
        probe.wire();
    }
    // Of those that are forgotten a pong tells no round trip; it is no violation.
    probe.receive_frames([RawFrame::pong(0u32.to_be_bytes()), RawFrame::pong(9_999u32.to_be_bytes())]);
    let trips: Vec<_> = probe
        .events
        .iter()
        .map(
            |event| {
                if let Observed::Pong(pong) = event { pong.round_trip.is_some() } else { panic!("a pong") }
            },
        )
        .collect();
    assert_eq!(trips, [false, true]);
}

/// Lets every timer fire, but not for ever.
fn expire(probe: &mut Probe) {
    for _ in 0..10 {
        probe.time_out();
    }
}

#[test]
fn a_close_frame_that_is_never_answered_or_never_read_holds_nothing_for_long() {
    for role in ROLES {
        let mut unanswered = Probe::new(role);
        unanswered.connection.close(CloseCode::NORMAL, "", unanswered.clock.now()).unwrap();
        expire(&mut unanswered);
        assert_eq!(unanswered.connection.transport(), ws_proto::Transport::Close, "{role:?}");
        assert!(unanswered.clock.elapsed() <= std::time::Duration::from_secs(10));

        // It sent a Close frame and takes no byte of our answer.
        let mut unread = Probe::new(role);
        unread.receive_frames([RawFrame::close(1000, "")]);
        expire(&mut unread);
        assert_eq!(unread.connection.transport(), ws_proto::Transport::Close, "{role:?}");
        assert!(unread.clock.elapsed() <= std::time::Duration::from_secs(10));
    }
}

#[test]
fn a_close_reason_does_not_reach_a_log_unescaped_by_what_we_print() {
    for role in ROLES {
        let mut probe = Probe::new(role);
        probe.receive_frames([RawFrame::close(1000, "bye\r\nERROR forged line\u{1b}[31m")]);
        let told = format!("{:?}", probe.events);
        assert!(told.contains("forged"), "it is told");
        assert!(!told.contains(char::is_control), "{told}");
        let mut probe = Probe::new(role);
        probe.receive_frames([RawFrame::text("forged\r\n").rsv(1)]);
        assert!(!probe.connection.failure().unwrap().to_string().contains(char::is_control));
    }
}
