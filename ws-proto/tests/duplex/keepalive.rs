//! Pings, and when a peer counts as gone.

use super::*;

#[test]
fn a_ping_is_sent_after_the_interval_and_its_pong_tells_the_round_trip() {
    for role in ROLES {
        let mut pair = pair_where_one_pings(role);
        pair.latency = Duration::from_millis(120);
        pair.run_for(20 * SECOND - Duration::from_nanos(1));
        assert!(pair.end(role).sent.is_empty());
        pair.run_for(SECOND);
        assert_eq!(opcodes(&pair.end(role).sent), [9]);
        assert_eq!(opcodes(&pair.end(role.peer()).sent), [10]);
        let [Observed::Pong(pong)] = &pair.end(role).events[..] else { panic!("a pong") };
        assert_eq!(pong.round_trip, Some(Duration::from_millis(240)));
    }
}

#[test]
fn an_idle_connection_lives_for_as_long_as_the_line_does() {
    for role in ROLES {
        let mut pair = pair_where_one_pings(role);
        pair.latency = SECOND;
        pair.run_for(3_600 * SECOND);
        let pings = opcodes(&pair.end(role).sent).len();
        assert_eq!(pings, 3_600 / 22, "20 seconds of silence and 2 for the round trip");
        assert!(pair.client.connection.is_open() && pair.server.connection.is_open());
    }
}

#[test]
fn any_input_puts_the_next_ping_off() {
    for role in ROLES {
        let mut pair = pair_where_one_pings(role);
        for _ in 0..10 {
            pair.run_for(19 * SECOND);
            pair.end(role.peer()).connection.send("not idle".into()).unwrap();
        }
        pair.settle();
        assert!(pair.end(role).sent.is_empty());
    }
}

#[test]
fn a_peer_that_vanished_fails_the_connection_with_1011_after_the_pong_timeout() {
    for role in ROLES {
        let mut pair = pair_where_one_pings(role);
        pair.run_for(SECOND);
        pair.cut();
        pair.run_for(39 * SECOND - Duration::from_nanos(1));
        assert!(pair.end(role).events.is_empty());
        pair.run_for(Duration::from_nanos(1));
        assert_eq!(pair.end(role).events, [KEEPALIVE_FAILED]);
        let frames = raw::read_all(&pair.end(role).sent).unwrap();
        assert_eq!((frames.len(), frames[1].close_code()), (2, Some(1011)));
        assert!(!pair.end(role).is_closed(), "the peer may still have something to say");
        pair.run_for(5 * SECOND);
        assert!(pair.end(role).is_closed());
    }
}

#[test]
fn any_input_counts_as_an_answer() {
    for role in ROLES {
        let answers = [
            RawFrame::text("not a pong"),
            RawFrame::ping(""),
            RawFrame::pong("another"),
            RawFrame::text("").unfinished(),
        ];
        for answer in answers {
            let mut probe = Probe::new(role);
            probe.time_out();
            assert_eq!(probe.frames().len(), 1);
            probe.clock.advance(19 * SECOND);
            // One byte of it is enough.
            probe.receive(&bytes_for(role, [answer])[..1]);
            probe.time_out();
            assert_eq!(probe.clock.elapsed(), 59 * SECOND, "the next ping, an interval behind the byte");
            assert!(probe.connection.is_open() && !probe.frames().is_empty());
        }
    }
}

#[test]
fn only_a_read_that_found_nothing_lets_the_pong_be_missing() {
    for role in ROLES {
        let mut probe = Probe::new(role);
        probe.time_out();
        probe.wire();
        // The application is busy for a minute; the timer is handled, and then handled again, but nothing is read.
        probe.clock.advance(60 * SECOND);
        for _ in 0..3 {
            probe.connection.handle_timeout(probe.clock.now());
            assert!(probe.connection.is_open(), "{role:?}");
        }
        // The pong lay there all the time.
        probe.receive_frames([RawFrame::pong([0; 4])]);
        assert!(matches!(&probe.events[..], [Observed::Pong(pong)] if pong.round_trip == Some(60 * SECOND)));
        probe.connection.handle_timeout(probe.clock.now());
        assert!(probe.connection.is_open());
    }
}

#[test]
fn a_pong_that_is_missing_still_after_a_late_read_fails_the_connection() {
    for role in ROLES {
        let mut probe = Probe::new(role);
        probe.time_out();
        probe.clock.advance(60 * SECOND);
        probe.connection.handle_timeout(probe.clock.now());
        probe.poll();
        assert!(probe.connection.is_open(), "the read comes now");
        assert!(probe.time_out());
        assert_eq!(probe.events, [KEEPALIVE_FAILED]);
        assert_eq!(probe.clock.elapsed(), 80 * SECOND, "at once");
    }
}

#[test]
fn an_application_that_was_busy_for_an_hour_is_not_punished() {
    for role in ROLES {
        let mut pair = pair_where_one_pings(role);
        pair.latency = SECOND;
        pair.run_for(20 * SECOND);
        assert_eq!(opcodes(&pair.end(role).sent), [9]);
        pair.end(role).is_busy = true;
        pair.run_for(3_600 * SECOND);
        pair.end(role).is_busy = false;
        pair.run_for(100 * SECOND);
        assert!(pair.client.connection.is_open() && pair.server.connection.is_open());
        assert!(matches!(pair.end(role).events[0], Observed::Pong(_)));
    }
}

#[test]
fn a_slow_peer_is_not_gone_while_bytes_before_the_ping_go_on_moving() {
    for role in ROLES {
        let mut pair = pair_where_one_pings(role);
        pair.end(role).connection.send(vec![7; 500_000].into()).unwrap();
        for _ in 0..40 {
            // Too slow to get to the ping for ten minutes, and nothing comes back.
            pair.end(role).write_room = Some(1_000);
            pair.run_for(15 * SECOND);
            assert!(pair.end(role).connection.is_open());
        }
        pair.end(role).write_room = None;
        pair.run_for(SECOND);
        assert_eq!(opcodes(&pair.end(role).sent), [2, 9]);
        assert!(matches!(&pair.end(role).events[..], [Observed::Pong(_)]));
        pair.run_for(100 * SECOND);
        assert!(pair.end(role).connection.is_open());
    }
}

#[test]
fn a_peer_that_takes_nothing_for_the_whole_pong_timeout_is_gone() {
    for role in ROLES {
        let mut pair = pair_where_one_pings(role);
        pair.end(role).connection.send(vec![7; 500_000].into()).unwrap();
        pair.end(role).write_room = Some(1_000);
        pair.run_for(30 * SECOND);
        pair.end(role).write_room = Some(1_000);
        pair.run_for(30 * SECOND - Duration::from_nanos(1));
        assert!(pair.end(role).connection.is_open(), "it moved after the ping, before its deadline");
        pair.run_for(Duration::from_nanos(1));
        assert_eq!(pair.end(role).events, [KEEPALIVE_FAILED]);
        // Not even the Close frame can be written: the transport is closed all the same.
        pair.run_for(5 * SECOND);
        assert!(pair.end(role).is_closed());
    }
}

#[test]
fn a_ping_that_cannot_be_written_at_all_fails_the_connection() {
    for role in ROLES {
        let mut pair = pair_where_one_pings(role);
        pair.end(role).write_room = Some(0);
        pair.run_for(40 * SECOND);
        assert_eq!(pair.end(role).events, [KEEPALIVE_FAILED]);
    }
}

#[test]
fn without_an_interval_no_ping_is_sent_and_no_timer_runs() {
    for role in ROLES {
        let mut probe = Probe::with(Negotiated::new(role), config().ping_interval(None).build().unwrap());
        assert_eq!(probe.connection.poll_timeout(), None);
        probe.clock.advance(86_400 * SECOND);
        probe.connection.handle_timeout(probe.clock.now());
        assert!(probe.frames().is_empty());
    }
}

#[test]
fn a_ping_of_the_application_does_not_count_as_keepalive() {
    let mut probe = Probe::new(Role::Server);
    probe.connection.ping("mine".try_into().unwrap(), probe.clock.now()).unwrap();
    probe.time_out();
    assert_eq!((probe.clock.elapsed(), probe.frames().len()), (20 * SECOND, 2));
}
