//! §6, §7.2.1: messages that we compress.

use super::*;
use crate::support::{ROLES, cases};
use flate2::{Decompress, FlushDecompress};
use proptest::prelude::*;
use ws_proto::{Message, MessageKind, Pool, Prepared};
use ws_testkit::strategies;

fn text(len: usize) -> String {
    "compressible ".chars().cycle().take(len).collect()
}

#[test]
fn a_message_at_the_threshold_is_compressed_and_a_shorter_one_is_not() {
    for role in ROLES {
        for (threshold_bytes, len, rsv) in
            [(128, 127, 0), (128, 128, 4), (0, 0, 4), (1, 0, 0), (usize::MAX, 10_000, 0)]
        {
            let deflate = DeflateConfig { threshold_bytes, ..DeflateConfig::default() };
            let mut probe = probe_with(role, params(true, 15), config().deflate(deflate));
            probe.connection.send(text(len).into()).unwrap();
            let frames = probe.frames();
            assert_eq!((frames.len(), frames[0].rsv), (1, rsv), "{len} of {threshold_bytes}");
            assert!(rsv == 0 || len < 8 || frames[0].payload.len() < len);
        }
    }
}

#[test]
fn by_default_128_bytes_are_compressed() {
    let mut probe = probe_with(Role::Server, params(true, 15), config());
    probe.connection.send(text(127).into()).unwrap();
    probe.connection.send(text(128).into()).unwrap();
    assert_eq!(probe.frames().iter().map(|frame| frame.rsv).collect::<Vec<_>>(), [0, 4]);
}

#[test]
fn without_the_extension_nothing_is_compressed() {
    for role in ROLES {
        let mut probe = Probe::with(Negotiated::new(role), config().deflate(eager()).build().unwrap());
        probe.connection.send(text(1_000).into()).unwrap();
        assert_eq!(probe.frames()[0].rsv, 0);
    }
}

#[test]
fn a_message_can_opt_out() {
    for role in ROLES {
        let (mut from, mut to) = (probe(role, params(true, 15)), probe(role.peer(), params(true, 15)));
        from.connection.send(text(500).into()).unwrap();
        from.connection.send_uncompressed(text(600).into()).unwrap();
        from.connection.send(text(700).into()).unwrap();
        let bytes = from.wire();
        let frames = ws_testkit::raw::read_all(&bytes).unwrap();
        assert_eq!(frames.iter().map(|frame| frame.rsv).collect::<Vec<_>>(), [4, 0, 4]);
        to.receive(bytes);
        assert_eq!(to.events, [500, 600, 700].map(|len| Observed::Message(text(len).into())));
    }
}

#[test]
fn with_takeover_a_repeated_message_is_shorter_and_without_it_is_the_same() {
    for role in ROLES {
        for takeover in [true, false] {
            let mut probe = probe(role, params(takeover, 15));
            for _ in 0..3 {
                probe.connection.send(noise(300).into()).unwrap();
            }
            let frames = probe.frames();
            assert_eq!(frames[0].payload == frames[1].payload, !takeover);
            assert_eq!(frames[1].payload.len() < 50, takeover);
            assert_eq!(frames[1].payload, frames[2].payload);
        }
    }
}

#[test]
fn only_the_first_frame_of_a_fragmented_compressed_message_has_rsv1() {
    for role in ROLES {
        let mut from =
            probe_with(role, params(true, 15), config().deflate(eager()).fragment_bytes(Some(100)));
        let mut to = probe(role.peer(), params(true, 15));
        let message = noise(1_000);
        from.connection.send(message.clone().into()).unwrap();
        let bytes = from.wire();
        let frames = ws_testkit::raw::read_all(&bytes).unwrap();
        assert!(frames.len() >= 10 && frames.iter().all(|frame| frame.payload.len() <= 100));
        assert!(
            frames
                .iter()
                .enumerate()
                .all(|(i, frame)| (frame.rsv == 4) == (i == 0) && (frame.opcode == 2) == (i == 0))
        );
        to.receive(bytes);
        assert_eq!(to.events, [Observed::Message(message.into())]);
    }
}

#[test]
fn compression_that_makes_a_message_longer_does_not_make_a_frame_longer_than_fragment_bytes() {
    for role in ROLES {
        let mut probe =
            probe_with(role, params(true, 15), config().deflate(eager()).fragment_bytes(Some(100)));
        probe.connection.send(noise(100).into()).unwrap();
        assert!(probe.frames().iter().all(|frame| frame.payload.len() <= 100));
    }
}

#[test]
fn a_message_that_compression_makes_longer_leaves_as_it_is_where_nothing_refers_back_to_it() {
    for role in ROLES {
        for (takeover, fragment_bytes) in [(false, None), (false, Some(300)), (true, None)] {
            let settings = config().deflate(eager()).fragment_bytes(fragment_bytes);
            let (mut from, mut to) =
                (probe_with(role, params(takeover, 15), settings), probe(role.peer(), params(takeover, 15)));
            let messages = [noise(1_000), text(1_000).into_bytes(), noise(70_000)];
            for message in &messages {
                from.connection.send(message.clone().into()).unwrap();
            }
            let bytes = from.wire();
            let frames = ws_testkit::raw::read_all(&bytes).unwrap();
            let rsv: Vec<_> =
                frames.iter().filter(|frame| frame.opcode != 0).map(|frame| frame.rsv).collect();
            assert_eq!(rsv, if takeover { [4, 4, 4] } else { [0, 4, 0] });
            to.receive(bytes);
            assert_eq!(to.events, messages.map(|message| Observed::Message(message.into())));
        }
    }
}

#[test]
fn a_message_sent_piece_by_piece_is_compressed_as_one() {
    for role in ROLES {
        for takeover in [true, false] {
            let (mut from, mut to) =
                (probe(role, params(takeover, 15)), probe(role.peer(), params(takeover, 15)));
            for _ in 0..3 {
                let now = from.clock.now();
                let connection = &mut from.connection;
                connection.send_fragment(MessageKind::Text, "piece ".into(), false).unwrap();
                connection.ping("between".try_into().unwrap(), now).unwrap();
                connection.send_fragment(MessageKind::Text, "".into(), false).unwrap();
                connection.send_fragment(MessageKind::Text, "by piece".into(), false).unwrap();
                connection.send_fragment(MessageKind::Text, "".into(), true).unwrap();
                connection.send(text(100).into()).unwrap();
            }
            let bytes = from.wire();
            let frames = ws_testkit::raw::read_all(&bytes).unwrap();
            let rsv: Vec<_> =
                frames.iter().take(6).map(|frame| (frame.opcode, frame.rsv, frame.fin)).collect();
            let expected =
                [(1, 4, false), (9, 0, true), (0, 0, false), (0, 0, false), (0, 0, true), (1, 4, true)];
            assert_eq!(rsv, expected);
            to.receive(bytes);
            to.events.retain(|event| matches!(event, Observed::Message(_)));
            assert_eq!(
                to.events,
                ["piece by piece", text(100).as_str()]
                    .repeat(3)
                    .into_iter()
                    .map(Observed::from)
                    .collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn a_peer_that_takes_only_windows_of_8_bits_gets_messages_uncompressed() {
    for role in ROLES {
        let mut probe = probe(role, params(true, 8));
        probe.connection.send(text(1_000).into()).unwrap();
        probe.connection.send_fragment(MessageKind::Text, "piece".into(), true).unwrap();
        probe.connection.send_prepared(&Prepared::new(text(1_000))).unwrap();
        assert!(probe.frames().iter().all(|frame| frame.rsv == 0));
    }
}

#[test]
fn no_reference_reaches_further_back_than_the_window_that_was_agreed_on() {
    for role in ROLES {
        for bits in 9..=15u8 {
            let mut probe = probe(role, params(true, bits));
            // History that repeats beyond each window.
            let message: Vec<u8> =
                [noise(600), noise(5_000), noise(600), noise(40_000), noise(5_000)].concat();
            // Output of one byte at a time: the inflater has its own window to refer to, and nothing else.
            let mut strict = Decompress::new_with_window_bits(false, bits);
            let mut inflated = Vec::with_capacity(2 * message.len());
            for _ in 0..2 {
                probe.connection.send(message.clone().into()).unwrap();
                let mut payload = probe.frames().remove(0).payload;
                payload.extend([0, 0, 0xFF, 0xFF]);
                let mut rest = &payload[..];
                loop {
                    let mut byte = [0];
                    let (before_in, before_out) = (strict.total_in(), strict.total_out());
                    strict.decompress(rest, &mut byte, FlushDecompress::Sync).unwrap();
                    rest = &rest[usize::try_from(strict.total_in() - before_in).unwrap()..];
                    if strict.total_out() == before_out {
                        break;
                    }
                    inflated.push(byte[0]);
                }
                assert!(rest.is_empty());
            }
            assert!(inflated == message.repeat(2), "{bits} bits");
        }
    }
}

/// Something that an application does with a connection.
#[derive(Clone, Debug)]
enum Act {
    Send(Message),
    Uncompressed(Message),
    Prepared(Message),
    Pieces(Vec<u8>, Vec<usize>),
    Idle,
}

fn act() -> impl Strategy<Value = Act> {
    let message = || strategies::message(400);
    prop_oneof![
        message().prop_map(Act::Send),
        message().prop_map(Act::Uncompressed),
        message().prop_map(Act::Prepared),
        (strategies::payload(400), prop::collection::vec(0..200usize, 0..4))
            .prop_map(|(payload, sizes)| Act::Pieces(payload, sizes)),
        Just(Act::Idle),
    ]
}

impl Act {
    fn run(&self, connection: &mut Connection) -> Option<Observed> {
        match self {
            Self::Send(message) => connection.send(message.clone()).unwrap(),
            Self::Uncompressed(message) => connection.send_uncompressed(message.clone()).unwrap(),
            Self::Prepared(message) => connection.send_prepared(&Prepared::new(message.clone())).unwrap(),
            Self::Pieces(payload, sizes) => {
                let mut frames = strategies::fragmented(2, payload, sizes).into_iter().peekable();
                while let Some(frame) = frames.next() {
                    let fin = frames.peek().is_none();
                    connection.send_fragment(MessageKind::Binary, frame.payload.into(), fin).unwrap();
                }
            }
            Self::Idle => return None,
        }
        Some(match self {
            Self::Send(message) | Self::Uncompressed(message) | Self::Prepared(message) => {
                message.clone().into()
            }
            Self::Pieces(payload, _) => Observed::Message(payload.clone().into()),
            Self::Idle => return None,
        })
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn whatever_is_sent_in_whatever_way_arrives(
        acts in prop::collection::vec(act(), 1..12),
        role in prop::sample::select(&ROLES[..]),
        takeover in any::<(bool, bool)>(),
        bits in (9..=15u8, 9..=15u8),
        fragment_bytes in prop::option::of(1..300usize),
        pooled in any::<bool>(),
    ) {
        let params = DeflateParams {
            server_no_context_takeover: takeover.0,
            client_no_context_takeover: takeover.1,
            server_max_window_bits: WindowBits::new(bits.0).unwrap(),
            client_max_window_bits: WindowBits::new(bits.1).unwrap(),
        };
        let settings = || config().deflate(DeflateConfig { threshold_bytes: 20, ..eager() }).fragment_bytes(fragment_bytes);
        let (mut from, mut to) = (probe_with(role, params, settings()), probe_with(role.peer(), params, settings()));
        let mut pool = Pool::new();
        for act in acts {
            if pooled {
                from.connection.lend(&mut pool);
            }
            let expected = act.run(&mut from.connection);
            let bytes = from.wire();
            if pooled {
                from.connection.reclaim(&mut pool);
                to.connection.lend(&mut pool);
            }
            to.receive(bytes);
            if pooled {
                to.connection.reclaim(&mut pool);
            }
            prop_assert_eq!(to.events.drain(..).next(), expected);
        }
    }
}
