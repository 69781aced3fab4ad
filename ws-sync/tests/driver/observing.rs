//! What a socket counts, and the frames that it shows.

use crate::support::{quiet, scripted};
use std::sync::mpsc::channel;
use ws_proto::{Direction, Role};
use ws_testkit::raw::RawFrame;

#[test]
fn messages_and_bytes_of_both_directions_are_counted_and_frames_shown() {
    let (mut ws, peer, _) = scripted(Role::Server, quiet().build().unwrap());
    let (sender, shown) = channel();
    ws.observe_frames(move |direction, header| sender.send((direction, header.payload_len)).unwrap());
    peer.send(RawFrame::text("four").sent_by(Role::Client).to_bytes());
    let message = ws.recv().unwrap().unwrap();
    ws.send(message).unwrap();
    ws.stop_observing();
    ws.send("unseen").unwrap();
    let counts = ws.counts();
    assert_eq!((counts.received_messages, counts.received_bytes), (1, 4));
    assert_eq!((counts.sent_messages, counts.sent_bytes), (2, 10));
    assert_eq!(shown.iter().collect::<Vec<_>>(), [(Direction::Received, 4), (Direction::Sent, 4)]);
}
