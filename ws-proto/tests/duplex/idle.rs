//! Connections without data.

use super::*;

fn pair_with_timeout() -> SimPair {
    let config = || config().idle_timeout(Some(60 * SECOND));
    pair_of(config(), config().idle_timeout(None))
}

#[test]
fn a_connection_without_data_is_closed_with_1001() {
    let mut pair = pair_with_timeout();
    pair.run_for(60 * SECOND - Duration::from_nanos(1));
    assert!(pair.client.connection.is_open());
    assert_eq!(pair.run_until_closed(), Duration::from_nanos(1));
    for (end, initiator) in [(&pair.client, Initiator::Local), (&pair.server, Initiator::Peer)] {
        let info = end.connection.close_info().unwrap();
        assert_eq!((info.sent.code, info.received.code), (CloseCode::GOING_AWAY, CloseCode::GOING_AWAY));
        assert_eq!(info.initiator, initiator);
    }
}

#[test]
fn data_in_either_direction_keeps_it_open_and_pings_do_not() {
    let mut pair = pair_with_timeout();
    for i in 0..10 {
        let end = pair.end(if i % 2 == 0 { Role::Client } else { Role::Server });
        end.connection.send("data".into()).unwrap();
        pair.run_for(50 * SECOND);
        assert!(pair.client.connection.is_open());
    }
    // Keepalive pings went on all the time. Sending is not told the time: the idle time may be measured from up to one timeout later.
    pair.run_until_closed();
    assert!(pair.clock.elapsed() <= 500 * SECOND + 2 * 60 * SECOND);
    assert!(opcodes(&pair.client.sent).contains(&9) || opcodes(&pair.server.sent).contains(&9));
}

#[test]
fn an_idle_close_is_a_closing_handshake_with_its_timeout() {
    let mut pair = pair_with_timeout();
    pair.run_for(59 * SECOND);
    pair.server.is_busy = true;
    pair.run_for(6 * SECOND);
    assert_eq!(pair.client.events.last(), Some(&Observed::Failed(Failure::Timeout(Timer::Close))));
    assert!(pair.client.is_closed());
}
