//! Vectors of RFC 7692 §7.2.3, and what the contexts keep and give back.

use super::*;
use crate::deflate::{TAIL, WindowBits};
use proptest::prelude::*;

fn contexts(role: Role, takeover: bool, bits: u8) -> Contexts {
    let bits = WindowBits::new(bits).unwrap();
    let params = DeflateParams {
        server_no_context_takeover: !takeover,
        client_no_context_takeover: !takeover,
        server_max_window_bits: bits,
        client_max_window_bits: bits,
    };
    Contexts::new(role, &params, &DeflateConfig::default())
}

fn compress(from: &mut Contexts, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    from.compress(message, true, &mut out);
    out
}

fn inflate(to: &mut Contexts, payload: &[u8]) -> Result<Vec<u8>, ProtocolError> {
    let mut out = Vec::with_capacity(1);
    for mut input in [payload, &TAIL] {
        if input == TAIL && to.decompressor()?.is_ended() {
            break;
        }
        loop {
            let step = to.decompressor()?.inflate(input, &mut out)?;
            input = &input[step.consumed..];
            if step.done {
                break;
            }
            out.reserve(out.len() + 1);
        }
    }
    to.end_received_message();
    Ok(out)
}

#[test]
fn the_vectors_of_section_7_2_3_inflate_to_hello() {
    let mut to = contexts(Role::Server, true, 15);
    // §7.2.3.1, §7.2.3.2 (the window carried over), §7.2.3.3 (stored), §7.2.3.5 (two blocks)
    for payload in [
        &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..],
        &[0xf2, 0x00, 0x11, 0x00, 0x00],
        &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
        &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
    ] {
        assert_eq!(inflate(&mut to, payload).unwrap(), b"Hello");
    }
    // §7.2.3.4: BFINAL set, with and without the byte that the section adds
    for payload in
        [&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00][..], &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]]
    {
        assert_eq!(inflate(&mut to, payload).unwrap(), b"Hello");
    }
    assert_eq!(inflate(&mut to, &[0x00]).unwrap(), b"");
}

#[test]
fn a_carried_window_makes_the_second_message_shorter() {
    let mut from = contexts(Role::Server, true, 15);
    let first = compress(&mut from, b"Hello");
    assert_eq!(first, [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
    assert!(compress(&mut from, b"Hello").len() < first.len());
    from.forget_sent_window();
    assert_eq!(compress(&mut from, b"Hello"), first);
}

#[test]
fn without_takeover_nothing_is_kept_and_the_pool_gets_what_was_borrowed() {
    let mut from = contexts(Role::Server, false, 15);
    let first = compress(&mut from, b"Hello");
    assert!(from.compressor.is_none(), "without a pool the context is freed");
    let mut pool = Pool::new();
    from.lend(&mut pool);
    assert_eq!(compress(&mut from, b"Hello"), first);
    assert!(from.compressor.is_some());
    from.reclaim(&mut pool);
    assert!(from.compressor.is_none() && pool.take_compressor(|_| true).is_some());
}

#[test]
fn a_message_that_ends_inside_a_block_leaves_no_history_and_the_next_one_fails() {
    let mut to = contexts(Role::Server, true, 15);
    // A stored block of 5 bytes, of which one comes; the tail that was put back is part of it.
    inflate(&mut to, &[0x00, 0xff, 0x00, 0x00, 0xff, b'H']).unwrap();
    to.forget_decompressor();
    let next = inflate(&mut to, &[0xf2, 0x00, 0x11, 0x00, 0x00]);
    assert!(next.is_err() || next.unwrap() != b"Hello");
}

#[test]
fn an_idle_sender_keeps_nothing() {
    let mut from = contexts(Role::Server, true, 15);
    let first = compress(&mut from, b"Hello");
    from.forget_compressor();
    assert!(from.compressor.is_none());
    assert_eq!(compress(&mut from, b"Hello"), first);
}

#[test]
fn a_window_of_eight_bits_is_read_but_never_written() {
    let contexts = contexts(Role::Client, true, 8);
    assert!(!contexts.compresses(1 << 20) && !contexts.can_compress());
    assert_eq!(contexts.recv_window_bits, 8);
}

proptest! {
    #[test]
    fn what_is_compressed_inflates_again_at_every_window(
        messages in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..600),
            prop::collection::vec(0..3u8, 0..6000),
        ], 1..6),
        bits in 9..=15u8,
        takeover in any::<bool>(),
    ) {
        let (mut from, mut to) = (contexts(Role::Client, takeover, bits), contexts(Role::Server, takeover, bits));
        for message in messages {
            let payload = compress(&mut from, &message);
            prop_assert_eq!(inflate(&mut to, &payload), Ok(message));
        }
    }

    #[test]
    fn an_idle_receiver_keeps_at_most_a_window_and_what_follows_inflates_as_before(
        messages in prop::collection::vec((prop_oneof![
            prop::collection::vec(any::<u8>(), 0..600),
            prop::collection::vec(0..3u8, 0..6000),
            (any::<u32>(), 30_000..40_000_u32).prop_map(|(seed, len)| {
                (0..len).map(|i| ((i ^ seed).wrapping_mul(2_654_435_761) >> 24).to_le_bytes()[0]).collect()
            }),
        ], any::<bool>()), 1..8),
        bits in 9..=15u8,
        pooled in any::<bool>(),
    ) {
        let (mut from, mut to) = (contexts(Role::Client, true, bits), contexts(Role::Server, true, bits));
        let mut pool = Pool::new();
        for (message, idles) in messages {
            if pooled {
                to.lend(&mut pool);
            }
            let payload = compress(&mut from, &message);
            prop_assert_eq!(inflate(&mut to, &payload), Ok(message));
            if idles {
                to.forget_decompressor();
                if let History::Kept(history) = &to.history {
                    prop_assert!(history.len() <= 1 << bits);
                }
            }
            if pooled {
                to.reclaim(&mut pool);
            }
            prop_assert!(!idles || to.decompressor.is_none());
        }
    }

    #[test]
    fn fragments_of_a_message_inflate_to_the_whole(pieces in prop::collection::vec(prop::collection::vec(0..5u8, 0..50), 1..6)) {
        let (mut from, mut to) = (contexts(Role::Client, false, 15), contexts(Role::Server, false, 15));
        let mut payload = Vec::new();
        for (i, piece) in pieces.iter().enumerate() {
            from.compress(piece, i + 1 == pieces.len(), &mut payload);
        }
        prop_assert_eq!(inflate(&mut to, &payload), Ok(pieces.concat()));
    }

    #[test]
    fn garbage_ends(payload in prop::collection::vec(any::<u8>(), 0..300)) {
        let _verdict = inflate(&mut contexts(Role::Server, true, 15), &payload);
    }
}
