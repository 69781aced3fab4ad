//! How a session ends.

use crate::support::{connected, network, serve, session, texts, waiting};
use std::time::Duration;
use tokio::time::Instant;
use ws_client::{CloseCode, Message, NotQueued};

#[tokio::test(start_paused = true)]
async fn closing_sends_what_is_queued_first_and_then_ends_for_good() {
    let (client, mut network) = network();
    let mut session = session(client).start().unwrap();
    let sender = session.sender();
    let server = serve(network.accept().await);
    connected(&mut session).await;
    for i in 0..100 {
        sender.send(i.to_string()).await.unwrap();
    }
    let unsent = session.close(CloseCode::NORMAL, "done").await;
    assert_eq!(unsent, Vec::<Message>::new(), "the answer to our Close acknowledges too");
    assert_eq!(server.await.unwrap().len(), 100);
    assert_eq!(sender.send("late").await.unwrap_err().why, NotQueued::Ended);
    assert!(!network.is_asked(), "no further attempt");
}

#[tokio::test(start_paused = true)]
async fn closing_without_a_connection_gives_the_messages_back() {
    let (client, network) = network();
    drop(network);
    let mut session = session(client).start().unwrap();
    let sender = session.sender();
    sender.send("one").await.unwrap();
    waiting(&mut session).await;
    let blocked = tokio::spawn({
        let sender = sender.clone();
        async move { sender.send("two").await }
    });
    blocked.await.unwrap().unwrap();
    let before = Instant::now();
    assert_eq!(session.close(CloseCode::NORMAL, "").await, ["one", "two"].map(Message::from));
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert!(!sender.acknowledged().await);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_the_close_is_not_waited_for_long() {
    let (client, mut network) = network();
    let mut session = session(client).start().unwrap();
    let sender = session.sender();
    let _silent = network.accept().await;
    connected(&mut session).await;
    sender.send("never read").await.unwrap();
    let before = Instant::now();
    assert_eq!(session.close(CloseCode::NORMAL, "").await, ["never read".into()]);
    assert!(before.elapsed() <= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_dropped_closes_its_connection() {
    let (client, mut network) = network();
    let mut session = session(client).start().unwrap();
    let mut socket = network.accept().await;
    connected(&mut session).await;
    let sender = session.sender();
    sender.send("last").await.unwrap();
    drop(session);
    assert_eq!(texts(&mut socket, 1).await, ["last"]);
    assert_eq!(socket.recv().await.unwrap(), None);
    assert_eq!(socket.close_info().unwrap().received.code, CloseCode::GOING_AWAY);
    assert_eq!(sender.send("late").await.unwrap_err().why, NotQueued::Ended);
}
