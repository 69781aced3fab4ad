//! Compressed messages that become too much (RFC 7692 §8).

use super::*;
use ws_proto::deflate::DeflateParams;
use ws_proto::{CloseCode, Delivery, Negotiated};
use ws_testkit::strategies;

/// `messages` as one compressor with takeover writes them.
fn deflated(messages: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut raw = flate2::Compress::new(flate2::Compression::best(), false);
    let compress = |message: &&[u8]| {
        let mut out = Vec::with_capacity(message.len() + 1_000);
        raw.compress_vec(message, &mut out, flate2::FlushCompress::Sync).unwrap();
        out.truncate(out.len() - 4);
        out
    };
    messages.iter().map(compress).collect()
}

fn probe(role: Role, takeover: bool, delivery: Delivery) -> Probe {
    let params = DeflateParams {
        server_no_context_takeover: !takeover,
        client_no_context_takeover: !takeover,
        ..DeflateParams::default()
    };
    let config = ws_testkit::config().delivery(delivery).build().unwrap();
    Probe::with(Negotiated::new(role).with_deflate(params), config)
}

fn everywhere() -> impl Iterator<Item = (Role, bool, Delivery)> {
    ROLES.into_iter().flat_map(|role| {
        [
            (true, Delivery::Whole),
            (false, Delivery::Whole),
            (true, Delivery::Streaming),
            (false, Delivery::Streaming),
        ]
        .map(|(takeover, delivery)| (role, takeover, delivery))
    })
}

/// The probe failed with 1009, and handed out no more than `most` bytes of the message.
fn assert_bounded(mut probe: Probe, most: usize) {
    let failure = probe.connection.failure().cloned().expect("a failure");
    assert_eq!(failure.close_code(), CloseCode::MESSAGE_TOO_BIG, "{failure}");
    let told: usize = probe
        .events
        .iter()
        .map(|event| if let Observed::Fragment(piece) = event { piece.payload.len() } else { 0 })
        .sum();
    assert!(told <= most, "{told}");
    assert_failed(&mut probe, failure);
}

#[test]
fn a_kilobyte_that_would_become_a_gigabyte_fails_while_it_inflates() {
    // A run of zeros compresses a thousandfold; the same block again and again needs no compressor for the whole.
    let mut bomb = deflated(&[&vec![0; 1 << 20]]).remove(0);
    bomb.extend_from_slice(&[0, 0, 0xFF, 0xFF]);
    for (role, takeover, delivery) in everywhere() {
        let mut probe = probe(role, takeover, delivery);
        probe.receive_frames([RawFrame::binary(&bomb).rsv(4).unfinished()]);
        let mut rounds = 0;
        while probe.connection.is_open() {
            rounds += 1;
            assert!(rounds < 1_000, "a gigabyte");
            probe.receive_frames([RawFrame::continuation(&bomb).unfinished()]);
        }
        assert_bounded(probe, 2 << 20);
    }
}

#[test]
fn a_bomb_in_pieces_of_a_byte_or_in_fragments_is_a_bomb_too() {
    let bomb = deflated(&[&vec![0; 3 << 20]]).remove(0);
    for (role, takeover, delivery) in everywhere() {
        let mut frames = strategies::fragmented(2, &bomb, &[1, 0, 100, 1_000]);
        frames[0].rsv = 4;
        let bytes = bytes_for(role, frames);
        let mut probe = probe(role, takeover, delivery);
        probe.receive_in(bytes, Feed::Borrowed, Chunks::of(1));
        assert_bounded(probe, 2 << 20);
    }
}

#[test]
fn a_bomb_behind_an_honest_message_that_shares_its_window_is_a_bomb_too() {
    let honest = b"an honest message".as_slice();
    let [first, second] = deflated(&[honest, &vec![0; 3 << 20]]).try_into().unwrap();
    for role in ROLES {
        let mut probe = probe(role, true, Delivery::Whole);
        probe.receive_frames([RawFrame::text(&first).rsv(4), RawFrame::binary(&second).rsv(4)]);
        assert_eq!(probe.events[0], Observed::from("an honest message"));
        assert_bounded(probe, 2 << 20);
    }
}
