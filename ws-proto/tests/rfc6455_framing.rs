//! Frames on the wire: RFC 6455 §5.1, §5.2, §5.3, §5.6 and the examples of §5.7.

mod support;

use bytes::{Buf, Bytes};
use support::{ROLES, bytes_for};
use ws_proto::{Event, Message, MessageRef, Negotiated, Role};
use ws_testkit::raw::{self, RawFrame};
use ws_testkit::vectors::{self, frames};
use ws_testkit::{Chunks, Feed, Observed, Probe, config};

mod s5_7_examples {
    use super::*;

    #[test]
    fn a_single_frame_unmasked_text_message() {
        let mut client = Probe::new(Role::Client);
        client.receive(frames::TEXT);
        assert_eq!(client.events, [Observed::from("Hello")]);
        let mut server = Probe::new(Role::Server);
        server.connection.send("Hello".into()).unwrap();
        assert_eq!(server.wire(), frames::TEXT);
    }

    #[test]
    fn a_single_frame_masked_text_message() {
        let mut server = Probe::new(Role::Server);
        server.receive(frames::TEXT_MASKED);
        assert_eq!(server.events, [Observed::from("Hello")]);
        let key = ws_proto::Entropy::from_fn(|buf| {
            buf.copy_from_slice(&[0x37, 0xfa, 0x21, 0x3d].repeat(buf.len() / 4))
        });
        let mut client = Probe::with(Negotiated::new(Role::Client), config().entropy(key).build().unwrap());
        client.connection.send("Hello".into()).unwrap();
        assert_eq!(client.wire(), frames::TEXT_MASKED);
    }

    #[test]
    fn a_fragmented_unmasked_text_message() {
        let mut client = Probe::new(Role::Client);
        client.receive(frames::TEXT_FRAGMENTED);
        assert_eq!(client.events, [Observed::from("Hello")]);
        let mut server =
            Probe::with(Negotiated::new(Role::Server), config().fragment_bytes(Some(3)).build().unwrap());
        server.connection.send("Hello".into()).unwrap();
        assert_eq!(server.wire(), frames::TEXT_FRAGMENTED);
    }

    #[test]
    fn an_unmasked_ping_and_its_masked_pong() {
        let mut client = Probe::new(Role::Client);
        client.receive(frames::PING);
        assert_eq!(client.frames(), [RawFrame::pong(frames::PAYLOAD)]);
        let mut server = Probe::new(Role::Server);
        server.connection.ping("Hello".try_into().unwrap(), server.clock.now()).unwrap();
        assert_eq!(server.wire(), frames::PING);
        server.receive(frames::PONG_MASKED);
        assert!(
            matches!(&server.events[..], [Observed::Pong(pong)] if &pong.payload[..] == b"Hello" && pong.round_trip.is_some())
        );
    }

    #[test]
    fn binary_messages_of_256_bytes_and_64_kib() {
        for vector in [vectors::binary_256(), vectors::binary_64k()] {
            let head = vector.len() - if vector.len() > 65_536 { 65_536 } else { 256 };
            let mut client = Probe::new(Role::Client);
            client.receive(&vector);
            assert_eq!(client.events, [Observed::Message(vector[head..].into())]);
            let mut server = Probe::new(Role::Server);
            server.connection.send(vector[head..].into()).unwrap();
            assert_eq!(server.wire(), vector);
        }
    }
}

mod s5_2_length {
    use super::*;

    #[test]
    fn each_length_is_written_in_its_shortest_form() {
        for role in ROLES {
            for (len, head) in [(0, 2), (1, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10), (70_000, 10)] {
                let mut probe = Probe::new(role);
                probe.connection.send(vec![7; len].into()).unwrap();
                let mask = if role == Role::Client { 4 } else { 0 };
                assert_eq!(probe.connection.transmit().len(), head + mask + len);
                assert_eq!(probe.frames(), [RawFrame::binary(vec![7; len])]);
            }
        }
    }
}

mod s5_3_masking {
    use super::*;

    #[test]
    fn a_client_masks_every_kind_of_frame_and_a_server_none() {
        for role in ROLES {
            let mut probe =
                Probe::with(Negotiated::new(role), config().fragment_bytes(Some(4)).build().unwrap());
            probe.connection.send("fragmented".into()).unwrap();
            probe.connection.ping("ping".try_into().unwrap(), probe.clock.now()).unwrap();
            probe.receive_frames([RawFrame::ping("theirs"), RawFrame::close(1000, "")]);
            // `frames` checks the masks.
            let frames = probe.frames();
            assert_eq!(frames.iter().map(|frame| frame.opcode).collect::<Vec<_>>(), [1, 0, 0, 9, 10, 8]);
        }
    }

    #[test]
    fn a_message_of_any_size_and_ownership_is_masked_right() {
        for len in [0, 1, 3, 4, 5, 4_095, 4_096, 4_097, 10_001, 65_537] {
            let bytes: Bytes = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect::<Vec<_>>().into();
            let mut probe = Probe::new(Role::Client);
            let kept = bytes.clone();
            probe.connection.send(bytes.into()).unwrap();
            probe.connection.send(Message::Binary(Bytes::from(kept.to_vec()))).unwrap();
            assert_eq!(probe.frames(), [RawFrame::binary(&kept), RawFrame::binary(&kept)]);
            assert!(
                kept.iter().enumerate().all(|(i, byte)| usize::from(*byte) == i % 251),
                "what others hold is not masked"
            );
        }
    }

    #[test]
    fn every_frame_of_a_client_has_a_key_of_its_own() {
        let mut probe = Probe::new(Role::Client);
        for _ in 0..200 {
            probe.connection.send("a".into()).unwrap();
            probe.connection.send(vec![7; 5_000].into()).unwrap();
            probe.connection.send_fragment(ws_proto::MessageKind::Binary, "f".into(), true).unwrap();
            probe.connection.ping("p".try_into().unwrap(), probe.clock.now()).unwrap();
        }
        let frames = raw::read_all(&probe.wire()).unwrap();
        let keys: std::collections::BTreeSet<_> = frames.iter().map(|frame| frame.mask.unwrap()).collect();
        assert_eq!((frames.len(), keys.len()), (800, 800));
    }
}

mod s5_6_messages {
    use super::*;

    #[test]
    fn text_and_binary_of_the_same_bytes_are_different_messages() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            probe.receive_frames([
                RawFrame::text("same"),
                RawFrame::binary("same"),
                RawFrame::text(""),
                RawFrame::binary(""),
            ]);
            let expected: [Message; 4] =
                ["same".into(), b"same".as_slice().into(), "".into(), b"".as_slice().into()];
            assert_eq!(probe.events, expected.map(Observed::Message));
        }
    }

    #[test]
    fn a_message_that_arrived_whole_borrows_from_the_input() {
        let mut probe = Probe::new(Role::Client);
        let mut bytes = frames::TEXT.to_vec();
        let at = bytes[2..].as_ptr();
        let mut input = bytes.as_mut_slice();
        let Some(Event::Message(MessageRef::Text(text))) =
            probe.connection.poll_event(&mut input, probe.clock.now())
        else {
            panic!("a text message")
        };
        assert_eq!((text.as_str(), text.as_ptr()), ("Hello", at));
        assert!(input.is_empty());
    }

    #[test]
    fn a_large_message_that_arrived_whole_in_a_bytes_mut_is_cut_from_it() {
        let mut probe = Probe::new(Role::Client);
        let mut input = bytes::BytesMut::from(&RawFrame::binary([7; 5_000]).to_bytes()[..]);
        let at = input[4..].as_ptr();
        let Some(Event::Message(message)) = probe.connection.poll_event(&mut input, probe.clock.now()) else {
            panic!("a message")
        };
        let Message::Binary(payload) = message.into_message() else { panic!("binary") };
        assert_eq!((payload.as_ptr(), payload.len(), input.len()), (at, 5_000, 0));
    }

    #[test]
    fn many_messages_in_one_read_come_one_by_one() {
        for role in ROLES {
            let mut probe = Probe::new(role);
            probe.receive_frames((0..100).map(|i| RawFrame::text(i.to_string())));
            assert_eq!(
                probe.events,
                (0..100).map(|i| Observed::Message(i.to_string().into())).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn a_large_frame_is_read_straight_into_its_message() {
        for role in ROLES {
            let payload: Vec<u8> = (0..300_000u32).map(|i| i.to_le_bytes()[0]).collect();
            let bytes = bytes_for(role, [RawFrame::binary(&payload), RawFrame::text("next")]);
            let mut probe = Probe::new(role);
            probe.receive(&bytes[..20_000]);
            assert!(probe.connection.recv_buf().is_some());
            probe.receive_in(&bytes[20_000..], Feed::Direct, Chunks::of(7_777));
            assert_eq!(probe.events, [Observed::Message(payload.into()), Observed::from("next")]);
        }
    }
}

mod writing {
    use super::*;

    #[test]
    fn small_messages_leave_in_one_slice() {
        let mut probe = Probe::new(Role::Server);
        for _ in 0..10 {
            probe.connection.send("small".into()).unwrap();
        }
        let transmit = probe.connection.transmit();
        assert_eq!(transmit.chunk().len(), transmit.remaining());
    }

    #[test]
    fn a_large_message_of_a_server_leaves_without_a_copy() {
        let mut probe = Probe::new(Role::Server);
        let payload = Bytes::from(vec![7; 100_000]);
        probe.connection.send(payload.clone().into()).unwrap();
        let transmit = probe.connection.transmit();
        transmit.advance(10);
        assert_eq!(transmit.chunk().as_ptr(), payload.as_ptr());
    }

    #[test]
    fn frames_are_no_longer_than_fragment_bytes() {
        for role in ROLES {
            for len in [0, 1, 9, 10, 11, 20, 21, 100] {
                let mut probe =
                    Probe::with(Negotiated::new(role), config().fragment_bytes(Some(10)).build().unwrap());
                probe.connection.send(vec![7; len].into()).unwrap();
                let frames = probe.frames();
                assert_eq!(frames.len(), len.div_ceil(10).max(1));
                assert!(frames.iter().all(|frame| frame.payload.len() <= 10));
                assert_eq!(frames.iter().map(|frame| frame.payload.len()).sum::<usize>(), len);
                assert_eq!(frames.iter().filter(|frame| frame.fin).count(), 1);
                assert!(
                    frames.last().unwrap().fin
                        && frames[0].opcode == 2
                        && frames[1..].iter().all(|frame| frame.opcode == 0)
                );
            }
        }
    }
}
