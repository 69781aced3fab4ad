//! §6, §7.2.2, §7.2.3: compressed messages that arrive.

use super::*;
use crate::support::{ROLES, assert_failed, bytes_for};
use ws_proto::{Delivery, ProtocolError};
use ws_testkit::put_together;
use ws_testkit::raw::RawFrame;
use ws_testkit::vectors::compressed;

/// What a connection of the role `to` gets when the peer sends this vector, which is written as a server sends it.
fn vector(to: Role, vectors: &[&[u8]]) -> Vec<u8> {
    let frames = vectors.iter().flat_map(|bytes| ws_testkit::raw::read_all(bytes).unwrap());
    bytes_for(to, frames)
}

fn hello(n: usize) -> Vec<Observed> {
    vec![Observed::from("Hello"); n]
}

mod s7_2_3_examples {
    use super::*;

    #[test]
    fn each_example_is_the_text_hello() {
        for role in ROLES {
            for example in
                [compressed::ONE_FRAME, compressed::TWO_FRAGMENTS, compressed::STORED, compressed::TWO_BLOCKS]
            {
                let mut probe = probe(role, params(false, 15));
                probe.receive(vector(role, &[example, example]));
                assert_eq!(probe.events, hello(2));
            }
        }
    }

    #[test]
    fn the_window_is_carried_over_to_the_second_message() {
        for role in ROLES {
            let mut probe = probe(role, params(true, 15));
            probe.receive(vector(role, &[compressed::ONE_FRAME, compressed::SECOND_WITH_TAKEOVER]));
            assert_eq!(probe.events, hello(2));
        }
    }

    #[test]
    fn without_takeover_a_reference_to_the_first_message_fails_with_1007() {
        for role in ROLES {
            let mut probe = probe(role, params(false, 15));
            probe.receive(vector(role, &[compressed::ONE_FRAME, compressed::SECOND_WITH_TAKEOVER]));
            assert_eq!(probe.events[0], Observed::from("Hello"));
            assert_failed(&mut probe, ProtocolError::InvalidDeflate);
        }
    }

    #[test]
    fn a_block_with_bfinal_ends_the_stream_and_the_next_message_begins_another() {
        for (role, takeover) in
            [(Role::Client, true), (Role::Client, false), (Role::Server, true), (Role::Server, false)]
        {
            let mut probe = probe(role, params(takeover, 15));
            probe.receive(vector(
                role,
                &[compressed::BFINAL, compressed::ONE_FRAME, compressed::BFINAL, compressed::ONE_FRAME],
            ));
            assert_eq!(probe.events, hello(4));
            // The byte behind the last block that the section adds is not needed.
            probe.receive(bytes_for(role, [RawFrame::text(&compressed::BFINAL[2..9]).rsv(4)]));
            assert_eq!(probe.events, hello(5));
        }
    }

    #[test]
    fn a_block_with_bfinal_in_the_middle_of_a_message_does_not_harm_those_behind_it() {
        for role in ROLES {
            let mut probe = probe(role, params(true, 15));
            let frames = [
                // §7.2.3.4 without the byte that the section adds, an empty fragment, and a new stream.
                RawFrame::text(&compressed::BFINAL[2..9]).rsv(4).unfinished(),
                RawFrame::continuation("").unfinished(),
                RawFrame::continuation(&compressed::ONE_FRAME[2..]),
                RawFrame::text(&compressed::SECOND_WITH_TAKEOVER[2..]).rsv(4),
            ];
            probe.receive_frames(frames);
            assert_eq!(probe.events, [Observed::from("HelloHello"), Observed::from("Hello")]);
        }
    }

    #[test]
    fn an_empty_message_is_one_byte() {
        for role in ROLES {
            let mut probe = probe(role, params(true, 15));
            probe.receive(vector(role, &[compressed::EMPTY, compressed::ONE_FRAME, compressed::EMPTY]));
            assert_eq!(probe.events, [Observed::from(""), Observed::from("Hello"), Observed::from("")]);
        }
    }

    #[test]
    fn a_sender_that_leaves_the_end_in_place_is_understood_until_it_refers_back() {
        let payload = [&compressed::ONE_FRAME[2..], &[0x00, 0x00, 0xFF, 0xFF]].concat();
        for role in ROLES {
            let mut without = probe(role, params(false, 15));
            without.receive_frames([RawFrame::text(&payload).rsv(4), RawFrame::text(&payload).rsv(4)]);
            assert_eq!(without.events, hello(2));
            // §7.2.2: what a receiver appends begins another block here, and the next message would have to go on with that.
            let mut with = probe(role, params(true, 15));
            with.receive_frames([RawFrame::text(&payload).rsv(4)]);
            with.receive(vector(role, &[compressed::SECOND_WITH_TAKEOVER]));
            assert_eq!(with.events[0], Observed::from("Hello"));
            assert_failed(&mut with, ProtocolError::InvalidDeflate);
        }
    }

    #[test]
    fn a_compressed_message_without_any_byte_does_not_harm_those_behind_it() {
        for role in ROLES {
            let mut probe = probe(role, params(true, 15));
            probe.receive(vector(role, &[compressed::ONE_FRAME]));
            probe.receive_frames([RawFrame::text("").rsv(4)]);
            if probe.connection.failure().is_some() {
                // To refuse it is as good: §7.2.1 never makes one.
                assert_failed(&mut probe, ProtocolError::InvalidDeflate);
                continue;
            }
            probe.receive(vector(role, &[compressed::SECOND_WITH_TAKEOVER]));
            assert_eq!(probe.events, [Observed::from("Hello"), Observed::from(""), Observed::from("Hello")]);
        }
    }
}

mod s6_rsv1 {
    use super::*;

    #[test]
    fn messages_without_rsv1_are_not_inflated() {
        for role in ROLES {
            let mut probe = probe(role, params(true, 15));
            probe.receive_frames([
                RawFrame::text("plain"),
                RawFrame::text(&compressed::ONE_FRAME[2..]).rsv(4),
                RawFrame::text("plain"),
            ]);
            assert_eq!(
                probe.events,
                [Observed::from("plain"), Observed::from("Hello"), Observed::from("plain")]
            );
        }
    }

    #[test]
    fn rsv1_on_a_continuation_fails_with_1002() {
        for role in ROLES {
            for start in [
                RawFrame::text("").unfinished(),
                RawFrame::text(&compressed::ONE_FRAME[2..5]).unfinished().rsv(4),
            ] {
                let mut probe = probe(role, params(true, 15));
                probe.receive_frames([start, RawFrame::continuation(&compressed::ONE_FRAME[5..]).rsv(4)]);
                assert_failed(&mut probe, ProtocolError::ReservedBits { bits: 4 });
            }
        }
    }

    #[test]
    fn rsv1_on_a_control_frame_fails_with_1002() {
        for role in ROLES {
            for frame in [RawFrame::ping(""), RawFrame::pong(""), RawFrame::close(1000, "")] {
                let mut probe = probe(role, params(true, 15));
                probe.receive_frames([frame.rsv(4)]);
                assert_failed(&mut probe, ProtocolError::ReservedBits { bits: 4 });
            }
        }
    }

    #[test]
    fn rsv2_and_rsv3_fail_with_1002_beside_deflate_too() {
        for role in ROLES {
            for bits in [1, 2, 3, 5, 6, 7] {
                let mut probe = probe(role, params(true, 15));
                probe.receive_frames([RawFrame::text(&compressed::ONE_FRAME[2..]).rsv(bits)]);
                assert_failed(&mut probe, ProtocolError::ReservedBits { bits });
            }
        }
    }

    #[test]
    fn control_frames_come_between_compressed_fragments() {
        for role in ROLES {
            let mut probe = probe(role, params(true, 15));
            let payload = &compressed::ONE_FRAME[2..];
            let frames = [
                RawFrame::text(&payload[..1]).rsv(4).unfinished(),
                RawFrame::ping("between"),
                RawFrame::continuation("").unfinished(),
                RawFrame::continuation(&payload[1..6]).unfinished(),
                RawFrame::ping("again"),
                RawFrame::continuation(&payload[6..]),
            ];
            probe.receive_frames(frames);
            assert_eq!(probe.events.len(), 3);
            assert_eq!(probe.events[2], Observed::from("Hello"));
            assert_eq!(probe.frames(), [RawFrame::pong("between"), RawFrame::pong("again")]);
        }
    }

    #[test]
    fn every_fragmentation_of_a_compressed_message_gives_it() {
        let message: String = (0..200).map(|i| format!("{i} é ")).collect();
        let payload = deflated(message.as_bytes());
        for cut in 0..=payload.len() {
            let mut probe = probe(Role::Server, params(false, 15));
            let (front, back) = payload.split_at(cut);
            probe.receive_frames([RawFrame::text(front).rsv(4).unfinished(), RawFrame::continuation(back)]);
            assert_eq!(probe.events, [Observed::Message(message.as_str().into())]);
        }
    }
}

mod s7_2_2_faults {
    use super::*;

    #[test]
    fn what_is_no_deflate_stream_fails_with_1007() {
        for role in ROLES {
            // A block of the reserved type, a stored block whose lengths disagree, a distance before the beginning.
            for payload in [&[0x06][..], &[0x00, 0x05, 0x00, 0x00, 0x00, 0x00], &[0x02, 0x04, 0x00]] {
                let mut probe = probe(role, params(false, 15));
                probe.receive_frames([RawFrame::binary(payload).rsv(4)]);
                assert_failed(&mut probe, ProtocolError::InvalidDeflate);
            }
        }
    }

    #[test]
    fn a_fault_fails_at_once_inside_an_unfinished_frame() {
        for role in ROLES {
            let bytes =
                bytes_for(role, [RawFrame::binary([&[0x06][..], &[0; 100]].concat()).rsv(4).unfinished()]);
            let mut probe = probe(role, params(false, 15));
            probe.receive(&bytes[..bytes.len() - 100]);
            assert_failed(&mut probe, ProtocolError::InvalidDeflate);
        }
    }

    #[test]
    fn invalid_utf8_behind_inflation_fails_at_once_with_1007() {
        for role in ROLES {
            let text = [b"good \xED\xA0\x80".as_slice(), &noise(10_000)].concat();
            let payload = deflated(&text);
            let bytes = bytes_for(role, [RawFrame::text(&payload).rsv(4)]);
            let mut probe = probe(role, params(false, 15));
            probe.receive(&bytes[..bytes.len() - payload.len() + 1_000]);
            assert_failed(&mut probe, ProtocolError::InvalidUtf8);
        }
    }

    #[test]
    fn a_compressed_text_that_ends_inside_a_character_fails_with_1007() {
        for role in ROLES {
            let mut probe = probe(role, params(false, 15));
            probe.receive_frames([RawFrame::text(deflated(b"cut \xE2\x82")).rsv(4)]);
            assert_failed(&mut probe, ProtocolError::InvalidUtf8);
        }
    }
}

mod windows {
    use super::*;

    #[test]
    fn every_window_from_8_to_15_is_received() {
        for bits in 8..=15u8 {
            // zlib has no raw deflate of 8 bits: what fits 8 bits is made from short history.
            let message = noise(200).repeat(3);
            let mut sender = Compress::new_with_window_bits(Compression::best(), false, bits.max(9));
            let source = if bits == 8 { &message[..240] } else { &message[..] };
            let mut out = Vec::with_capacity(10_000);
            sender.compress_vec(source, &mut out, FlushCompress::Sync).unwrap();
            out.truncate(out.len() - 4);
            for role in ROLES {
                let mut probe = probe(role, params(true, bits));
                probe.receive_frames([RawFrame::binary(&out).rsv(4)]);
                assert_eq!(probe.events, [Observed::Message(source.into())], "{bits}");
            }
        }
    }

    #[test]
    fn a_small_window_is_received_after_a_block_with_bfinal_too() {
        for role in ROLES {
            let mut sender = Compress::new_with_window_bits(Compression::best(), false, 9);
            let mut probe = probe(role, params(true, 9));
            probe.receive(vector(role, &[compressed::BFINAL]));
            for i in 0..20 {
                let message = [noise(400), noise(400 + i)].concat();
                let mut out = Vec::with_capacity(10_000);
                sender.compress_vec(&message, &mut out, FlushCompress::Sync).unwrap();
                out.truncate(out.len() - 4);
                probe.receive_frames([RawFrame::binary(&out).rsv(4)]);
                assert_eq!(probe.events.pop(), Some(Observed::Message(message.into())));
            }
        }
    }
}

mod streaming_delivery {
    use super::*;

    fn streaming(role: Role) -> Probe {
        probe_with(role, params(true, 15), config().delivery(Delivery::Streaming))
    }

    #[test]
    fn pieces_of_a_compressed_message_come_as_they_arrive() {
        for role in ROLES {
            let message = noise(50_000);
            let bytes = bytes_for(role, [RawFrame::binary(deflated(&message)).rsv(4)]);
            let mut probe = streaming(role);
            probe.receive(&bytes[..bytes.len() / 2]);
            let pieces = probe.events.len();
            assert!(pieces > 0, "half of it came, and half of it is told");
            probe.receive(&bytes[bytes.len() / 2..]);
            assert!(probe.events.len() > pieces);
            assert_eq!(put_together(probe.events), [Observed::Message(message.into())]);
        }
    }

    #[test]
    fn a_small_input_that_inflates_to_much_comes_in_bounded_pieces() {
        let message = vec![7; 1 << 20];
        let mut probe = streaming(Role::Server);
        probe.receive_frames([RawFrame::binary(deflated(&message)).rsv(4)]);
        for event in &probe.events {
            let Observed::Fragment(piece) = event else { panic!("a piece") };
            assert!(piece.payload.len() <= 64 << 10);
        }
        assert_eq!(put_together(probe.events), [Observed::Message(message.into())]);
    }

    #[test]
    fn small_and_empty_messages_are_told_with_their_end() {
        for role in ROLES {
            let mut probe = streaming(role);
            probe.receive(vector(role, &[compressed::EMPTY, compressed::TWO_FRAGMENTS, compressed::BFINAL]));
            assert_eq!(
                put_together(probe.events),
                [Observed::from(""), Observed::from("Hello"), Observed::from("Hello")]
            );
        }
    }
}
