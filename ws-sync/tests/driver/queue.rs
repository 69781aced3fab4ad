//! What is written when, and what happens when the stream takes no more.

use crate::support::{Scripted, quiet, retry, scripted};
use ws_proto::{Role, SendRefusal};
use ws_sync::{CloseCode, Error, Message, Prepared, SendError, Wait, WebSocket};
use ws_testkit::ScriptedPeer;
use ws_testkit::raw::{RawFrame, read_all};

fn server() -> (WebSocket<Scripted>, ScriptedPeer) {
    let (ws, peer, _) = scripted(Role::Server, quiet().max_send_queue_bytes(1000).build().unwrap());
    (ws, peer)
}

#[test]
fn send_writes_before_it_returns() {
    let (mut ws, peer) = server();
    ws.send("a").unwrap();
    assert_eq!(peer.take_written(), b"\x81\x01a");
    ws.send_prepared(&Prepared::new("b")).unwrap();
    assert_eq!((peer.take_written(), peer.flushes()), (b"\x81\x01b".to_vec(), 2));
}

#[test]
fn fed_messages_leave_together_before_recv_would_block() {
    let (mut ws, peer) = server();
    let frames =
        [RawFrame::text("1"), RawFrame::text("2")].map(|frame| frame.sent_by(Role::Client).to_bytes());
    peer.send(frames.concat());
    for _ in 0..2 {
        let message = ws.recv().unwrap().unwrap();
        ws.feed(message).unwrap();
        assert_eq!(peer.written(), b"", "more was read already");
    }
    assert!(ws.recv().unwrap_err().would_block().is_some());
    assert_eq!((peer.written(), peer.flushes()), (b"\x81\x011\x81\x012".to_vec(), 1));
}

#[test]
fn fed_messages_leave_when_many_bytes_are_queued() {
    let (mut ws, peer, _) = scripted(Role::Server, quiet().build().unwrap());
    for _ in 0..66 {
        ws.feed(vec![0; 1000]).unwrap();
    }
    assert_eq!(peer.written().len(), 66 * 1004);
}

#[test]
fn a_full_queue_gives_the_message_back_and_takes_it_once_there_is_room() {
    let (mut ws, peer) = server();
    peer.refuse_write().refuse_write();
    ws.send(vec![1; 1000]).unwrap();
    let error = ws.send("kept").unwrap_err();
    assert_eq!(error.refusal(), Some(SendRefusal::QueueFull));
    let message = error.into_rejected().unwrap();
    assert_eq!(message, "kept".into());
    assert!(ws.progress().writable);
    ws.send(message).unwrap();
    let frames = read_all(&peer.written()).unwrap();
    assert_eq!(frames, [RawFrame::binary([1; 1000]), RawFrame::text("kept")]);
}

#[test]
fn flush_tells_what_it_waits_for() {
    let (mut ws, peer) = server();
    peer.refuse_write().refuse_write();
    ws.send("a").unwrap();
    let Error::WouldBlock(wait) = ws.flush().unwrap_err() else { panic!("it is not ready") };
    assert_eq!(wait, Wait { readable: true, writable: true, deadline: None });
    assert_eq!(ws.progress(), wait);
    ws.flush().unwrap();
    assert_eq!(ws.progress(), Wait { readable: true, writable: false, deadline: None });
}

#[test]
fn behind_our_close_frame_messages_are_given_back() {
    let (mut ws, _peer) = server();
    ws.start_closing(CloseCode::NORMAL, "").unwrap();
    let SendError::Refused(refused) = ws.send("late").unwrap_err() else { panic!("the stream is fine") };
    assert_eq!((refused.refusal(), refused.into_rejected()), (SendRefusal::Closed, Message::from("late")));
    assert!(!ws.is_open());
}

#[test]
fn a_pong_leaves_by_itself() {
    let (mut ws, peer) = server();
    peer.send(RawFrame::ping("hi").sent_by(Role::Client).to_bytes());
    assert!(ws.recv().is_err());
    assert_eq!(peer.written(), b"\x8A\x02hi");
}

#[test]
fn taking_a_socket_apart_loses_nothing_that_is_whole() {
    let (mut ws, peer) = server();
    let frames =
        [RawFrame::text("1"), RawFrame::text("2")].map(|frame| frame.sent_by(Role::Client).to_bytes());
    peer.send(frames.concat());
    assert_eq!(ws.recv().unwrap(), Some("1".into()));
    ws.feed("unsent").unwrap();
    let negotiated = ws.negotiated().clone();
    let parts = ws.into_parts();
    assert_eq!((&parts.leftover[..], &parts.unsent[..]), (&frames[1][..], &b"\x81\x06unsent"[..]));
    let mut ws = WebSocket::from_parts(parts.stream, parts.leftover, negotiated, quiet().build().unwrap());
    assert_eq!(retry(|| ws.recv()).unwrap(), Some("2".into()));
}
