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

#[test]
fn a_peer_that_never_stops_sending_does_not_hold_off_the_close_timeout() {
    for role in ROLES {
        let mut probe = Probe::new(role);
        probe.connection.close(CloseCode::NORMAL, "", probe.clock.now()).unwrap();
        let flood = bytes_for(role, [RawFrame::text("more").unfinished()]);
        probe.receive(&flood);
        // There is always something to read, so the driver never looks at its timer.
        let more = bytes_for(role, [RawFrame::continuation("and more").unfinished()]);
        for _ in 0..4 {
            assert_eq!(
                (probe.events.len(), probe.connection.is_over()),
                (0, false),
                "{role:?}: within the time"
            );
            probe.clock.advance(SECOND);
            probe.receive(&more);
        }
        probe.clock.advance(SECOND);
        probe.receive(&more);
        assert_eq!(probe.events, [Observed::Failed(Failure::Timeout(Timer::Close))], "{role:?}");
        assert_eq!(probe.connection.transport(), Transport::Close);
    }
}

#[test]
fn a_peer_that_never_stops_sending_does_not_hold_off_the_end_of_the_transport() {
    for role in ROLES {
        let mut probe = Probe::new(role);
        probe.receive(bytes_for(role, [RawFrame::new(3, "wrong")]));
        probe.wire();
        assert_ne!(probe.connection.transport(), Transport::Close);
        probe.clock.advance(5 * SECOND);
        probe.receive([0; 100]);
        assert_eq!(probe.connection.transport(), Transport::Close, "{role:?}");
    }
}

#[test]
fn a_close_frame_that_was_read_late_counts() {
    for role in ROLES {
        let mut probe = Probe::new(role);
        probe.connection.close(CloseCode::NORMAL, "", probe.clock.now()).unwrap();
        probe.clock.advance(3600 * SECOND);
        probe.receive(bytes_for(role, [RawFrame::text("last words"), RawFrame::close(1000, "")]));
        assert!(matches!(probe.events[..], [Observed::Message(_), Observed::Closed(_)]), "{role:?}");
    }
}
