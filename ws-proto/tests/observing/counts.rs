//! Messages and bytes.

use super::*;
use std::sync::Arc;
use std::time::Duration;
use ws_proto::{ControlPayload, Counts, Delivery, Message, MessageKind, Prepared};
use ws_testkit::raw::RawFrame;
use ws_testkit::{Probe, SimPair, config};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// Messages and bytes received, and sent.
fn traffic(counts: Counts) -> ([u64; 2], [u64; 2]) {
    ([counts.received_messages, counts.received_bytes], [counts.sent_messages, counts.sent_bytes])
}

#[test]
fn a_new_connection_has_counted_nothing() {
    for role in ROLES {
        assert_eq!(Probe::new(role).connection.counts(), Counts::default());
    }
}

#[test]
fn both_ends_count_the_same_in_whatever_way_it_was_sent_and_arrives() {
    for from in ROLES {
        for how in Feed::ALL {
            for chunks in [Chunks::whole(), Chunks::of(1), Chunks::of(5_000)] {
                let mut ends = Ends::new(&config().build().unwrap());
                let sender = ends.end(from);
                sender.send("Hello".into()).unwrap();
                sender.send(Message::from(vec![1; 300])).unwrap();
                sender.send_uncompressed(Message::from(vec![2; 100_000])).unwrap();
                sender.send_text("grüße").unwrap();
                sender.send_binary(&[3; 70_000]).unwrap();
                sender.send_prepared(&Prepared::new("prepared")).unwrap();
                sender.send_fragment(MessageKind::Text, "two ".into(), false).unwrap();
                sender.send_fragment(MessageKind::Text, "pieces".into(), true).unwrap();
                sender.send(Message::from("")).unwrap();
                let sent = [8, 5 + 300 + 100_000 + 7 + 70_000 + 8 + 10];
                assert_eq!(traffic(sender.counts()), ([0, 0], sent));
                assert_eq!(ends.deliver(from, how, chunks).len(), 8);
                assert_eq!(traffic(ends.end(from.peer()).counts()), (sent, [0, 0]));
            }
        }
    }
}

#[test]
fn messages_in_fragments_of_a_setting_count_once() {
    let mut ends = Ends::new(&config().fragment_bytes(Some(10)).build().unwrap());
    for from in ROLES {
        ends.end(from).send("this makes three fragments".into()).unwrap();
        ends.deliver(from, Feed::Borrowed, Chunks::whole());
    }
    for role in ROLES {
        assert_eq!(traffic(ends.end(role).counts()), ([1, 26], [1, 26]));
    }
}

#[test]
fn pieces_count_their_bytes_when_they_come_and_their_message_when_it_is_complete() {
    for delivery in [Delivery::Whole, Delivery::Streaming] {
        let mut ends = Ends::new(&config().delivery(delivery).build().unwrap());
        ends.client.send_fragment(MessageKind::Binary, vec![1; 40].into(), false).unwrap();
        ends.deliver(Role::Client, Feed::Borrowed, Chunks::whole());
        assert_eq!(traffic(ends.client.counts()), ([0, 0], [0, 40]));
        assert_eq!(traffic(ends.server.counts()), ([0, 40], [0, 0]));
        ends.client.send_fragment(MessageKind::Binary, vec![].into(), true).unwrap();
        ends.deliver(Role::Client, Feed::Borrowed, Chunks::whole());
        assert_eq!(traffic(ends.client.counts()), ([0, 0], [1, 40]));
        assert_eq!(traffic(ends.server.counts()), ([1, 40], [0, 0]));
    }
}

#[test]
fn what_was_refused_or_was_no_valid_message_is_no_message() {
    let mut server = Probe::new(Role::Server);
    server.connection.send_fragment(MessageKind::Text, "open".into(), false).unwrap();
    server.connection.send("in between".into()).unwrap_err();
    server.connection.send_text("in between").unwrap_err();
    server.connection.send_fragment(MessageKind::Binary, "other kind".into(), true).unwrap_err();
    server.receive_frames([RawFrame::text([0xFF])]);
    assert!(server.connection.failure().is_some());
    let counts = server.connection.counts();
    assert_eq!((counts.received_messages, counts.sent_messages, counts.sent_bytes), (0, 0, 4));
}

#[test]
fn round_trips_are_counted_and_the_last_one_is_told() {
    // Only the client pings by itself.
    let configs = [config(), config().ping_interval(None)].map(|config| Arc::new(config.build().unwrap()));
    let mut pair = SimPair::with([Role::Client, Role::Server].map(Negotiated::new), configs);
    pair.latency = Duration::from_millis(30);
    let now = pair.clock.now();
    pair.client.connection.ping(ControlPayload::try_from("?").unwrap(), now).unwrap();
    pair.run_for(Duration::from_secs(1));
    let counts = pair.client.connection.counts();
    assert_eq!((counts.round_trips, counts.last_round_trip), (1, Some(Duration::from_millis(60))));
    // Nothing came for so long: then keepalive asks.
    pair.latency = Duration::from_millis(10);
    pair.run_for(Duration::from_secs(21));
    let counts = pair.client.connection.counts();
    assert_eq!((counts.round_trips, counts.last_round_trip), (2, Some(Duration::from_millis(20))));
    assert_eq!(traffic(counts), ([0, 0], [0, 0]), "control frames are no messages");
}

#[test]
fn a_pong_that_answers_nothing_is_no_round_trip() {
    let mut server = Probe::new(Role::Server);
    server.receive_frames([RawFrame::pong("unasked")]);
    assert_eq!(server.connection.counts(), Counts::default());
}

#[cfg(feature = "deflate")]
mod compressed {
    use super::*;
    use ws_proto::deflate::{DeflateConfig, DeflateParams, WindowBits};

    fn ends(takeover: bool, fragment_bytes: Option<usize>) -> Ends {
        let window_bits = WindowBits::new(15).unwrap();
        let params = DeflateParams {
            server_no_context_takeover: !takeover,
            client_no_context_takeover: !takeover,
            server_max_window_bits: window_bits,
            client_max_window_bits: window_bits,
        };
        let deflate = DeflateConfig { threshold_bytes: 32, ..DeflateConfig::default() };
        let config = config().deflate(deflate).fragment_bytes(fragment_bytes).build().unwrap();
        Ends::with(&config, |role| Negotiated::new(role).with_deflate(params))
    }

    fn text() -> String {
        (0..2_000).map(|i| format!("{} ", i * 7_919)).collect()
    }

    /// The payload bytes of the frames of compressed messages.
    fn compressed_bytes(wire: &[u8]) -> u64 {
        let frames = ws_testkit::raw::read_all(wire).unwrap();
        let mut compressed = false;
        let payloads = frames.iter().filter_map(|frame| {
            if frame.opcode != 0 {
                compressed = frame.rsv == 4;
            }
            compressed.then_some(frame.payload.len() as u64)
        });
        payloads.sum()
    }

    #[test]
    fn bytes_before_and_after_compression_are_those_of_the_compressed_messages() {
        let plain = text().len() as u64;
        for from in ROLES {
            for takeover in [false, true] {
                for fragment_bytes in [None, Some(1_000)] {
                    for how in Feed::ALL {
                        let mut ends = ends(takeover, fragment_bytes);
                        let sender = ends.end(from);
                        sender.send(text().into()).unwrap();
                        sender.send_text(&text()).unwrap();
                        sender.send_prepared(&Prepared::new(text())).unwrap();
                        sender.send_fragment(MessageKind::Text, text().into(), false).unwrap();
                        sender.send_fragment(MessageKind::Text, text().into(), true).unwrap();
                        // Neither of these is compressed.
                        sender.send("short".into()).unwrap();
                        sender.send_uncompressed(text().into()).unwrap();
                        let bytes = wire(sender, &mut Chunks::whole());
                        let sent = sender.counts();
                        assert_eq!((sent.sent_messages, sent.sent_bytes), (6, 6 * plain + 5));
                        assert_eq!(sent.sent_compressed.plain_bytes, 5 * plain);
                        assert_eq!(sent.sent_compressed.wire_bytes, compressed_bytes(&bytes));
                        assert_eq!(sent.received_compressed, ws_proto::Compressed::default());
                        let now = ends.clock.now();
                        let receiver = ends.end(from.peer());
                        feed(receiver, &bytes, how, &mut Chunks::of(777), now);
                        let received = receiver.counts();
                        assert_eq!(received.received_compressed, sent.sent_compressed);
                        assert_eq!((received.received_messages, received.received_bytes), (6, 6 * plain + 5));
                        let ratio = sent.sent_compressed.ratio().unwrap();
                        assert!(ratio > 0.0 && ratio < 0.9, "{ratio}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_compression_makes_no_shorter_is_sent_as_it_is_and_not_counted_as_compressed() {
        let mut rng = ws_testkit::Rng::new(1);
        let noise: Vec<u8> = (0..400).map(|_| rng.next_u64().to_le_bytes()[0]).collect();
        let mut ends = ends(false, None);
        ends.server.send(noise.into()).unwrap();
        assert_eq!(ends.server.counts().sent_compressed.ratio(), None);
        assert_eq!(ends.server.counts().sent_bytes, 400);
    }

    #[test]
    fn counts_outlive_the_connection() {
        let mut ends = ends(true, None);
        ends.client.send(text().into()).unwrap();
        ends.deliver(Role::Client, Feed::Borrowed, Chunks::whole());
        let (client, server) = (ends.client.counts(), ends.server.counts());
        ends.client.handle_eof(ends.clock.now());
        ends.server.handle_eof(ends.clock.now());
        assert_eq!((ends.client.counts(), ends.server.counts()), (client, server));
        assert!(client.sent_compressed.plain_bytes > 0);
    }
}
