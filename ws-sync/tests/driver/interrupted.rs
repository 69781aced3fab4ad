//! Reads and writes that stop at any byte.

use crate::support::{events, quiet, retry, scripted};
use std::io::ErrorKind;
use ws_proto::{ControlPayload, Delivery, Role};
use ws_sync::{CloseCode, Event, Message, MessageKind};
use ws_testkit::raw::RawFrame;

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// What the peer of `role` sends, and what is to come of it.
fn conversation(role: Role) -> (Vec<u8>, Vec<Event>) {
    let frames = [
        RawFrame::text("Hello"),
        RawFrame::ping("are you there"),
        RawFrame::text("κό").unfinished(),
        RawFrame::pong(""),
        RawFrame::continuation("σμε"),
        RawFrame::binary([7; 300]),
        RawFrame::close(1000, "bye"),
    ];
    let wire = frames.iter().flat_map(|frame| frame.clone().sent_by(role.peer()).to_bytes()).collect();
    let pong = ws_proto::Pong { payload: ControlPayload::empty(), round_trip: None };
    let expected = vec![
        Event::Message("Hello".into()),
        Event::Ping(ControlPayload::try_from(&b"are you there"[..]).unwrap()),
        Event::Pong(pong),
        Event::Message("κόσμε".into()),
        Event::Message(vec![7; 300].into()),
    ];
    (wire, expected)
}

#[test]
fn a_read_interrupted_at_any_byte_loses_nothing() {
    for role in ROLES {
        let (wire, expected) = conversation(role);
        let mut written = Vec::new();
        for cut in 0..=wire.len() {
            let (mut ws, peer, _) = scripted(role, quiet().build().unwrap());
            peer.send(&wire[..cut]).not_ready().send(&wire[cut..]).end();
            let (events, end) = events(&mut ws);
            end.unwrap();
            assert_eq!(events, expected, "{role:?}, interrupted at {cut}");
            written.push(peer.written());
        }
        assert!(written.iter().all(|bytes| *bytes == written[0]), "the same pong and Close frame each time");
    }
}

#[test]
fn one_byte_at_a_time_is_enough() {
    for role in ROLES {
        let (wire, expected) = conversation(role);
        let (mut ws, peer, _) = scripted(role, quiet().build().unwrap());
        for byte in wire {
            peer.send([byte]).not_ready().fail_read(ErrorKind::Interrupted);
        }
        peer.end();
        let (events, end) = events(&mut ws);
        end.unwrap();
        assert_eq!(events, expected, "{role:?}");
    }
}

#[test]
fn a_write_interrupted_at_any_byte_loses_and_doubles_nothing() {
    for role in ROLES {
        let talk = |interrupted_at: Option<usize>| {
            let (mut ws, peer, _) = scripted(role, quiet().build().unwrap());
            if let Some(cut) = interrupted_at {
                peer.take_at_most(cut).refuse_write();
            }
            ws.send("first").unwrap();
            ws.feed("second").unwrap();
            ws.ping(ControlPayload::empty()).unwrap();
            ws.send_fragment(MessageKind::Binary, vec![1; 40], false).unwrap();
            ws.send_fragment(MessageKind::Binary, vec![2; 5000], true).unwrap();
            ws.start_closing(CloseCode::NORMAL, "bye").unwrap();
            retry(|| ws.flush()).unwrap();
            assert!(!ws.progress().writable);
            peer.written()
        };
        let expected = talk(None);
        for cut in 1..expected.len() {
            assert_eq!(talk(Some(cut)), expected, "{role:?}, interrupted at {cut}");
        }
    }
}

#[test]
fn a_stream_that_takes_one_byte_at_a_time_gets_all() {
    let (mut ws, peer, _) = scripted(Role::Server, quiet().build().unwrap());
    for _ in 0..20_010 {
        peer.take_at_most(1).refuse_write();
    }
    ws.send(vec![9; 20_000]).unwrap();
    assert!(ws.progress().writable, "the rest waits");
    retry(|| ws.flush()).unwrap();
    let frame = ws_testkit::raw::read_all(&peer.written()).unwrap().remove(0);
    assert_eq!(frame.payload, [9; 20_000]);
}

#[test]
fn a_large_message_arrives_whole_in_reads_of_any_size() {
    let payload: Vec<u8> = (0..=250).cycle().take(300_000).collect();
    let small = RawFrame::text("behind").sent_by(Role::Client).to_bytes();
    let wire = [RawFrame::binary(&payload).sent_by(Role::Client).to_bytes(), small].concat();
    for size in [1000, 16_384, 65_536, 100_001, wire.len()] {
        let (mut ws, peer, _) = scripted(Role::Server, quiet().build().unwrap());
        peer.send_in(&wire, size);
        assert_eq!(retry(|| ws.recv()).unwrap(), Some(Message::from(payload.clone())));
        assert_eq!(retry(|| ws.recv()).unwrap(), Some("behind".into()));
    }
}

#[test]
fn with_streaming_delivery_pieces_come_as_they_arrive_and_whole_messages_are_misuse() {
    let config = quiet().delivery(Delivery::Streaming).build().unwrap();
    let (mut ws, peer, _) = scripted(Role::Client, config);
    peer.send_in(RawFrame::binary([5; 10]).to_bytes(), 6);
    assert!(matches!(ws.recv(), Err(ws_sync::Error::Misuse(ws_proto::ApiMisuse::DeliveryIsStreaming))));
    let (mut pieces, mut fins) = (Vec::new(), Vec::new());
    while let Ok(Some(Event::Fragment(piece))) = ws.recv_event() {
        assert_eq!((piece.kind, piece.first), (MessageKind::Binary, pieces.is_empty()));
        pieces.extend_from_slice(&piece.payload);
        fins.push(piece.fin);
    }
    assert_eq!((pieces, fins), (vec![5; 10], vec![false, true]));
}

#[test]
fn a_message_can_be_borrowed() {
    let (mut ws, peer, _) = scripted(Role::Client, quiet().build().unwrap());
    peer.send([RawFrame::ping("").to_bytes(), RawFrame::text("four").to_bytes()].concat());
    assert_eq!(ws.recv_with(|message| message.as_bytes().len()).unwrap(), Some(4));
}
