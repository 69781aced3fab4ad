//! The world's server over real connections: who plays by the rules is in step, who does not is shown out.

use ws_client::{Client, CloseCode, Config, Message, WebSocket};
use ws_demos::world;
use ws_demos::world::drive::Command;
use ws_demos::world::follower::Follower;
use ws_demos::world::message::{ClientMessage, MAX_CLIENT_MESSAGE, ServerMessage, Welcome};
use ws_demos::world::simulation::Simulation;
use ws_server::{Server, ServerHandle};

/// A server of its own for each test; it ends with the handle.
async fn serve() -> (ServerHandle, String) {
    let world = Simulation::start(false).expect("a thread can be had");
    let router = world::router(&world).expect("the route is valid");
    let server = Server::builder()
        .config(world::config().expect("it makes sense"))
        .bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let url = format!("ws://{}/ws", server.local_addr().expect("it is bound"));
    (server.serve(router.into_handler()), url)
}

/// A player, and what the server told it first.
async fn join(url: &str) -> (WebSocket, Welcome) {
    let config = Config::builder().max_message_bytes(1 << 20).build().expect("it makes sense");
    let mut socket = Client::builder().config(config).build().connect(url).await.expect("it is let in");
    let Some(Message::Text(welcome)) = socket.recv().await.expect("it is open") else {
        panic!("the welcome comes first")
    };
    (socket, serde_json::from_str(&welcome).expect("it is JSON"))
}

/// The code with which the server ends the connection of a client that sends this.
async fn refused(message: impl Into<Message>) -> Option<CloseCode> {
    let (_server, url) = serve().await;
    let (mut socket, _) = join(&url).await;
    socket.send(message).await.expect("it is open");
    while let Ok(Some(_)) = socket.recv().await {}
    socket.close_info().map(|info| info.received.code)
}

#[tokio::test]
async fn two_players_see_each_other_move_by_deltas() {
    let (_server, url) = serve().await;
    let (mut one, mine) = join(&url).await;
    let (mut other, theirs) = join(&url).await;
    assert_ne!(mine.id, theirs.id);
    let mut follower = Follower::default();
    let (mut began, mut last, mut deltas) = (None, 0, 0);
    loop {
        let Some(Message::Binary(bytes)) = other.recv().await.expect("it is open") else { continue };
        let ServerMessage::Snapshot(message) = ServerMessage::decode(&bytes).expect("it is well-formed")
        else {
            continue;
        };
        follower.take(message).expect("its base is here");
        deltas += u32::from(world::delta::ticks(message).expect("it is a snapshot").1 > 0);
        last += 2;
        let east =
            ClientMessage::Commands { ack: 0, last, commands: vec![Command { x: 127, z: 0, buttons: 0 }; 2] };
        one.send(east.encode()).await.expect("it is open");
        let still =
            ClientMessage::Commands { ack: follower.ack(), last, commands: vec![Command::default(); 2] };
        other.send(still.encode()).await.expect("it is open");
        let Some(body) = follower.newest().and_then(|snapshot| snapshot.body(mine.id)) else { continue };
        let began = *began.get_or_insert(body.position[0]);
        if body.position[0] > began + 1024 && deltas > 10 {
            break;
        }
    }
}

#[tokio::test]
async fn a_text_message_ends_the_connection_with_1003() {
    assert_eq!(refused("hello").await, Some(CloseCode::UNSUPPORTED_DATA));
}

#[tokio::test]
async fn a_malformed_message_ends_the_connection_with_1008() {
    for message in [vec![], vec![9], vec![1, 2, 3], vec![2, 0, 0, 0, 0, 0]] {
        assert_eq!(refused(message).await, Some(CloseCode::POLICY_VIOLATION));
    }
}

#[tokio::test]
async fn a_message_longer_than_any_valid_one_ends_the_connection_with_1009() {
    assert_eq!(refused(vec![1; MAX_CLIENT_MESSAGE + 1]).await, Some(CloseCode::MESSAGE_TOO_BIG));
}

#[tokio::test]
async fn a_flood_of_messages_ends_the_connection_with_1008() {
    let (_server, url) = serve().await;
    let (mut socket, _) = join(&url).await;
    let ping = ClientMessage::Ping { number: 1 }.encode();
    // It may fail while it sends, when the server has closed already.
    for _ in 0..20_000 {
        if socket.send(ping.clone()).await.is_err() {
            break;
        }
    }
    while let Ok(Some(_)) = socket.recv().await {}
    assert_eq!(socket.close_info().map(|info| info.received.code), Some(CloseCode::POLICY_VIOLATION));
}
