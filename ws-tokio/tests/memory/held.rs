//! What a connection says that it holds is what it has allocated.

use super::*;
use ws_proto::Message;
use ws_proto::deflate::DeflateParams;

/// What is told and what was allocated by `work`, which begins with a connection that holds nothing, differ by a little: bookkeeping that each
/// connection has, and that the allocator does not tell what it holds beside.
fn told_is_held(name: &str, connection: &mut Connection, work: impl FnOnce(&mut Connection)) {
    assert_eq!(connection.memory_bytes(), 0, "{name}");
    let held = kept(|| work(connection));
    let told = i64::try_from(connection.memory_bytes()).unwrap();
    let off = (held - told).abs();
    assert!(off <= held / 20 + 2 * 1024, "{name}, {:?}: {told} are told, {held} are held", connection.role());
}

#[test]
fn a_message_in_part_is_told() {
    for role in ROLES {
        for arrived in [100, 5_000, 70_000, 1_000_000] {
            let mut connection = connection(role, config());
            let frame =
                RawFrame::binary(vec![7; arrived]).length(ws_testkit::raw::Length::Declared(2_000_000));
            let mut bytes = bytes_for(role, [frame]);
            told_is_held("a frame in part", &mut connection, |connection| {
                assert!(!feed(connection, &mut bytes, 8 << 10));
            });
        }
        let mut connection = connection(role, config());
        let first = RawFrame::text("a".repeat(30_000)).unfinished();
        let mut bytes = bytes_for(role, [first, RawFrame::continuation("a".repeat(90_000)).unfinished()]);
        told_is_held("fragments", &mut connection, |connection| {
            assert!(!feed(connection, &mut bytes, 64 << 10));
        });
    }
}

#[test]
fn what_is_queued_is_told_as_long_as_it_is_there() {
    for role in ROLES {
        for len in [100, 5_000, 300_000] {
            let mut connection = connection(role, config().max_send_queue_bytes(1 << 20));
            told_is_held("a queue", &mut connection, |connection| {
                while connection.send(Message::binary(vec![7; len])).is_ok() {}
            });
            let transmit = connection.transmit();
            bytes::Buf::advance(transmit, transmit.len());
            assert_eq!(connection.memory_bytes(), 0, "nothing is queued any more");
        }
    }
}

#[test]
fn what_many_connections_share_counts_for_none_and_what_one_has_beside_it_does() {
    let prepared = ws_proto::Prepared::new(Message::binary(vec![7; 100_000]));
    let mut connection = connection(Role::Server, config());
    for _ in 0..3 {
        connection.send_prepared(&prepared).unwrap();
    }
    assert!(connection.memory_bytes() <= 1024, "{}", connection.memory_bytes());
    connection.send(Message::binary(vec![7; 50_000])).unwrap();
    // As it is written, piece by piece.
    while connection.transmit().len() > 40_000 {
        let own = connection.transmit().len().min(50_004);
        let told = connection.memory_bytes();
        assert!((own..own + 1024).contains(&told), "{told} are told, {own} are its own");
        bytes::Buf::advance(connection.transmit(), 7_000);
    }
}

#[test]
fn contexts_and_windows_are_told() {
    for role in ROLES {
        for bits in [9, 12, 15] {
            let bits = ws_proto::deflate::WindowBits::new(bits).unwrap();
            let params = DeflateParams {
                server_max_window_bits: bits,
                client_max_window_bits: bits,
                ..Default::default()
            };
            let negotiated = |role| Negotiated::new(role).with_deflate(params);
            let settings = std::sync::Arc::new(config().build().unwrap());
            let now = Instant::now();
            let mut peer = Connection::new(negotiated(role.peer()), std::sync::Arc::clone(&settings), now);
            peer.send("a".repeat(10_000).into()).unwrap();
            let mut message = ws_testkit::wire(&mut peer, &mut Default::default());

            let mut connection = Connection::new(negotiated(role), settings, now);
            told_is_held("a compressor", &mut connection, |connection| {
                connection.send("a".repeat(10_000).into()).unwrap();
                let transmit = connection.transmit();
                bytes::Buf::advance(transmit, transmit.len());
            });
            connection.release_contexts();
            told_is_held("an inflater", &mut connection, |connection| {
                assert!(!feed(connection, &mut message, usize::MAX));
            });
            connection.release_contexts();
            let window = connection.memory_bytes();
            assert!((1..=32 << 10).contains(&window), "a window of {window} bytes is kept");
        }
    }
}

#[test]
fn a_connection_that_gives_up_its_memory_holds_a_close_frame_and_no_more() {
    for role in ROLES {
        let params = DeflateParams::default();
        let settings = config().build().unwrap();
        let now = Instant::now();
        let mut connection = Connection::new(Negotiated::new(role).with_deflate(params), settings, now);
        connection.send("a".repeat(10_000).into()).unwrap();
        let transmit = connection.transmit();
        bytes::Buf::advance(transmit, transmit.len());
        let mut bytes = bytes_for(role, [RawFrame::binary(vec![7; 500_000]).unfinished()]);
        assert!(!feed(&mut connection, &mut bytes, 64 << 10));
        assert!(connection.memory_bytes() > 800_000);
        connection.give_up_memory(1000, 2000, now);
        assert!(connection.memory_bytes() <= 256, "{} bytes", connection.memory_bytes());
        let failure = ws_proto::LimitError::MemoryBudget { limit: 1000, actual: 2000 }.into();
        assert_eq!(connection.failure(), Some(&failure));
        let sent = ws_testkit::wire(&mut connection, &mut Default::default());
        let [close] = ws_testkit::raw::read_all(&sent).unwrap().try_into().unwrap();
        assert_eq!(
            close.payload,
            [&[3, 245], b"there is no memory left for this connection".as_slice()].concat()
        );
    }
}
