//! What is left of the contexts of a connection that idles.

use super::*;
use crate::support::ROLES;
use std::time::Duration;

fn text() -> String {
    (0..500).map(|i| format!("{} ", i * 7_919)).collect()
}

#[test]
fn both_ends_go_on_from_what_they_kept() {
    for role in ROLES {
        for bits in [9, 12, 15] {
            let (mut from, mut to) =
                (probe(role, params(true, bits)), probe(role.peer(), params(true, bits)));
            for i in 0..12 {
                let message =
                    if i % 4 == 3 { noise(20_000 + i).into() } else { ws_proto::Message::text(text()) };
                from.connection.send(message.clone()).unwrap();
                assert_eq!(deliver(&mut from.connection, &mut to), [Observed::Message(message)]);
                if i % 2 == 1 {
                    to.connection.release_contexts();
                }
                if i % 5 == 4 {
                    from.connection.release_contexts();
                }
            }
        }
    }
}

#[test]
fn a_keepalive_ping_lets_the_sender_begin_a_fresh_window() {
    for role in ROLES {
        let config = config().ping_interval(Some(Duration::from_secs(20)));
        let mut probe = probe_with(role, params(true, 15), config.deflate(eager()));
        let mut sent = Vec::new();
        for i in 0..3 {
            if i == 2 {
                assert!(probe.time_out());
                probe.frames();
            }
            probe.connection.send(text().into()).unwrap();
            sent.push(probe.frames().remove(0).payload);
        }
        assert!(sent[1].len() < sent[0].len() / 4, "it refers to the first");
        assert_eq!(sent[2], sent[0]);
    }
}

#[test]
fn a_message_in_the_middle_keeps_its_contexts() {
    for role in ROLES {
        let (mut from, mut to) = (probe(role, params(true, 15)), probe(role.peer(), params(true, 15)));
        let mut received = Vec::new();
        for (i, piece) in [text(), text(), text()].into_iter().enumerate() {
            from.connection.send_fragment(ws_proto::MessageKind::Text, piece.into(), i == 2).unwrap();
            received.extend(deliver(&mut from.connection, &mut to));
            from.connection.release_contexts();
            to.connection.release_contexts();
        }
        assert_eq!(received, [Observed::Message(text().repeat(3).into())]);
    }
}
