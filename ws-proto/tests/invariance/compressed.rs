//! The same for compressed messages.

use super::*;
use proptest::prelude::*;
use ws_proto::Delivery;
use ws_proto::deflate::{DeflateConfig, DeflateParams, WindowBits};
use ws_testkit::raw::RawFrame;
use ws_testkit::vectors::compressed;
use ws_testkit::{put_together, strategies};

fn negotiated(role: Role, takeover: bool, window_bits: u8) -> Negotiated {
    let window_bits = WindowBits::new(window_bits).unwrap();
    Negotiated::new(role).with_deflate(DeflateParams {
        server_no_context_takeover: !takeover,
        client_no_context_takeover: !takeover,
        server_max_window_bits: window_bits,
        client_max_window_bits: window_bits,
    })
}

/// Compressed payloads: of messages, and of garbage.
#[derive(Clone, Debug)]
struct Compressed {
    opcode: u8,
    payload: Vec<u8>,
    sizes: Vec<usize>,
    /// Are its bytes spoilt after compression?
    spoilt: Option<(prop::sample::Index, u8)>,
}

fn compressed_messages() -> impl Strategy<Value = Vec<Compressed>> {
    let body = prop_oneof![
        strategies::text(300).prop_map(|text| (1, text.into_bytes())),
        strategies::nearly_text(200).prop_map(|text| (1, text)),
        strategies::payload(800).prop_map(|bytes| (2, bytes)),
        (any::<u8>(), 0..3_000usize).prop_map(|(byte, len)| (2, vec![byte; len])),
    ];
    let spoilt = prop::option::weighted(0.2, (any::<prop::sample::Index>(), any::<u8>()));
    let message = (body, prop::collection::vec(0..60usize, 0..4), spoilt)
        .prop_map(|((opcode, payload), sizes, spoilt)| Compressed { opcode, payload, sizes, spoilt });
    prop::collection::vec(message, 1..4)
}

/// The bytes of these messages, as a peer with an own compressor of `window_bits` sends them.
fn bytes(role: Role, takeover: bool, window_bits: u8, messages: &[Compressed]) -> Vec<u8> {
    let mut raw = flate2::Compress::new_with_window_bits(flate2::Compression::default(), false, window_bits);
    let mut bytes = Vec::new();
    for message in messages {
        if !takeover {
            raw.reset();
        }
        let mut payload = Vec::with_capacity(message.payload.len() + 1_000);
        raw.compress_vec(&message.payload, &mut payload, flate2::FlushCompress::Sync).unwrap();
        payload.truncate(payload.len().saturating_sub(4));
        if payload.is_empty() {
            // §7.2.3.6: nothing came behind the last flush.
            payload.push(0);
        }
        if let Some((index, byte)) = message.spoilt {
            let index = index.index(payload.len());
            payload[index] = byte;
        }
        let mut frames = strategies::fragmented(message.opcode, &payload, &message.sizes);
        frames[0].rsv = 4;
        frames.insert(frames.len() / 2, RawFrame::ping("between"));
        bytes.extend(support::bytes_for(role, frames));
    }
    bytes
}

fn settings() -> ConfigBuilder {
    config().max_message_bytes(2_000).deflate(DeflateConfig { max_ratio: 100, ..DeflateConfig::default() })
}

#[test]
fn every_offset_of_every_compressed_vector_gives_the_same_outcome() {
    let examples = [
        vec![compressed::ONE_FRAME, compressed::SECOND_WITH_TAKEOVER, compressed::TWO_FRAGMENTS],
        vec![compressed::STORED, compressed::SECOND_WITH_TAKEOVER],
        vec![compressed::BFINAL, compressed::ONE_FRAME],
        vec![compressed::TWO_BLOCKS, compressed::EMPTY, compressed::EMPTY, compressed::ONE_FRAME],
    ];
    for role in support::ROLES {
        for (example, takeover) in examples.iter().flat_map(|example| [(example, true), (example, false)]) {
            let frames = example.iter().flat_map(|bytes| ws_testkit::raw::read_all(bytes).unwrap());
            let bytes = support::bytes_for(role, frames);
            let negotiated = negotiated(role, takeover, 15);
            let expected = whole(&negotiated, settings(), &bytes);
            for how in Feed::ALL {
                for cut in 1..=bytes.len() {
                    let split =
                        outcome(&negotiated, settings(), &bytes, how, Chunks::cycle([cut, usize::MAX]));
                    assert_eq!(split, expected, "{role:?} {how:?} cut at {cut}: {bytes:02X?}");
                }
                assert_eq!(
                    outcome(&negotiated, settings(), &bytes, how, Chunks::of(1)),
                    expected,
                    "{role:?} {how:?}"
                );
            }
        }
    }
}

#[test]
fn a_reference_behind_the_agreed_window_has_the_same_outcome_however_it_arrives() {
    // A peer that compresses with 15 bits where 9 were agreed on: refused or not, but not by chance.
    let message: Vec<u8> = (0..400u32).flat_map(|i| (i * 7_919).to_le_bytes()).collect::<Vec<_>>().repeat(2);
    let message = Compressed { opcode: 2, payload: message, sizes: Vec::new(), spoilt: None };
    for role in support::ROLES {
        let bytes = bytes(role, true, 15, &[message.clone(), message.clone()]);
        let negotiated = negotiated(role, true, 9);
        let expected = whole(&negotiated, config(), &bytes);
        for size in [1, 10, 100, 500, 1_000] {
            let split = outcome(&negotiated, config(), &bytes, Feed::Borrowed, Chunks::of(size));
            assert!(split == expected, "{role:?}, {size} bytes at a time: {:?}", split.events.last());
        }
    }
}

proptest! {
    #![proptest_config(support::cases(1_000))]

    #[test]
    fn any_split_of_compressed_messages_gives_the_same_outcome(
        is_client in any::<bool>(),
        takeover in any::<bool>(),
        window_bits in 9..=15u8,
        messages in compressed_messages(),
        chunks in strategies::chunks(100),
        how in prop::sample::select(&Feed::ALL[..]),
    ) {
        let role = role_of(is_client);
        let bytes = bytes(role, takeover, window_bits, &messages);
        let negotiated = negotiated(role, takeover, window_bits);
        let expected = whole(&negotiated, settings(), &bytes);
        prop_assert_eq!(&outcome(&negotiated, settings(), &bytes, how, chunks.clone()), &expected);
        let streaming = settings().delivery(Delivery::Streaming);
        let Outcome { events, wire } = outcome(&negotiated, streaming, &bytes, how, chunks);
        prop_assert_eq!(Outcome { events: put_together(events), wire }, expected);
    }

    #[test]
    fn compressed_garbage_never_panics_and_has_the_same_outcome_however_it_arrives(
        is_client in any::<bool>(),
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..4),
        chunks in strategies::chunks(20),
        how in prop::sample::select(&Feed::ALL[..]),
    ) {
        let role = role_of(is_client);
        let bytes = support::bytes_for(role, payloads.into_iter().map(|payload| RawFrame::binary(payload).rsv(4)));
        let negotiated = negotiated(role, true, 15);
        let expected = whole(&negotiated, settings(), &bytes);
        prop_assert_eq!(outcome(&negotiated, settings(), &bytes, how, chunks), expected);
    }
}
