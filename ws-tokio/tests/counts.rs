//! What a socket has carried, from wherever it is asked.

mod support;

use support::pair;
use ws_tokio::{CloseCode, Counts, Prepared};

/// Messages and bytes received, and sent.
fn traffic(counts: Counts) -> ([u64; 2], [u64; 2]) {
    ([counts.received_messages, counts.received_bytes], [counts.sent_messages, counts.sent_bytes])
}

#[tokio::test]
async fn a_socket_its_halves_and_its_closer_tell_the_same() {
    let (mut server, mut client) = pair(1 << 20);
    client.send("hello").await.unwrap();
    client.feed("again").await.unwrap();
    client.send_prepared(&Prepared::new("prepared")).await.unwrap();
    client.send(vec![7; 500_000]).await.unwrap();
    for _ in 0..4 {
        server.recv().await.unwrap().unwrap();
    }
    let sent = [4, 500_018];
    assert_eq!(traffic(client.counts()), ([0, 0], sent));
    assert_eq!(traffic(server.counts()), (sent, [0, 0]));
    let closer = client.closer();
    assert_eq!(closer.status().unwrap().counts, client.counts());
    let (receiving, sending) = client.split();
    assert_eq!((traffic(receiving.counts()), receiving.counts()), (([0, 0], sent), sending.counts()));
}

#[tokio::test]
async fn messages_that_are_lent_count_as_those_that_are_given() {
    let (mut server, mut client) = pair(1 << 16);
    let serving = tokio::spawn(async move {
        server.for_each_message(|message, replies| replies.send_ref(&message)).await?;
        Ok::<_, ws_tokio::Error>(server.counts())
    });
    for _ in 0..3 {
        client.send("lent").await.unwrap();
        client.recv().await.unwrap().unwrap();
    }
    client.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(traffic(client.counts()), ([3, 12], [3, 12]));
    assert_eq!(traffic(serving.await.unwrap().unwrap()), ([3, 12], [3, 12]));
}
