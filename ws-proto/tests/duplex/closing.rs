//! The closing handshake of two ends (RFC 6455 §7).

use super::*;

fn close(pair: &mut SimPair, role: Role, code: CloseCode, reason: &str) {
    let now = pair.clock.now();
    pair.end(role).connection.close(code, reason, now).unwrap();
}

#[test]
fn the_client_closes_and_the_server_ends_tcp_first() {
    let mut pair = SimPair::new(config().build().unwrap());
    pair.latency = SECOND;
    close(&mut pair, Role::Client, CloseCode::NORMAL, "done");
    pair.run_for(SECOND);
    assert!(
        pair.server.is_closed() && !pair.client.is_closed(),
        "the server ends TCP as soon as it answered"
    );
    pair.run_for(SECOND);
    assert!(pair.client.is_closed());
    let [client, server] =
        [&pair.client, &pair.server].map(|end| end.connection.close_info().unwrap().clone());
    assert_eq!((client.initiator, server.initiator), (Initiator::Local, Initiator::Peer));
    assert_eq!((&client.sent, &client.received), (&server.received, &server.sent));
    assert_eq!((server.received.code, &*server.received.reason), (CloseCode::NORMAL, "done"));
}

#[test]
fn the_server_closes_and_waits_for_the_answer_before_it_ends_tcp() {
    let mut pair = SimPair::new(config().build().unwrap());
    pair.latency = SECOND;
    close(&mut pair, Role::Server, CloseCode::GOING_AWAY, "");
    pair.run_for(SECOND);
    assert!(!pair.server.is_closed() && !pair.client.is_closed());
    pair.run_for(SECOND);
    assert!(pair.server.is_closed() && !pair.client.is_closed());
    pair.run_for(SECOND);
    assert!(pair.client.is_closed());
}

#[test]
fn both_close_at_once_and_each_sees_the_others_code() {
    let mut pair = SimPair::new(config().build().unwrap());
    pair.latency = SECOND;
    close(&mut pair, Role::Client, CloseCode::NORMAL, "client");
    close(&mut pair, Role::Server, CloseCode::GOING_AWAY, "server");
    assert_eq!(pair.run_until_closed(), 2 * SECOND);
    let [client, server] =
        [&pair.client, &pair.server].map(|end| end.connection.close_info().unwrap().clone());
    assert_eq!((client.initiator, server.initiator), (Initiator::Local, Initiator::Local));
    assert_eq!((client.sent.code, client.received.code), (CloseCode::NORMAL, CloseCode::GOING_AWAY));
    assert_eq!((server.sent.code, server.received.code), (CloseCode::GOING_AWAY, CloseCode::NORMAL));
    for role in ROLES {
        assert_eq!(opcodes(&pair.end(role).sent), [8], "one Close frame each");
        assert_eq!(pair.end(role).events.len(), 1);
    }
}

#[test]
fn a_close_at_every_byte_of_a_conversation_is_clean() {
    for role in ROLES {
        for room in 0..40 {
            let mut pair = SimPair::new(config().build().unwrap());
            pair.client.connection.send("a message".into()).unwrap();
            pair.server.connection.send("another message".into()).unwrap();
            (pair.client.write_room, pair.server.write_room) = (Some(room), Some(room));
            pair.settle();
            close(&mut pair, role, CloseCode::NORMAL, "");
            (pair.client.write_room, pair.server.write_room) = (None, None);
            assert_eq!(pair.run_until_closed(), Duration::ZERO);
            for end in [&pair.client, &pair.server] {
                assert!(
                    matches!(&end.events[..], [Observed::Message(_), Observed::Closed(_)]),
                    "{:?}",
                    end.events
                );
            }
        }
    }
}

#[test]
fn messages_on_their_way_when_we_close_still_arrive() {
    for role in ROLES {
        let mut pair = SimPair::new(config().build().unwrap());
        pair.latency = SECOND;
        pair.end(role.peer()).connection.send("on its way".into()).unwrap();
        pair.settle();
        close(&mut pair, role, CloseCode::NORMAL, "");
        pair.run_until_closed();
        assert_eq!(pair.end(role).events[0], Observed::from("on its way"));
        assert!(matches!(pair.end(role).events[1], Observed::Closed(_)));
    }
}

#[test]
fn a_peer_that_does_not_answer_the_close_frame_is_left_after_the_close_timeout() {
    for role in ROLES {
        let mut pair = SimPair::new(config().build().unwrap());
        pair.end(role.peer()).is_busy = true;
        close(&mut pair, role, CloseCode::NORMAL, "");
        pair.run_for(5 * SECOND - Duration::from_nanos(1));
        assert!(!pair.end(role).is_closed() && pair.end(role).events.is_empty());
        pair.run_for(Duration::from_nanos(1));
        assert!(pair.end(role).is_closed());
        assert_eq!(pair.end(role).events, [Observed::Failed(Failure::Timeout(Timer::Close))]);
        // The other end wakes up to a Close frame and an end.
        pair.end(role.peer()).is_busy = false;
        pair.run_until_closed();
        assert!(matches!(&pair.end(role.peer()).events[..], [Observed::Closed(_)]));
    }
}

#[test]
fn a_client_that_does_not_see_the_server_end_tcp_ends_it_itself() {
    let mut pair = SimPair::new(config().build().unwrap());
    pair.latency = SECOND;
    close(&mut pair, Role::Client, CloseCode::NORMAL, "");
    pair.run_for(SECOND / 2);
    pair.inject(Role::Client, RawFrame::close(1000, "").to_bytes());
    pair.cut();
    pair.run_until_closed();
    assert!(matches!(&pair.client.events[..], [Observed::Closed(_)]));
    assert_eq!(pair.clock.elapsed(), SECOND * 3 / 2 + 5 * SECOND);
}
