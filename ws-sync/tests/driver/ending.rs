//! How connections end (RFC 6455 §7), seen from the stream.

use crate::support::{Scripted, events, quiet, retry, scripted};
use std::cell::Cell;
use std::io::ErrorKind;
use std::rc::Rc;
use ws_proto::{ApiMisuse, Failure, Initiator, Negotiated, ProtocolError, Role};
use ws_sync::{CloseCode, Error, Plain, WebSocket};
use ws_testkit::raw::{RawFrame, read_all};
use ws_testkit::{ScriptedIo, ScriptedPeer};

fn socket(role: Role) -> (WebSocket<Scripted>, ScriptedPeer, Rc<Cell<bool>>) {
    scripted(role, quiet().build().unwrap())
}

fn from_client(frame: RawFrame) -> Vec<u8> {
    frame.sent_by(Role::Client).to_bytes()
}

#[test]
fn a_server_ends_the_stream_when_both_close_frames_are_written() {
    let (mut ws, peer, shut) = socket(Role::Server);
    peer.send(from_client(RawFrame::close(1001, "leaving"))).refuse_write();
    let wait = ws.recv().unwrap_err().would_block().unwrap();
    assert!(wait.writable && wait.deadline.is_some(), "it does not end before its Close frame is written");
    assert!(!shut.get());
    assert_eq!(ws.recv().unwrap(), None);
    assert!(shut.get());
    assert_eq!(read_all(&peer.written()).unwrap(), [RawFrame::close(1001, "")]);
    let info = ws.close_info().unwrap();
    assert_eq!(
        (info.initiator, info.received.code, &*info.received.reason),
        (Initiator::Peer, CloseCode::GOING_AWAY, "leaving")
    );
    assert_eq!(ws.recv().unwrap(), None, "and so it stays");
    assert_eq!(ws.progress(), ws_sync::Wait::default());
}

#[test]
fn a_client_lets_the_server_end_the_stream_first() {
    let (mut ws, peer, shut) = socket(Role::Client);
    peer.send(RawFrame::close(1000, "").to_bytes()).not_ready();
    let wait = ws.recv().unwrap_err().would_block().unwrap();
    assert!(wait.readable && wait.deadline.is_some());
    assert_eq!(read_all(&peer.written()).unwrap()[0].close_code(), Some(1000));
    assert!(!shut.get());
    peer.end();
    assert_eq!(ws.recv().unwrap(), None);
    assert!(shut.get());
}

#[test]
fn close_sends_one_close_frame_however_often_it_is_called() {
    let (mut ws, peer, _) = socket(Role::Client);
    peer.send(RawFrame::text("discarded").to_bytes())
        .not_ready()
        .send(RawFrame::close(1000, "").to_bytes())
        .not_ready()
        .end();
    let info = retry(|| ws.close(CloseCode::NORMAL, "done")).unwrap();
    assert_eq!((info.initiator, &*info.sent.reason), (Initiator::Local, "done"));
    assert_eq!(read_all(&peer.written()).unwrap().len(), 1);
    assert!(matches!(
        ws.close(CloseCode::ABNORMAL, ""),
        Err(Error::Misuse(ApiMisuse::UnsendableCloseCode { code: 1006 }))
    ));
}

#[test]
fn behind_start_closing_messages_are_still_received() {
    let (mut ws, peer, _) = socket(Role::Client);
    ws.start_closing(CloseCode::NORMAL, "").unwrap();
    peer.send([RawFrame::text("last").to_bytes(), RawFrame::close_empty().to_bytes()].concat()).end();
    assert_eq!(ws.recv().unwrap(), Some("last".into()));
    assert_eq!(ws.recv().unwrap(), None);
    assert_eq!(ws.close_info().unwrap().received.code, CloseCode::NO_STATUS);
}

#[test]
fn a_violation_is_answered_and_the_rest_read_away_before_it_is_told() {
    let (mut ws, peer, shut) = socket(Role::Server);
    peer.send(RawFrame::text("unmasked").to_bytes()).send(from_client(RawFrame::text("ignored"))).not_ready();
    let wait = ws.recv().unwrap_err().would_block().unwrap();
    assert!(wait.readable && !wait.writable && wait.deadline.is_some());
    assert!(shut.get(), "our side is ended, the peer's is not");
    assert_eq!(read_all(&peer.written()).unwrap()[0].close_code(), Some(1002));
    peer.end();
    for _ in 0..2 {
        let error = ws.recv().unwrap_err();
        assert!(
            matches!(error, Error::Failed(Failure::Protocol(ProtocolError::UnmaskedClientFrame))),
            "{error}"
        );
    }
    assert_eq!(ws.close_info(), None);
}

#[test]
fn where_our_side_cannot_be_ended_alone_a_violation_is_told_at_once() {
    let (io, peer) = ScriptedIo::new();
    let config = quiet().build().unwrap();
    let mut ws = WebSocket::from_parts(Plain(io), Vec::new(), Negotiated::new(Role::Server), config);
    peer.send(RawFrame::text("unmasked").to_bytes());
    assert!(matches!(ws.recv(), Err(Error::Failed(_))));
    assert_eq!(read_all(&peer.written()).unwrap()[0].close_code(), Some(1002));
}

#[test]
fn an_end_without_a_close_frame_is_a_failure_that_loses_no_message() {
    for kind in [None, Some(ErrorKind::UnexpectedEof)] {
        let (mut ws, peer, _) = socket(Role::Client);
        peer.send(RawFrame::text("before").to_bytes());
        kind.map_or_else(|| peer.end(), |kind| peer.fail_read(kind));
        assert_eq!(ws.recv().unwrap(), Some("before".into()));
        assert!(matches!(ws.recv(), Err(Error::Failed(Failure::EndOfStream))), "{kind:?}");
    }
}

#[test]
fn an_error_behind_the_close_frames_is_a_clean_end() {
    for kind in [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset] {
        let (mut ws, peer, _) = socket(Role::Client);
        peer.send(RawFrame::close(1000, "").to_bytes()).fail_read(kind);
        assert_eq!(ws.recv().unwrap(), None, "{kind:?}");
        assert_eq!(ws.close_info().unwrap().received.code, CloseCode::NORMAL);
    }
}

#[test]
fn a_peer_that_closed_and_left_ended_cleanly_though_nothing_can_be_written_to_it() {
    let (mut ws, peer, _) = socket(Role::Server);
    peer.send(from_client(RawFrame::close(1000, "bye"))).fail_writes(ErrorKind::BrokenPipe).end();
    assert_eq!(ws.recv().unwrap(), None);
    assert_eq!(&*ws.close_info().unwrap().received.reason, "bye");
}

#[test]
fn a_close_frame_is_found_behind_a_write_that_failed() {
    let (mut ws, peer, _) = socket(Role::Client);
    peer.fail_writes(ErrorKind::BrokenPipe);
    let error = ws.send("lost").unwrap_err();
    assert!(error.into_rejected().is_none(), "it was taken");
    peer.send([RawFrame::text("news").to_bytes(), RawFrame::close(1008, "policy").to_bytes()].concat()).end();
    assert_eq!(ws.recv().unwrap(), Some("news".into()));
    assert_eq!(ws.recv().unwrap(), None);
    assert_eq!(ws.close_info().unwrap().received.code, CloseCode::POLICY_VIOLATION);
}

#[test]
fn a_broken_stream_stays_broken() {
    let (mut ws, peer, _) = socket(Role::Server);
    peer.fail_read(ErrorKind::ConnectionReset);
    for _ in 0..2 {
        let Error::Io(error) = ws.recv().unwrap_err() else { panic!("the stream failed") };
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    assert!(matches!(ws.send("a"), Err(ws_sync::SendError::Io(_))));
    assert!(matches!(ws.flush(), Err(Error::Io(_))));
    assert!(matches!(ws.close(CloseCode::NORMAL, ""), Err(Error::Io(_))));

    let (mut ws, peer, _) = socket(Role::Server);
    peer.fail_writes(ErrorKind::BrokenPipe).end();
    ws.send("a").unwrap_err();
    let (_, end) = events(&mut ws);
    assert!(matches!(end, Err(Error::Io(error)) if error.kind() == ErrorKind::BrokenPipe));
}

#[test]
fn a_stream_that_takes_nothing_has_failed() {
    let (mut ws, peer, _) = socket(Role::Server);
    peer.take_at_most(0);
    let ws_sync::SendError::Io(error) = ws.send("a").unwrap_err() else { panic!("it was queued") };
    assert_eq!(error.kind(), ErrorKind::WriteZero);
}
