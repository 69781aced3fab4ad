//! Messages in both directions, and a peer that does not read.

use super::*;

#[test]
fn everything_arrives_in_order_through_a_line_that_cuts_at_will() {
    for seed in 0..100 {
        let mut pair = pair_of(config().fragment_bytes(Some(300)), config().fragment_bytes(Some(7)));
        pair.latency = Duration::from_millis(30);
        (pair.client.writes, pair.client.reads) = (Chunks::random(seed, 50), Chunks::random(seed + 1, 9));
        (pair.server.writes, pair.server.reads) =
            (Chunks::random(seed + 2, 9), Chunks::random(seed + 3, 200));
        let messages: Vec<Message> = (0..20).map(|i| format!("{i} é水").repeat(i * 3).into()).collect();
        for message in &messages {
            pair.client.connection.send(message.clone()).unwrap();
            pair.server.connection.send(message.clone()).unwrap();
        }
        pair.run_for(SECOND);
        let expected: Vec<_> = messages.into_iter().map(Observed::Message).collect();
        assert!(pair.client.events == expected && pair.server.events == expected, "seed {seed}");
    }
}

#[test]
fn a_sender_is_held_back_by_a_peer_that_does_not_read_and_loses_nothing() {
    for role in ROLES {
        let mut pair = pair_of(config().max_send_queue_bytes(10_000), config().max_send_queue_bytes(10_000));
        pair.end(role).write_room = Some(5_000);
        let mut sent = 0;
        let refused = loop {
            match pair.end(role).connection.send(vec![7; 1_000].into()) {
                Ok(()) => sent += 1,
                Err(refused) => break refused,
            }
            pair.settle();
        };
        assert_eq!((refused.refusal(), sent), (SendRefusal::QueueFull, 15));
        assert!(pair.end(role).connection.transmit().len() < 11_100, "the mark and one message");
        pair.end(role).write_room = None;
        pair.settle();
        pair.end(role).connection.send(refused.into_rejected()).unwrap();
        pair.settle();
        assert_eq!(pair.end(role.peer()).events.len(), 16);
    }
}
