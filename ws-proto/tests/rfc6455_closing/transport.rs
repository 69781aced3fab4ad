//! What becomes of the transport: who closes it, when, and what an end of the stream means (§7.1).

use super::*;

mod s7_1_1_transport {
    use super::*;

    #[test]
    fn an_open_or_closing_connection_keeps_its_transport() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            assert_eq!(probe.connection.transport(), Transport::KeepOpen);
            close(&mut probe, CloseCode::NORMAL, "");
            assert_eq!(probe.connection.transport(), Transport::KeepOpen);
            probe.wire();
            assert_eq!(
                probe.connection.transport(),
                Transport::KeepOpen,
                "{role:?} awaits the peer's Close frame"
            );
        }
    }

    #[test]
    fn the_server_closes_first_as_soon_as_its_close_frame_was_written() {
        let mut server = Probe::new(Role::Server);
        server.receive_frames([RawFrame::close(1000, "")]);
        let len = server.connection.transmit().len();
        for _ in 0..len {
            assert_eq!(server.connection.transport(), Transport::KeepOpen);
            server.connection.transmit().advance(1);
        }
        assert_eq!(server.connection.transport(), Transport::Close);
    }

    #[test]
    fn the_client_waits_for_the_server_to_close() {
        let mut client = Probe::new(Role::Client);
        client.receive_frames([RawFrame::close(1000, "")]);
        client.wire();
        assert_eq!(client.connection.transport(), Transport::KeepOpen);
        client.end_of_stream();
        assert_eq!(client.connection.transport(), Transport::Close);
        assert_eq!(client.events.len(), 1, "the end is no failure then");
    }

    #[test]
    fn the_client_does_not_wait_for_ever() {
        let mut client = Probe::new(Role::Client);
        client.receive_frames([RawFrame::close(1000, "")]);
        client.wire();
        assert!(client.time_out());
        assert_eq!(
            (client.clock.elapsed(), client.connection.transport()),
            (Duration::from_secs(5), Transport::Close)
        );
        assert_eq!((client.connection.poll_timeout(), client.events.len()), (None, 1));
    }

    #[test]
    fn a_server_that_failed_the_connection_reads_on_until_the_peer_ends() {
        let mut server = Probe::new(Role::Server);
        server.receive_frames([RawFrame::new(3, "")]);
        assert_eq!(server.connection.transport(), Transport::KeepOpen, "the Close frame is not written yet");
        server.wire();
        assert_eq!(server.connection.transport(), Transport::ShutdownWrite);
        server.receive_frames([RawFrame::binary([0; 1_000])]);
        assert_eq!(server.connection.transport(), Transport::ShutdownWrite);
        server.end_of_stream();
        assert_eq!(server.connection.transport(), Transport::Close);
    }

    #[test]
    fn a_server_that_failed_the_connection_does_not_read_on_for_ever() {
        let mut server = Probe::new(Role::Server);
        server.receive_frames([RawFrame::new(3, "")]);
        server.wire();
        assert!(server.time_out());
        assert_eq!(
            (server.clock.elapsed(), server.connection.transport()),
            (Duration::from_secs(5), Transport::Close)
        );
    }

    #[test]
    fn a_close_frame_that_cannot_be_written_does_not_hold_the_transport_for_ever() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            probe.receive_frames([RawFrame::new(3, "")]);
            assert!(probe.time_out());
            assert_eq!(probe.connection.transport(), Transport::Close, "{role:?}, with bytes left");
            assert!(!probe.connection.transmit().is_empty());
        }
    }
}

mod s7_1_5_end_of_stream {
    use super::*;

    #[test]
    fn an_end_without_a_close_frame_is_a_failure() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            probe.connection.send("queued".into()).unwrap();
            probe.end_of_stream();
            assert_eq!(probe.events, [Observed::Failed(Failure::EndOfStream)]);
            assert_eq!(probe.connection.failure().unwrap().close_code(), CloseCode::ABNORMAL);
            assert_eq!(probe.connection.transport(), Transport::KeepOpen, "what was queued still leaves");
            assert_eq!(probe.frames(), [RawFrame::text("queued")], "and no Close frame");
            assert_eq!(probe.connection.transport(), Transport::Close);
        }
    }

    #[test]
    fn an_end_inside_a_frame_is_a_failure_too() {
        for role in ROLES {
            let bytes = bytes_for(role, [RawFrame::text("Hello")]);
            for cut in 1..bytes.len() {
                let mut probe = Probe::new(role);
                probe.receive(&bytes[..cut]);
                probe.end_of_stream();
                assert_eq!(probe.events, [Observed::Failed(Failure::EndOfStream)]);
            }
        }
    }

    #[test]
    fn an_end_instead_of_the_answer_to_our_close_frame_is_a_failure() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            close(&mut probe, CloseCode::NORMAL, "");
            probe.end_of_stream();
            assert_eq!(probe.events, [Observed::Failed(Failure::EndOfStream)]);
            assert_eq!(probe.frames(), [RawFrame::close(1000, "")]);
            assert_eq!(probe.connection.transport(), Transport::Close);
        }
    }

    #[test]
    fn what_came_before_the_end_is_told_first() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            probe.receive_frames([RawFrame::text("last words")]);
            probe.end_of_stream();
            assert_eq!(probe.events, [Observed::from("last words"), Observed::Failed(Failure::EndOfStream)]);
        }
    }

    #[test]
    fn a_close_frame_directly_before_the_end_is_a_clean_close() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            probe.receive_frames([RawFrame::close(1000, "")]);
            probe.end_of_stream();
            assert!(matches!(&probe.events[..], [Observed::Closed(_)]));
            assert_eq!(probe.frames(), [RawFrame::close(1000, "")], "half-close: our answer still leaves");
            assert_eq!(probe.connection.transport(), Transport::Close);
        }
    }

    #[test]
    fn several_ends_are_one() {
        let mut probe = Probe::new(Role::Server);
        probe.end_of_stream();
        probe.end_of_stream();
        assert_eq!(probe.events.len(), 1);
    }
}

mod timeout {
    use super::*;

    #[test]
    fn a_close_frame_that_is_not_answered_fails_the_connection_after_five_seconds() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            close(&mut probe, CloseCode::NORMAL, "");
            probe.wire();
            assert!(probe.time_out());
            assert_eq!(probe.clock.elapsed(), Duration::from_secs(5));
            assert_eq!(probe.events, [Observed::Failed(Failure::Timeout(Timer::Close))]);
            assert_eq!(
                (probe.connection.transport(), probe.connection.poll_timeout()),
                (Transport::Close, None)
            );
            assert!(probe.frames().is_empty());
        }
    }

    #[test]
    fn an_early_call_does_nothing() {
        let mut probe = Probe::new(Role::Client);
        close(&mut probe, CloseCode::NORMAL, "");
        probe.clock.advance(Duration::from_millis(4_999));
        probe.connection.handle_timeout(probe.clock.now());
        probe.poll();
        assert!(probe.events.is_empty());
    }

    #[test]
    fn data_that_goes_on_coming_does_not_put_the_close_timeout_off() {
        let mut probe = Probe::new(Role::Client);
        close(&mut probe, CloseCode::NORMAL, "");
        let deadline = probe.connection.poll_timeout();
        probe.clock.advance(Duration::from_secs(3));
        probe.receive_frames([RawFrame::text("more"), RawFrame::ping("")]);
        assert_eq!(probe.connection.poll_timeout(), deadline);
    }
}
