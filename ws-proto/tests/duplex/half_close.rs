//! One side of the stream ends before the other.

use super::*;

#[test]
fn a_server_that_fails_the_connection_half_closes_until_the_client_ends_its_side() {
    let mut pair = SimPair::new(config().build().unwrap());
    pair.latency = SECOND;
    pair.client.connection.send(vec![7; 100_000].into()).unwrap();
    pair.inject(Role::Server, [0x83, 0x80]);
    pair.run_for(SECOND);
    assert!(pair.server.is_write_ended() && !pair.server.is_closed());
    assert_eq!(pair.server.connection.transport(), Transport::ShutdownWrite);
    let failure = Failure::from(ProtocolError::ReservedOpcode { opcode: 3 });
    assert_eq!(raw::read_all(&pair.server.sent).unwrap(), [close_frame_of(&failure)]);
    // What the client was sending meanwhile is read and discarded, so its kernel does not throw the Close frame away.
    pair.run_until_closed();
    assert_eq!((pair.clock.elapsed(), pair.server.unread()), (3 * SECOND, 0));
    assert_eq!(pair.server.events, [Observed::Failed(failure)]);
    let info = pair.client.connection.close_info().unwrap();
    assert_eq!((info.initiator, info.received.code), (Initiator::Peer, CloseCode::PROTOCOL_ERROR));
}

#[test]
fn a_client_that_fails_the_connection_leaves_tcp_to_the_server() {
    let mut pair = SimPair::new(config().build().unwrap());
    pair.latency = SECOND;
    pair.inject(Role::Client, [0x83, 0x00]);
    pair.run_for(SECOND);
    assert!(!pair.client.is_write_ended() && !pair.client.is_closed());
    pair.run_until_closed();
    assert_eq!(pair.clock.elapsed(), 3 * SECOND);
    let info = pair.server.connection.close_info().unwrap();
    assert_eq!((info.initiator, info.received.code), (Initiator::Peer, CloseCode::PROTOCOL_ERROR));
}

#[test]
fn a_peer_that_ends_its_side_without_a_close_frame_still_gets_what_was_queued() {
    for role in ROLES {
        let mut pair = SimPair::new(config().build().unwrap());
        pair.end(role).connection.send("queued".into()).unwrap();
        pair.end(role).write_room = Some(3);
        pair.inject_end(role);
        pair.settle();
        assert_eq!(pair.end(role).events, [Observed::Failed(Failure::EndOfStream)]);
        assert!(!pair.end(role).is_closed(), "there is something to write");
        pair.end(role).write_room = None;
        pair.settle();
        assert!(pair.end(role).is_closed());
        assert_eq!(opcodes(&pair.end(role).sent), [1]);
        assert_eq!(pair.end(role.peer()).events[0], Observed::from("queued"));
    }
}

#[test]
fn a_peer_that_ends_its_side_and_takes_nothing_is_left_after_the_close_timeout() {
    for role in ROLES {
        let mut pair = SimPair::new(config().build().unwrap());
        pair.end(role).connection.send("queued".into()).unwrap();
        pair.end(role).write_room = Some(0);
        pair.inject_end(role);
        pair.run_for(5 * SECOND);
        assert!(pair.end(role).is_closed());
    }
}
