//! Every frame, shown to whoever asked.

use super::*;
use std::sync::mpsc::{Receiver, Sender, channel};
use ws_proto::frame::{Header, Opcode};
use ws_proto::{CloseCode, ControlPayload, Direction, MessageKind, Prepared};
use ws_testkit::raw::RawFrame;
use ws_testkit::{Probe, config};

/// What is shown.
struct Shown {
    sender: Sender<(Direction, Header)>,
    receiver: Receiver<(Direction, Header)>,
}

impl Shown {
    fn new() -> Self {
        let (sender, receiver) = channel();
        Self { sender, receiver }
    }

    fn observe(&self, connection: &mut Connection) {
        let sender = self.sender.clone();
        connection.observe_frames(move |direction, header| sender.send((direction, *header)).unwrap());
    }

    /// Direction and header of those that were not taken yet.
    fn take(&self) -> Vec<(Direction, Header)> {
        self.receiver.try_iter().collect()
    }
}

/// Opcode, FIN, RSV1 and length of those of one direction.
fn of(direction: Direction, shown: &[(Direction, Header)]) -> Vec<(u8, bool, bool, u64)> {
    let of_it = shown.iter().filter(|(shown, _)| *shown == direction);
    of_it.map(|(_, h)| (h.opcode.number(), h.fin, h.rsv1, h.payload_len)).collect()
}

/// Every way to send.
fn send_all(connection: &mut Connection, now: std::time::Instant) {
    connection.send("small".into()).unwrap();
    connection.send(vec![1; 5_000].into()).unwrap();
    connection.send_text("borrowed").unwrap();
    connection.send_prepared(&Prepared::new("prepared")).unwrap();
    connection.send_uncompressed("plain".into()).unwrap();
    connection.send_fragment(MessageKind::Binary, vec![2; 3].into(), false).unwrap();
    connection.ping(ControlPayload::try_from("?").unwrap(), now).unwrap();
    connection.send_fragment(MessageKind::Binary, vec![2; 4].into(), true).unwrap();
    connection.close(CloseCode::NORMAL, "bye", now).unwrap();
}

/// What is on the wire, read by a reader that shares no code with the core.
fn on_the_wire(bytes: &[u8]) -> Vec<(u8, bool, bool, u64)> {
    let frames = ws_testkit::raw::read_all(bytes).unwrap();
    frames.iter().map(|f| (f.opcode, f.fin, f.rsv == 4, f.payload.len() as u64)).collect()
}

#[test]
fn sender_and_receiver_are_shown_the_frames_that_are_on_the_wire() {
    for from in [Role::Client, Role::Server] {
        let mut ends = Ends::new(&config().build().unwrap());
        let [sent, received] = [Shown::new(), Shown::new()];
        sent.observe(ends.end(from));
        received.observe(ends.end(from.peer()));
        let now = ends.clock.now();
        send_all(ends.end(from), now);
        let bytes = wire(ends.end(from), &mut Chunks::whole());
        feed(ends.end(from.peer()), &bytes, Feed::Borrowed, &mut Chunks::of(3), now);
        let expected = on_the_wire(&bytes);
        assert_eq!(expected.len(), 9);
        assert_eq!(of(Direction::Sent, &sent.take()), expected);
        let received = received.take();
        assert_eq!(of(Direction::Received, &received), expected);
        // The receiver has answered the ping and the Close frame.
        let answers: Vec<u8> = of(Direction::Sent, &received).iter().map(|frame| frame.0).collect();
        assert_eq!(answers, [Opcode::Pong.number(), Opcode::Close.number()]);
    }
}

#[cfg(feature = "deflate")]
#[test]
fn compressed_frames_show_their_length_on_the_wire() {
    use ws_proto::deflate::{DeflateConfig, DeflateParams};

    for from in [Role::Client, Role::Server] {
        for fragment_bytes in [None, Some(100)] {
            let deflate = DeflateConfig { threshold_bytes: 0, ..DeflateConfig::default() };
            let config = config().deflate(deflate).fragment_bytes(fragment_bytes).build().unwrap();
            let mut ends =
                Ends::with(&config, |role| Negotiated::new(role).with_deflate(DeflateParams::default()));
            let shown = Shown::new();
            let (now, sender) = (ends.clock.now(), ends.end(from));
            shown.observe(sender);
            let text: String = (0..400).map(|i| format!("{} ", i * 7_919)).collect();
            sender.send(text.clone().into()).unwrap();
            sender.send_prepared(&Prepared::new(text)).unwrap();
            send_all(sender, now);
            assert_eq!(of(Direction::Sent, &shown.take()), on_the_wire(&wire(sender, &mut Chunks::whole())));
        }
    }
}

#[test]
fn a_frame_that_breaks_a_rule_is_shown_before_it_fails_the_connection() {
    let mut server = Probe::new(Role::Server);
    let shown = Shown::new();
    shown.observe(&mut server.connection);
    server.receive(RawFrame::text("unmasked").to_bytes());
    assert!(server.connection.failure().is_some());
    let shown = shown.take();
    assert_eq!(of(Direction::Received, &shown), [(1, true, false, 8)]);
    assert_eq!(of(Direction::Sent, &shown).len(), 1, "the Close frame");
}

#[test]
fn only_the_observed_time_is_shown_and_the_same_bytes_leave() {
    let bytes = |observed: bool| {
        let mut ends = Ends::new(&config().build().unwrap());
        let shown = Shown::new();
        let now = ends.clock.now();
        ends.server.send("before".into()).unwrap();
        if observed {
            shown.observe(&mut ends.server);
        }
        ends.server.send("meanwhile".into()).unwrap();
        if observed {
            ends.server.stop_observing();
        }
        send_all(&mut ends.server, now);
        let expected = if observed { vec![(Direction::Sent, Header::new(Opcode::Text, 9))] } else { vec![] };
        assert_eq!(shown.take(), expected);
        wire(&mut ends.server, &mut Chunks::whole())
    };
    assert_eq!(bytes(true), bytes(false));
}
