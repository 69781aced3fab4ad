//! Deadlines, and streams that end early.

use super::*;

const TIMEOUT: Duration = Duration::from_secs(10);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

#[test]
fn a_request_that_trickles_in_is_answered_with_408() {
    let mut server = server();
    let mut input = &REQUEST.as_bytes()[..50];
    assert!(server.poll_event(&mut input, start()).is_none());
    let deadline = server.poll_timeout().unwrap();
    assert!(server.poll_event(&mut &b"x"[..], deadline - TIMEOUT / 2).is_none());
    assert_eq!(server.poll_timeout(), Some(deadline), "bytes do not move the deadline");
    server.handle_timeout(deadline - Duration::from_nanos(1));
    assert!(server.transmit().is_empty(), "an early call does nothing");
    server.handle_timeout(deadline);
    assert!(matches!(
        server.poll_event(&mut &[][..], deadline),
        Some(ServerHandshakeEvent::Failed(HandshakeError::Timeout))
    ));
    assert!(server.poll_event(&mut &[][..], deadline).is_none());
    assert_eq!(server.transport(), Transport::KeepOpen, "the response is to be written first");
    assert!(written(server.transmit()).starts_with("HTTP/1.1 408 Request Timeout\r\n"));
    assert_eq!(server.transport(), Transport::ShutdownWrite);
    assert_eq!(server.poll_timeout(), Some(deadline + CLOSE_TIMEOUT));
    server.handle_timeout(deadline + CLOSE_TIMEOUT);
    assert_eq!((server.transport(), server.poll_timeout()), (Transport::Close, None));
}

#[test]
fn who_does_not_read_its_refusal_is_left() {
    let mut server = server();
    let mut input = &b"BAD\r\n\r\n"[..];
    assert!(matches!(server.poll_event(&mut input, start()), Some(ServerHandshakeEvent::Failed(_))));
    let deadline = server.poll_timeout().unwrap();
    server.handle_timeout(deadline);
    assert_eq!((server.transmit().remaining(), server.transport()), (0, Transport::Close));
}

#[test]
fn the_time_that_the_application_takes_is_not_measured() {
    let mut server = server();
    assert!(server.poll_event(&mut REQUEST.as_bytes(), start()).is_some());
    assert_eq!(server.poll_timeout(), None);
    server.handle_timeout(start() + TIMEOUT * 100);
    server.handle_eof(start());
    server.accept(Acceptance::default()).unwrap();
    assert!(server.finish().is_some());
}

#[test]
fn an_early_end_of_the_client_is_told_and_answered_where_it_said_anything() {
    for (sent, status) in [(&b""[..], ""), (b"GET ", "HTTP/1.1 400 ")] {
        let mut server = server();
        assert!(server.poll_event(&mut &sent[..], start()).is_none());
        server.handle_eof(start());
        assert!(matches!(
            server.poll_event(&mut &[][..], start()),
            Some(ServerHandshakeEvent::Failed(HandshakeError::EndOfStream))
        ));
        assert!(written(server.transmit()).starts_with(status));
        assert_eq!(server.transport(), Transport::Close, "there is nobody to wait for");
    }
}

#[test]
fn a_client_does_not_wait_longer_than_it_said() {
    let mut client = client(get("ws://example.com/"));
    let deadline = client.poll_timeout().unwrap();
    client.handle_timeout(deadline - Duration::from_nanos(1));
    assert!(client.poll_event(&mut &b"HTTP/1.1 101"[..], deadline).is_none());
    client.handle_timeout(deadline);
    assert!(matches!(
        client.poll_event(&mut &[][..], deadline),
        Some(ClientHandshakeEvent::Failed(HandshakeError::Timeout))
    ));
    assert!(client.poll_event(&mut RESPONSE.as_bytes(), deadline).is_none());
    assert_eq!((client.transport(), client.poll_timeout()), (Transport::Close, None));
}

#[test]
fn an_early_end_of_the_server_is_a_failure() {
    let mut client = client(get("ws://example.com/"));
    client.handle_eof(start());
    client.handle_eof(start());
    assert!(matches!(
        client.poll_event(&mut &[][..], start()),
        Some(ClientHandshakeEvent::Failed(HandshakeError::EndOfStream))
    ));
    assert!(client.poll_event(&mut &[][..], start()).is_none());
}

#[test]
fn a_timeout_beyond_the_clock_is_none() {
    let config = settings().handshake_timeout(Duration::MAX).build().unwrap();
    assert_eq!(ServerHandshake::new(config, start()).poll_timeout(), None);
}
