//! What comes in: declared lengths, fragments, bombs, heads.

use super::*;
use ws_proto::deflate::{DeflateConfig, DeflateParams};
use ws_proto::handshake::ServerHandshake;
use ws_proto::{CloseCode, Config, Failure, LimitError};
use ws_testkit::raw::Length;

#[test]
fn a_declared_length_allocates_nothing_before_the_payload_comes() {
    for role in ROLES {
        let unlimited = config().max_frame_bytes(usize::MAX).max_message_bytes(usize::MAX);
        let mut connection = connection(role, unlimited);
        let frame = RawFrame::binary("").length(Length::Declared(1 << 62));
        let mut header = bytes_for(role, [frame]);
        let held = peak(|| assert!(!feed(&mut connection, &mut header, usize::MAX)));
        assert!(held <= 256, "{role:?}: {held} bytes for a header alone");
        let held = peak(|| assert!(!feed(&mut connection, &mut [7; 1], usize::MAX)));
        assert!(held <= 64 * KIB + 256, "{role:?}: {held} bytes for one byte of payload");
    }
}

#[test]
fn a_large_frame_holds_at_most_twice_what_came_of_it() {
    for role in ROLES {
        let mut connection = connection(role, config());
        let mut bytes =
            bytes_for(role, [RawFrame::binary(vec![7; 1 << 20]).length(Length::Declared(16 << 20))]);
        let arrived = bytes.len() as u64;
        let held = peak(|| assert!(!feed(&mut connection, &mut bytes, 16 << 10)));
        // Twice, and what is copied from while it grows.
        assert!(held <= 3 * arrived + 64 * KIB, "{role:?}: {held} bytes where {arrived} came");
    }
}

#[test]
fn empty_fragments_hold_nothing_and_are_counted() {
    for role in ROLES {
        let mut connection = connection(role, config().max_fragments(10_000));
        let first = RawFrame::text("").unfinished();
        let rest = (0..10_000).map(|_| RawFrame::continuation("").unfinished());
        let mut bytes = bytes_for(role, [first].into_iter().chain(rest));
        let held = peak(|| assert!(feed(&mut connection, &mut bytes, 64 << 10)));
        let limit = LimitError::TooManyFragments { limit: 10_000, actual: 10_001 };
        assert_eq!(connection.failure(), Some(&Failure::Limit(limit)));
        assert!(held <= KIB, "{role:?}: {held} bytes");
    }
}

#[test]
fn fragments_of_one_byte_cost_what_they_bring() {
    for role in ROLES {
        let mut connection = connection(role, config());
        let first = RawFrame::binary("a").unfinished();
        let rest = (0..60_000).map(|_| RawFrame::continuation("a").unfinished());
        let mut bytes = bytes_for(role, [first].into_iter().chain(rest));
        let held = peak(|| assert!(!feed(&mut connection, &mut bytes, 64 << 10)));
        assert!(held <= 2 * 64 * KIB, "{role:?}: {held} bytes for 60,001");
    }
}

#[test]
fn a_message_past_its_limit_is_freed() {
    for role in ROLES {
        let mut connection = connection(role, config().max_message_bytes(1 << 20));
        let first = RawFrame::binary(vec![7; 1 << 20]).unfinished();
        let mut bytes = bytes_for(role, [first, RawFrame::continuation("a")]);
        let kept = kept(|| assert!(feed(&mut connection, &mut bytes, 64 << 10)));
        assert_eq!(connection.failure().map(Failure::close_code), Some(CloseCode::MESSAGE_TOO_BIG));
        assert!(kept <= 512, "{role:?}: {kept} bytes are kept, more than a Close frame needs");
    }
}

/// What a peer sends that compresses `len` zeros as well as it can.
fn bomb(receiver: Role, len: usize) -> Vec<u8> {
    let best = DeflateConfig { level: 9, ..Default::default() };
    let config = config().deflate(best).max_send_queue_bytes(usize::MAX).build().unwrap();
    let negotiated = Negotiated::new(receiver.peer()).with_deflate(DeflateParams::default());
    let mut sender = Connection::new(negotiated, config, Instant::now());
    sender.send(vec![0; len].into()).unwrap();
    ws_testkit::wire(&mut sender, &mut Default::default())
}

fn inflating(role: Role, config: Config) -> Connection {
    Connection::new(Negotiated::new(role).with_deflate(DeflateParams::default()), config, Instant::now())
}

/// A context of the decompressor.
const CONTEXT: u64 = 48 * KIB;

#[test]
fn a_bomb_is_stopped_at_the_limit_of_a_message_while_it_inflates() {
    for role in ROLES {
        let limit = 64 << 10;
        let mut bytes = bomb(role, 8 << 20);
        assert!(bytes.len() < 16 << 10, "it is a bomb");
        let mut connection = inflating(role, config().max_message_bytes(limit).build().unwrap());
        let mut held = 0;
        let kept = kept(|| held = peak(|| assert!(feed(&mut connection, &mut bytes, usize::MAX))));
        assert_eq!(connection.failure().map(Failure::close_code), Some(CloseCode::MESSAGE_TOO_BIG));
        assert!(held <= 3 * limit as u64 + CONTEXT + 4 * KIB, "{role:?}: {held} bytes");
        assert!(kept <= 512, "{role:?}: {kept} bytes are kept");
    }
}

#[test]
fn a_bomb_below_the_limit_of_a_message_is_stopped_by_its_ratio() {
    for role in ROLES {
        let mut bytes = bomb(role, 15 << 20);
        let mut connection = inflating(role, config().build().unwrap());
        let held = peak(|| assert!(feed(&mut connection, &mut bytes, 64 << 10)));
        assert!(matches!(connection.failure(), Some(Failure::Limit(LimitError::InflationRatio { .. }))));
        // The ratio counts from 1 MiB of output on.
        assert!(held <= 3 * 1200 * KIB + CONTEXT, "{role:?}: {held} bytes of 15 MiB");
    }
}

#[test]
fn a_head_that_goes_on_for_ever_is_refused_at_its_limit() {
    let mut handshake = ServerHandshake::new(config().build().unwrap(), Instant::now());
    let head = [b"GET / HTTP/1.1\r\nx: ".as_slice(), &[b'a'; 64 << 10]].concat();
    let mut taken = 0;
    let held = peak(|| {
        for byte in head.chunks(1) {
            taken += 1;
            if handshake.poll_event(&mut &*byte, Instant::now()).is_some() {
                break;
            }
        }
    });
    assert!(taken <= 16 * 1024 + 1, "{taken} bytes were taken");
    assert!(held <= 3 * 16 * KIB + 4 * KIB, "{held} bytes for a head of 16 KiB");
}
