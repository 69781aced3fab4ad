//! Calls that come early, often or late.

use super::*;

#[test]
fn calls_that_come_early_or_often_do_nothing() {
    for role in ROLES {
        let mut probe = Probe::new(role);
        for _ in 0..200 {
            probe.clock.advance(SECOND / 10);
            if probe.clock.elapsed() == 20 * SECOND {
                break;
            }
            probe.connection.handle_timeout(probe.clock.now());
            probe.poll();
        }
        assert!(probe.frames().is_empty());
        for _ in 0..10 {
            probe.connection.handle_timeout(probe.clock.now());
            probe.poll();
        }
        assert_eq!(probe.frames().len(), 1, "one ping");
    }
}

#[test]
fn a_timeout_that_is_out_of_the_clocks_range_is_as_good_as_never() {
    for role in ROLES {
        let settings = config()
            .ping_interval(Some(Duration::MAX))
            .pong_timeout(Duration::MAX)
            .idle_timeout(Some(Duration::MAX))
            .close_timeout(Duration::MAX);
        let mut probe = Probe::with(Negotiated::new(role), settings.build().unwrap());
        probe.clock.advance(86_400 * 365 * SECOND);
        probe.connection.handle_timeout(probe.clock.now());
        probe.connection.close(CloseCode::NORMAL, "", probe.clock.now()).unwrap();
        probe.clock.advance(86_400 * 365 * SECOND);
        probe.connection.handle_timeout(probe.clock.now());
        probe.poll();
        assert!(probe.events.is_empty());
    }
}

#[test]
fn a_connection_whose_end_was_seen_waits_for_nothing() {
    for role in ROLES {
        let mut probe = Probe::new(role);
        probe.receive_frames([RawFrame::close(1000, "")]);
        probe.wire();
        probe.time_out();
        assert_eq!((probe.connection.poll_timeout(), probe.connection.transport()), (None, Transport::Close));
    }
}
