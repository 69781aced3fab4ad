//! Messages that are handed out where they lie.

mod support;

use std::sync::atomic::Ordering;
use support::{expect, masked_text, pair, server, text};
use tokio::io::AsyncWriteExt;
use ws_proto::{CloseCode, Config, Failure, ProtocolError};
use ws_tokio::{Error, Message, MessageRef};

#[tokio::test]
async fn replies_to_a_burst_leave_with_one_write() {
    let (mut ws, mut peer, writes) = server(1 << 16, Config::default());
    let burst: Vec<u8> = (0..100).flat_map(|i| masked_text(&format!("message {i}"))).collect();
    peer.write_all(&burst).await.unwrap();
    let serving =
        tokio::spawn(async move { ws.for_each_message(|message, replies| replies.send_ref(&message)).await });
    let replies: Vec<u8> = (0..100).flat_map(|i| text(&format!("message {i}"))).collect();
    expect(&mut peer, &replies).await;
    assert_eq!(writes.load(Ordering::Relaxed), 1);
    drop(peer);
    assert!(matches!(serving.await.unwrap(), Err(Error::Failed(Failure::EndOfStream))));
}

#[tokio::test]
async fn messages_of_any_size_and_cut_are_handed_out_once() {
    let (mut ws, mut client) = pair(1000);
    let serving =
        tokio::spawn(async move { ws.for_each_message(|message, replies| replies.send_ref(&message)).await });
    for len in [0, 1, 125, 126, 1000, 5000, 70_000, 300_000] {
        let message = Message::from(vec![7; len]);
        client.send(message.clone()).await.unwrap();
        assert_eq!(client.recv().await.unwrap(), Some(message));
    }
    client.close(CloseCode::NORMAL, "").await.unwrap();
    serving.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_the_closure_returns_stops_it_and_the_next_message_follows() {
    let (mut ws, mut peer, _) = server(1 << 16, Config::default());
    peer.write_all(&["one", "two", "three"].map(masked_text).concat()).await.unwrap();
    let handler = tokio::spawn(async move {
        let stopped = ws.for_each_message(|message, replies| {
            replies.send_ref(&message)?;
            if matches!(&message, MessageRef::Text(text) if text.as_str() == "two") {
                return Err(Error::Misuse(ws_proto::ApiMisuse::DeliveryIsStreaming));
            }
            Ok(())
        });
        assert!(matches!(stopped.await, Err(Error::Misuse(_))));
        assert_eq!(ws.recv().await.unwrap(), Some(Message::from("three")));
        // Awaits something else altogether: the replies leave without it.
        std::future::pending::<()>().await;
        drop(ws);
    });
    expect(&mut peer, &["one", "two"].map(text).concat()).await;
    handler.abort();
}

#[tokio::test]
async fn the_closure_may_close_the_socket() {
    let (mut ws, mut client) = pair(1000);
    let closer = ws.closer();
    let serving = tokio::spawn(async move {
        ws.for_each_message(|_, replies| {
            replies.send_text("bye")?;
            Ok::<_, Error>(closer.close(CloseCode::NORMAL, "seen")?)
        })
        .await
    });
    client.send("hello").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(Message::from("bye")));
    assert_eq!(client.recv().await.unwrap(), None);
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_violation_behind_a_reply_loses_neither() {
    let (mut ws, mut peer, _) = server(1 << 16, Config::default());
    // The second frame is not masked.
    peer.write_all(&[masked_text("first"), text("second")].concat()).await.unwrap();
    let ended = ws.for_each_message(|message, replies| replies.send_ref(&message)).await;
    let rule = ProtocolError::UnmaskedClientFrame;
    assert!(matches!(ended, Err(Error::Failed(Failure::Protocol(error))) if error == rule));
    expect(&mut peer, &text("first")).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_holds_the_closure_and_not_the_memory() {
    let config = Config::builder().max_send_queue_bytes(1000).build().unwrap();
    let (mut ws, mut peer, _) = server(100, config);
    let (seen, mut count) = (std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0)), 0);
    let counted = std::sync::Arc::clone(&seen);
    let serving = tokio::spawn(async move {
        ws.for_each_message(|_, replies| {
            counted.fetch_add(1, Ordering::Relaxed);
            replies.send_binary(&[7; 500])
        })
        .await
    });
    // Until it is not taken any more.
    let second = std::time::Duration::from_secs(1);
    while tokio::time::timeout(second, peer.write_all(&masked_text("more"))).await.is_ok() {
        count += 1;
    }
    let seen = seen.load(Ordering::Relaxed);
    assert!(count > 5 && seen <= 4, "{seen} of {count} were handed out");
    serving.abort();
}
