//! Messages that are framed and compressed once for many connections.

use super::*;
use crate::support::ROLES;
use bytes::Buf;
use ws_proto::Prepared;

fn text() -> String {
    (0..2_000).map(|i| format!("{} ", i * 7_919)).collect()
}

#[test]
fn server_connections_share_one_compressed_frame() {
    let prepared = Prepared::new(text());
    let (mut one, mut two) = (probe(Role::Server, params(false, 15)), probe(Role::Server, params(true, 15)));
    one.connection.send_prepared(&prepared).unwrap();
    two.connection.send_prepared(&prepared.clone()).unwrap();
    assert_eq!(one.connection.transmit().chunk().as_ptr(), two.connection.transmit().chunk().as_ptr());
    let frames = one.frames();
    assert_eq!((frames.len(), frames[0].rsv, frames[0].fin), (1, 4, true));
    assert!(frames[0].payload.len() < text().len());
    assert_eq!(two.frames(), frames);
}

#[test]
fn server_connections_share_one_plain_frame() {
    let prepared = Prepared::new(noise(1_020));
    let [mut one, mut two] = [(), ()].map(|()| Probe::new(Role::Server));
    one.connection.send_prepared(&prepared).unwrap();
    two.connection.send_prepared(&prepared).unwrap();
    assert_eq!(one.connection.transmit().chunk().as_ptr(), two.connection.transmit().chunk().as_ptr());
    assert_eq!(one.frames(), [ws_testkit::raw::RawFrame::binary(noise(1_020))]);
}

#[test]
fn one_message_serves_connections_with_every_window_and_without_compression() {
    let prepared = Prepared::new(text());
    for bits in (8..=15).chain(8..=15) {
        let (mut from, mut to) =
            (probe(Role::Server, params(true, bits)), probe(Role::Client, params(true, bits)));
        from.connection.send_prepared(&prepared).unwrap();
        assert_eq!(deliver(&mut from.connection, &mut to), [Observed::Message(text().into())]);
    }
    let (mut from, mut to) = (Probe::new(Role::Server), Probe::new(Role::Client));
    from.connection.send_prepared(&prepared).unwrap();
    assert_eq!(deliver(&mut from.connection, &mut to), [Observed::Message(text().into())]);
}

#[test]
fn a_message_below_the_threshold_is_prepared_uncompressed() {
    let mut probe = probe_with(Role::Server, params(true, 15), config());
    probe.connection.send_prepared(&Prepared::new("short")).unwrap();
    assert_eq!(probe.frames(), [ws_testkit::raw::RawFrame::text("short")]);
}

#[test]
fn a_client_masks_each_copy_with_its_own_key() {
    let prepared = Prepared::new(text());
    let (mut client, mut server) =
        (probe(Role::Client, params(true, 15)), probe(Role::Server, params(true, 15)));
    client.connection.send_prepared(&prepared).unwrap();
    client.connection.send_prepared(&prepared).unwrap();
    let bytes = client.wire();
    let frames = ws_testkit::raw::read_all(&bytes).unwrap();
    assert!(frames[0].mask.is_some() && frames[1].mask.is_some() && frames[0].mask != frames[1].mask);
    server.receive(bytes);
    assert_eq!(server.events, [Observed::Message(text().into()), Observed::Message(text().into())]);
}

#[test]
fn the_connections_own_compressor_and_the_peers_window_never_disagree() {
    // With takeover each message may refer to those before it: the prepared one was made without them, and replaces them.
    for role in ROLES {
        let (mut from, mut to) = (probe(role, params(true, 15)), probe(role.peer(), params(true, 15)));
        let (own, prepared) = (noise(300), Prepared::new(noise(301)));
        let mut expected = Vec::new();
        for i in 0..6 {
            from.connection.send(own.clone().into()).unwrap();
            expected.push(Observed::Message(own.clone().into()));
            if i % 2 == 0 {
                from.connection.send_prepared(&prepared).unwrap();
                expected.push(Observed::Message(prepared.message().clone()));
            }
        }
        assert_eq!(deliver(&mut from.connection, &mut to), expected);
    }
}

#[test]
fn a_prepared_message_made_by_one_connection_is_right_for_another_with_history() {
    let prepared = Prepared::new(noise(300));
    let mut maker = probe(Role::Server, params(true, 15));
    maker.connection.send(noise(300).into()).unwrap();
    maker.connection.send_prepared(&prepared).unwrap();
    let (mut from, mut to) = (probe(Role::Server, params(true, 15)), probe(Role::Client, params(true, 15)));
    from.connection.send(noise(299).into()).unwrap();
    from.connection.send_prepared(&prepared).unwrap();
    from.connection.send(noise(299).into()).unwrap();
    let expected = [noise(299), noise(300), noise(299)].map(|message| Observed::Message(message.into()));
    assert_eq!(deliver(&mut from.connection, &mut to), expected);
}
