//! Two halves for two tasks, `Stream` and `Sink`.

mod support;

use futures_util::{SinkExt, StreamExt};
use std::sync::atomic::Ordering;
use support::{expect, pair, server, text};
use tokio::io::AsyncWriteExt;
use ws_proto::{CloseCode, Config, Message, Prepared, SendRefusal};
use ws_tokio::Error;

#[tokio::test]
async fn the_halves_do_not_wait_for_each_other() {
    // A pipe of 64 bytes: were one half to hold the other up, both ends would stand still.
    let (ws, client) = pair(64);
    let count = 200;
    let mut tasks = Vec::new();
    for socket in [ws, client] {
        let (mut receiving, mut sending) = socket.split();
        tasks.push(tokio::spawn(async move {
            for i in 0..count {
                sending.send(vec![i; 300]).await.unwrap();
            }
            sending.flush().await.unwrap();
        }));
        tasks.push(tokio::spawn(async move {
            for i in 0..count {
                assert_eq!(receiving.recv().await.unwrap(), Some(Message::from(vec![i; 300])));
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn pongs_leave_without_the_sending_half() {
    let (ws, mut peer, _) = server(1 << 10, Config::default());
    let (mut receiving, _sending) = ws.split();
    let task = tokio::spawn(async move { receiving.recv().await.map(|_| ()) });
    peer.write_all(&[0x89, 0x81, 0, 0, 0, 0, b'!']).await.unwrap();
    expect(&mut peer, &[0x8A, 1, b'!']).await;
    task.abort();
}

#[tokio::test]
async fn the_sending_half_tells_whether_messages_may_still_be_sent() {
    let (ws, client) = pair(1 << 10);
    let (_receiving, mut sending) = ws.split();
    assert!(sending.is_open());
    sending.close(CloseCode::NORMAL, "").await.unwrap();
    assert!(!sending.is_open());
    drop(client);
}

#[tokio::test]
async fn what_is_broadcast_leaves_with_one_write_for_each_wake_up() {
    let prepared: Vec<Prepared> = ["one", "two", "three"].map(Prepared::new).into();
    let frames: Vec<u8> = ["one", "two", "three"].into_iter().flat_map(text).collect();
    for _member in 0..2 {
        let (ws, mut peer, writes) = server(1 << 10, Config::default());
        let (_receiving, mut sending) = ws.split();
        for message in &prepared {
            sending.feed_prepared(message).await.unwrap();
        }
        assert_eq!(writes.load(Ordering::Relaxed), 0);
        sending.flush().await.unwrap();
        expect(&mut peer, &frames).await;
        assert_eq!(writes.load(Ordering::Relaxed), 1);
        // Without a flush they leave when the task yields.
        for message in &prepared {
            sending.feed_prepared(message).await.unwrap();
        }
        expect(&mut peer, &frames).await;
        assert_eq!(writes.load(Ordering::Relaxed), 2);
        sending.send_prepared(&prepared[0]).await.unwrap();
        assert_eq!(writes.load(Ordering::Relaxed), 3, "alone it leaves at once");
    }
}

#[tokio::test]
async fn closing_through_one_half_ends_the_other() {
    let (ws, mut client) = pair(1 << 10);
    let (mut receiving, mut sending) = ws.split();
    let receiver = tokio::spawn(async move {
        assert_eq!(receiving.recv().await.unwrap(), Some(Message::from("last")));
        assert_eq!(receiving.recv().await.unwrap(), None);
        receiving.close_info().unwrap()
    });
    client.send("last").await.unwrap();
    sending.close(CloseCode::NORMAL, "bye").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), None);
    assert_eq!(&*receiver.await.unwrap().sent.reason, "bye");
}

#[tokio::test]
async fn the_stream_stays_until_the_last_half_is_dropped() {
    let (ws, mut client) = pair(1 << 10);
    let (receiving, mut sending) = ws.split();
    drop(receiving);
    sending.send("still here").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(Message::from("still here")));
    drop(sending);
    assert_eq!(client.recv().await.unwrap(), None);
    assert_eq!(client.close_info().unwrap().received.code, CloseCode::GOING_AWAY);
}

#[tokio::test]
async fn sockets_and_halves_are_streams_and_sinks_of_messages() {
    let (ws, mut client) = pair(1 << 10);
    let (receiving, sending) = ws.split();
    let echo = tokio::spawn(receiving.forward(sending));
    for text in ["one", "two"] {
        SinkExt::send(&mut client, Message::from(text)).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), Message::from(text));
    }
    SinkExt::close(&mut client).await.unwrap();
    assert!(client.next().await.is_none());
    echo.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_ends_behind_its_error() {
    let (mut ws, peer, _) = server(1 << 10, Config::default());
    drop(peer);
    assert!(ws.next().await.unwrap().is_err());
    assert!(ws.next().await.is_none());
    assert!(ws.next().await.is_none());
}

#[tokio::test]
async fn a_sender_that_waits_for_room_learns_that_the_connection_failed() {
    let config = Config::builder().max_send_queue_bytes(1000).build().unwrap();
    let (ws, mut peer, _) = server(10, config);
    let (mut receiving, mut sending) = ws.split();
    sending.send(vec![1; 2000]).await.unwrap();
    let waiting = tokio::spawn(async move { sending.send("never").await });
    let receiver = tokio::spawn(async move { receiving.recv().await });
    tokio::task::yield_now().await;
    // Not masked.
    peer.write_all(&[0x81, 0]).await.unwrap();
    let refused = waiting.await.unwrap().unwrap_err();
    assert!(matches!(refused, Error::Refused { refusal: SendRefusal::Closed, message: Some(_) }));
    drop(peer);
    assert!(receiver.await.unwrap().is_err());
}
