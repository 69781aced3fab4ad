//! Pings of a session.

use crate::support::{connected, network, serve, session, until};
use std::time::Duration;
use tokio::time::Instant;
use ws_client::{Config, SessionEvent, Why};
use ws_proto::{Failure, Timer};

#[tokio::test(start_paused = true)]
async fn a_computer_that_slept_notices_within_one_interval() {
    let (client, mut network) = network();
    let mut session = session(client).start().unwrap();
    let _silent = network.accept().await;
    connected(&mut session).await;
    // It sleeps for an hour; meanwhile the connection has gone, and nobody tells.
    tokio::time::advance(Duration::from_secs(3600)).await;
    let woke = Instant::now();
    let why = until(&mut session, |event| match event {
        SessionEvent::Disconnected { why, .. } => Some(why),
        _ => None,
    });
    let why = why.await;
    assert!(matches!(&*why, Why::Lost(ws_tokio::Error::Failed(Failure::Timeout(Timer::Pong)))), "{why:?}");
    assert_eq!(woke.elapsed(), Config::default().ping_interval().unwrap());
}

#[tokio::test(start_paused = true)]
async fn keepalive_measures_round_trips_of_an_idle_connection() {
    let (client, mut network) = network();
    let mut session = session(client).start().unwrap();
    let server = serve(network.accept().await);
    connected(&mut session).await;
    assert_eq!(session.sender().round_trip(), None);
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert!(session.sender().round_trip().is_some());
    assert!(session.sender().is_connected());
    server.abort();
}
