//! Sockets over a simulated bad network, under tokio's paused clock: what was sent comes back in order, or both ends say why not, in time.

use bytes::BytesMut;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use ws_proto::{CloseCode, Config, Message, Negotiated, Role};
use ws_testkit::sim::{SimStream, Weather, stream_pair};
use ws_testkit::{Rng, entropy};
use ws_tokio::{Error, WebSocket};

const SECOND: Duration = Duration::from_secs(1);

fn config(seed: u64) -> Config {
    let config =
        ws_proto::ConfigBuilder::new(entropy(seed)).ping_interval(Some(3 * SECOND)).pong_timeout(5 * SECOND);
    config.max_send_queue_bytes(500).build().unwrap()
}

fn socket(stream: SimStream, role: Role, seed: u64) -> WebSocket<SimStream> {
    WebSocket::from_parts(stream, BytesMut::new(), Negotiated::new(role), config(seed))
}

async fn echo(mut socket: WebSocket<SimStream>) -> Result<(), Error> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// Sends and receives at once, in two tasks, and then closes.
async fn talk(socket: WebSocket<SimStream>, messages: Vec<Message>) -> Result<usize, Error> {
    let (mut receiver, mut sender) = socket.split();
    let closer = receiver.closer();
    let all = messages.clone();
    let sending = tokio::spawn(async move {
        for message in all {
            sender.send(message).await?;
        }
        Ok::<_, Error>(sender)
    });
    let mut came = 0;
    while came < messages.len()
        && let Some(message) = receiver.recv().await?
    {
        assert_eq!(Some(&message), messages.get(came), "in order, once");
        came += 1;
    }
    let _sender = sending.await.expect("no panic")?;
    closer.close(CloseCode::NORMAL, "done").expect("a code that can be sent");
    while receiver.recv().await?.is_some() {}
    Ok(came)
}

/// Runs one seed: did both ends close cleanly?
async fn run(seed: u64, weather: Weather) -> bool {
    let mut rng = Rng::new(seed);
    let (client, server) = stream_pair(seed, weather);
    let step = weather.window.min(weather.piece).min(500);
    let messages: Vec<Message> =
        (0..rng.below(20)).map(|i| vec![u8::try_from(i).unwrap(); rng.below(step * 3)].into()).collect();
    let expected = messages.len();
    let server = tokio::spawn(echo(socket(server, Role::Server, seed)));
    let client = tokio::spawn(talk(socket(client, Role::Client, seed + 1), messages));
    let began = Instant::now();
    let both = async { (client.await.expect("no panic"), server.await.expect("no panic")) };
    let (client, server) =
        timeout(3600 * SECOND, both).await.unwrap_or_else(|_| panic!("seed {seed}: no end"));
    for error in [client.as_ref().err(), server.as_ref().err()].into_iter().flatten() {
        assert!(
            !matches!(error, Error::Failed(ws_proto::Failure::Protocol(_) | ws_proto::Failure::Limit(_))),
            "seed {seed}: no weather can cause {error}"
        );
    }
    if let Ok(came) = client {
        assert_eq!(came, expected, "seed {seed}: nothing is missing behind a clean close");
    }
    if weather.accidents == 0 {
        assert!(
            client.is_ok() && server.is_ok(),
            "seed {seed}, {:?}: {client:?} {server:?}",
            began.elapsed()
        );
    }
    client.is_ok() && server.is_ok()
}

#[tokio::test(start_paused = true)]
async fn sockets_keep_their_promises_in_any_weather() {
    let mut clean = 0;
    for seed in 0..150 {
        let weather = Weather::random(&mut Rng::new(seed));
        // So slow that it takes minutes to close is another matter than broken.
        let weather = Weather { window: weather.window.max(64), piece: weather.piece.max(8), ..weather };
        clean += usize::from(run(seed, weather).await);
    }
    assert!((75..150).contains(&clean), "{clean} of 150 closed cleanly, the others had accidents");
}
