//! Timers. They are real, and short; nothing is asserted about how long anything took.

use crate::support::{Scripted, blocking, quiet, retry, scripted, tcp_pair};
use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::Duration;
use ws_proto::handshake::HandshakeError;
use ws_proto::{Config, Failure, Role, Timer};
use ws_sync::{Accepting, CloseCode, Error, Event, Message, OpenError, SendError};
use ws_testkit::raw::{RawFrame, read_all};

const SHORT: Duration = Duration::from_millis(2);

fn short() -> Config {
    quiet()
        .ping_interval(Some(SHORT))
        .pong_timeout(SHORT)
        .close_timeout(SHORT)
        .handshake_timeout(SHORT)
        .build()
        .unwrap()
}

#[test]
fn a_blocking_recv_notices_a_silent_peer() {
    let (near, mut far) = tcp_pair();
    let mut ws = blocking(near, Role::Server, short());
    let error = ws.recv().unwrap_err();
    assert!(matches!(error, Error::Failed(Failure::Timeout(Timer::Pong))), "{error}");
    drop(ws);
    let mut wire = Vec::new();
    far.read_to_end(&mut wire).unwrap();
    let frames = read_all(&wire).unwrap();
    assert_eq!((frames[0].opcode, frames[1].close_code()), (0x9, Some(1011)));
}

#[test]
fn a_blocking_recv_gives_up_when_its_time_is_over_and_loses_nothing() {
    let (near, mut far) = tcp_pair();
    let mut ws = blocking(near, Role::Client, quiet().build().unwrap());
    let frame = RawFrame::text("hello").to_bytes();
    far.write_all(&frame[..4]).unwrap();
    ws.set_recv_timeout(Some(SHORT));
    assert!(ws.recv().unwrap_err().would_block().is_some_and(|wait| wait.readable));
    assert!(ws.recv_event().unwrap_err().would_block().is_some());
    far.write_all(&frame[4..]).unwrap();
    ws.set_recv_timeout(None);
    assert_eq!(ws.recv().unwrap(), Some("hello".into()));
}

#[test]
fn a_message_that_comes_byte_by_byte_does_not_prolong_the_time_to_receive_it() {
    let (near, far) = tcp_pair();
    let sender = thread::spawn(move || {
        let frame = RawFrame::binary(vec![0; 8 << 20]).to_bytes();
        let sent = frame.iter().take_while(|byte| (&far).write_all(&[**byte]).is_ok()).count();
        assert!(sent < frame.len());
    });
    let mut ws = blocking(near, Role::Client, quiet().build().unwrap());
    ws.set_recv_timeout(Some(SHORT));
    assert!(ws.recv().unwrap_err().would_block().is_some());
    drop(ws);
    sender.join().unwrap();
}

#[test]
fn a_message_that_was_read_is_handed_out_however_short_the_time() {
    let (near, mut far) = tcp_pair();
    let mut ws = blocking(near, Role::Client, quiet().build().unwrap());
    far.write_all(&[RawFrame::text("one").to_bytes(), RawFrame::text("two").to_bytes()].concat()).unwrap();
    ws.set_recv_timeout(Some(Duration::ZERO));
    assert_eq!(retry(|| ws.recv()).unwrap(), Some("one".into()));
    assert_eq!(retry(|| ws.recv()).unwrap(), Some("two".into()));
}

#[test]
fn a_closing_handshake_has_its_own_time() {
    let (near, far) = tcp_pair();
    let server = thread::spawn(move || {
        let mut ws = blocking(far, Role::Server, quiet().build().unwrap());
        assert_eq!(ws.recv().unwrap(), None);
    });
    let mut ws = blocking(near, Role::Client, quiet().build().unwrap());
    ws.set_recv_timeout(Some(Duration::ZERO));
    assert_eq!(ws.close(CloseCode::NORMAL, "").unwrap().received.code, CloseCode::NORMAL);
    server.join().unwrap();
}

#[test]
fn a_peer_that_answers_pings_is_kept() {
    let (near, far) = tcp_pair();
    let patient = quiet().ping_interval(Some(SHORT)).build().unwrap();
    let client = thread::spawn(move || {
        let mut ws = blocking(near, Role::Client, quiet().build().unwrap());
        for _ in 0..3 {
            assert!(matches!(ws.recv_event().unwrap(), Some(Event::Ping(_))));
        }
        ws.close(CloseCode::NORMAL, "").unwrap();
    });
    let mut ws = blocking(far, Role::Server, patient);
    while let Some(event) = ws.recv_event().unwrap() {
        assert!(matches!(event, Event::Pong(pong) if pong.round_trip.is_some()));
    }
    client.join().unwrap();
}

#[test]
fn a_blocking_close_does_not_wait_for_ever() {
    let (near, _far) = tcp_pair();
    let mut ws = blocking(near, Role::Client, short());
    let error = ws.close(CloseCode::NORMAL, "").unwrap_err();
    assert!(matches!(error, Error::Failed(Failure::Timeout(Timer::Close))), "{error}");
}

#[test]
fn a_client_does_not_wait_for_ever_for_the_server_to_end_the_stream() {
    let (near, mut far) = tcp_pair();
    let mut ws = blocking(near, Role::Client, short());
    far.write_all(&RawFrame::close(1000, "").to_bytes()).unwrap();
    assert_eq!(ws.recv().unwrap(), None);
}

#[test]
fn a_peer_that_never_stops_sending_does_not_hold_up_the_close_timeout() {
    let (near, far) = tcp_pair();
    let sender = thread::spawn(move || {
        let message = RawFrame::text([b'a'; 1000]).to_bytes();
        while (&far).write_all(&message).is_ok() {}
    });
    let mut ws = blocking(near, Role::Client, short());
    let error = ws.close(CloseCode::NORMAL, "").unwrap_err();
    assert!(matches!(error, Error::Failed(Failure::Timeout(Timer::Close))), "{error}");
    drop(ws);
    sender.join().unwrap();
}

#[test]
fn a_blocking_send_gives_up_on_a_peer_that_takes_nothing() {
    let (near, _far) = tcp_pair();
    let mut ws = blocking(near, Role::Server, short());
    let error = loop {
        if let Err(error) = ws.send(vec![0; 1 << 20]) {
            break error;
        }
    };
    assert!(matches!(error, SendError::Io(error) if error.kind() == ErrorKind::TimedOut));
}

#[test]
fn a_non_blocking_send_gives_up_on_a_peer_that_takes_nothing() {
    let (near, _far) = tcp_pair();
    let mut ws = blocking(near, Role::Server, short());
    ws.set_nonblocking(true).unwrap();
    let message = Message::from(vec![0; 1 << 20]);
    let error = loop {
        match ws.send(message.clone()) {
            Ok(()) => {}
            Err(SendError::Refused(_)) => assert!(ws.progress().deadline.is_some()),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, SendError::Io(error) if error.kind() == ErrorKind::TimedOut));
}

#[test]
fn a_blocking_close_behind_a_full_stream_gives_up() {
    let (near, _far) = tcp_pair();
    near.set_nonblocking(true).unwrap();
    while let Ok(n) = (&near).write(&[0; 1 << 16]) {
        assert!(n > 0);
    }
    let mut ws = blocking(near, Role::Server, short());
    assert!(ws.close(CloseCode::NORMAL, "").is_err());
}

#[test]
fn the_opening_handshake_has_a_deadline_in_both_roles() {
    let (near, far) = tcp_pair();
    let error = ws_sync::accept(near, short()).unwrap_err();
    assert!(matches!(error, OpenError::Handshake(HandshakeError::Timeout)), "{error}");
    let mut answer = String::new();
    (&far).read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");

    let (near, _far) = tcp_pair();
    let request = http::Request::get("ws://localhost/").body(()).unwrap();
    let error = ws_sync::connect(near, request, short()).unwrap_err();
    assert!(matches!(error, OpenError::Handshake(HandshakeError::Timeout)), "{error}");
}

#[test]
fn a_non_blocking_caller_is_told_the_deadline_and_recv_sees_to_it() {
    let (mut ws, peer, _) = scripted(Role::Server, short());
    assert!(ws.progress().deadline.is_some());
    let error = retry(|| ws.recv()).unwrap_err();
    assert!(matches!(error, Error::Failed(Failure::Timeout(Timer::Pong))), "{error}");
    let frames = read_all(&peer.written()).unwrap();
    assert_eq!((frames[0].opcode, frames[1].close_code()), (0x9, Some(1011)));

    let (stream, peer, _) = Scripted::new();
    let mut accepting = Accepting::new(stream, short());
    assert!(accepting.advance().unwrap_err().would_block().unwrap().deadline.is_some());
    let error = retry(|| accepting.advance()).unwrap_err();
    assert!(matches!(error, OpenError::Handshake(HandshakeError::Timeout)), "{error}");
    assert!(peer.written().starts_with(b"HTTP/1.1 408 "));
}

#[test]
fn an_idle_connection_is_closed_though_the_peer_answers_pings() {
    let (near, far) = tcp_pair();
    let client =
        thread::spawn(move || blocking(near, Role::Client, quiet().build().unwrap()).recv().unwrap());
    let config = quiet().ping_interval(Some(SHORT)).idle_timeout(Some(10 * SHORT)).build().unwrap();
    let mut ws = blocking(far, Role::Server, config);
    assert_eq!(ws.recv().unwrap(), None);
    assert_eq!(ws.close_info().unwrap().sent.code, CloseCode::GOING_AWAY);
    drop(ws);
    assert_eq!(client.join().unwrap(), None);
}

#[test]
fn a_stream_that_does_not_block_is_no_busy_loop_whatever_the_socket_was_told() {
    let (near, _far) = tcp_pair();
    let mut ws =
        blocking(near, Role::Client, quiet().ping_interval(Some(Duration::from_secs(60))).build().unwrap());
    ws.get_ref().set_nonblocking(true).unwrap();
    assert!(ws.recv().unwrap_err().would_block().unwrap().readable);
    ws.set_nonblocking(true).unwrap();
    assert!(ws.recv().unwrap_err().would_block().unwrap().deadline.is_some());
}
