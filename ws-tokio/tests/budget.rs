//! What sockets count for a memory budget, and what happens when it is reached.

mod support;

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use support::{pair, server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_tokio::proto::{Config, Failure, LimitError};
use ws_tokio::{Closer, Error, MemoryBudget, Message};

/// The beginning of a client's binary frame that declares 1 MiB, and `len` bytes of it.
fn in_part(len: usize) -> Vec<u8> {
    let mut frame = vec![0x82, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0];
    frame.resize(frame.len() + len, 0);
    frame
}

fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn gave_up(error: &Error) -> bool {
    matches!(error, Error::Failed(Failure::Limit(LimitError::MemoryBudget { .. })))
}

/// Receives until nothing is left to read.
async fn receive_all<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    socket: &mut ws_tokio::WebSocket<S>,
) {
    let mut receiving = pin!(socket.recv());
    // The pipe gives its reader a budget of polls: what is pending at first may be ready then.
    for _ in 0..100 {
        assert!(poll_fn(|cx| Poll::Ready(receiving.as_mut().poll(cx))).await.is_pending());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_message_in_part_counts_until_it_was_taken() {
    let budget = MemoryBudget::new(usize::MAX);
    let (mut socket, mut peer, _) = server(2 << 20, Config::default());
    socket.set_memory_budget(budget.clone());
    assert_eq!(budget.used_bytes(), 0);
    peer.write_all(&in_part(300_000)).await.unwrap();
    receive_all(&mut socket).await;
    let used = budget.used_bytes();
    assert!((300_000..=660_000).contains(&used), "{used}");
    assert_eq!(socket.closer().status().unwrap().memory_bytes, used);
    peer.write_all(&vec![0; (1 << 20) - 300_000]).await.unwrap();
    let message = socket.recv().await.unwrap().unwrap();
    assert_eq!(message.len(), 1 << 20);
    receive_all(&mut socket).await;
    assert_eq!(budget.used_bytes(), 0, "the message belongs to the application");
}

#[tokio::test]
async fn what_was_read_and_not_taken_counts_and_so_does_what_is_queued() {
    let budget = MemoryBudget::new(usize::MAX);
    let (mut socket, mut client) = pair(4096);
    socket.set_memory_budget(budget.clone());
    for _ in 0..2 {
        client.feed("hello").await.unwrap();
    }
    client.flush().await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some(Message::from("hello")));
    assert!(budget.used_bytes() >= 100 << 10, "a receive buffer with a message in it");
    assert_eq!(socket.recv().await.unwrap(), Some(Message::from("hello")));
    receive_all(&mut socket).await;
    assert_eq!(budget.used_bytes(), 0);

    socket.send(vec![7; 100_000]).await.unwrap();
    assert!(budget.used_bytes() >= 90_000, "{}", budget.used_bytes());
    assert_eq!(client.recv().await.unwrap().unwrap().len(), 100_000);
    socket.flush().await.unwrap();
    assert_eq!(budget.used_bytes(), 0);
}

#[tokio::test]
async fn sockets_that_are_gone_hold_nothing_however_they_went() {
    let budget = MemoryBudget::new(usize::MAX);
    for way in ["dropped", "split", "taken apart", "another budget"] {
        let (mut socket, mut client) = pair(4096);
        socket.set_memory_budget(budget.clone());
        for _ in 0..3 {
            client.feed("hello").await.unwrap();
        }
        client.flush().await.unwrap();
        socket.recv().await.unwrap().unwrap();
        socket.feed(vec![7; 50_000]).await.unwrap();
        assert!(budget.used_bytes() >= 100 << 10, "{way}");
        match way {
            "split" => {
                let (receiving, sending) = socket.split();
                drop(receiving);
                let queued = budget.used_bytes();
                assert!((1..100 << 10).contains(&queued), "its receive buffer is gone, {queued} are queued");
                drop(sending);
            }
            "taken apart" => drop(socket.into_parts()),
            "another budget" => socket.set_memory_budget(MemoryBudget::new(1)),
            _ => drop(socket),
        }
        drop(client);
        // What a background task still writes is counted until it has found that nobody reads.
        while budget.used_bytes() > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_socket_that_gives_up_its_memory_says_1013_and_holds_nothing() {
    let budget = MemoryBudget::new(100_000);
    let (mut socket, mut peer, _) = server(2 << 20, Config::default());
    socket.set_memory_budget(budget.clone());
    let mut pressure = budget.pressure();
    peer.write_all(&in_part(300_000)).await.unwrap();
    receive_all(&mut socket).await;
    assert!(budget.is_reached());
    pressure.felt().await;
    socket.closer().give_up_memory(&budget);
    assert_eq!(budget.used_bytes(), 0, "at once, before its task does anything");
    let mut close = [0; 4];
    peer.read_exact(&mut close).await.unwrap();
    assert_eq!(close[0], 0x88);
    assert_eq!(u16::from_be_bytes([close[2], close[3]]), 1013);
    peer.shutdown().await.unwrap();
    assert!(gave_up(&socket.recv().await.unwrap_err()));
}

#[tokio::test]
async fn one_whose_peer_does_not_read_is_cut_and_holds_nothing() {
    let budget = MemoryBudget::new(100_000);
    let (mut socket, mut peer, _) = server(4096, Config::default());
    socket.set_memory_budget(budget.clone());
    socket.send(vec![7; 300_000]).await.unwrap();
    assert!(budget.used_bytes() > 290_000);
    socket.closer().give_up_memory(&budget);
    assert_eq!(budget.used_bytes(), 0);
    let mut read = Vec::new();
    peer.read_to_end(&mut read).await.unwrap();
    assert_eq!(read.len(), 4096, "what the pipe had taken before");
    assert!(gave_up(&socket.recv().await.unwrap_err()));
    assert!(socket.send("more").await.is_err());
}

#[tokio::test]
async fn whoever_waits_for_room_is_told_that_there_will_be_none() {
    let budget = MemoryBudget::new(100_000);
    let config = Config::builder().max_send_queue_bytes(1000).build().unwrap();
    let (mut socket, _peer, _) = server(100, config);
    socket.set_memory_budget(budget.clone());
    let closer: Closer<_> = socket.closer();
    socket.send(vec![7; 5000]).await.unwrap();
    let sending = tokio::spawn(async move { socket.send("waits").await });
    tokio::task::yield_now().await;
    assert!(!sending.is_finished());
    closer.give_up_memory(&budget);
    assert!(sending.await.unwrap().is_err());
}

#[tokio::test]
async fn no_socket_reads_while_somebody_is_about_to_make_room() {
    let budget = MemoryBudget::new(1000);
    let mut pressure = budget.pressure();
    let (mut socket, mut client) = pair(4096);
    socket.set_memory_budget(budget.clone());
    let (mut greedy, _peer) = pair(10);
    greedy.set_memory_budget(budget.clone());
    greedy.send(vec![7; 5000]).await.unwrap();
    client.send("hello").await.unwrap();
    for _ in 0..10 {
        assert!(poll_once(socket.recv()).is_pending(), "whoever makes room runs first");
    }
    pressure.felt().await;
    assert!(poll_once(socket.recv()).is_pending(), "it is at work");
    // It could do nothing.
    assert!(poll_once(pressure.felt()).is_pending());
    let Poll::Ready(Ok(Some(message))) = poll_once(socket.recv()) else { panic!("then others go on") };
    assert_eq!(message, Message::from("hello"));
}

#[tokio::test]
async fn sockets_go_on_where_nobody_makes_room() {
    let budget = MemoryBudget::new(1000);
    let (mut socket, mut client) = pair(4096);
    socket.set_memory_budget(budget.clone());
    let (mut greedy, _peer) = pair(10);
    greedy.set_memory_budget(budget.clone());
    greedy.send(vec![7; 5000]).await.unwrap();
    assert!(budget.is_reached());
    client.send("hello").await.unwrap();
    assert!(poll_once(socket.recv()).is_ready());
}

#[tokio::test]
async fn pressure_is_felt_for_each_growth_while_the_budget_is_reached_and_for_none_below() {
    let budget = MemoryBudget::new(4000);
    let mut pressure = budget.pressure();
    let (mut first, _peer) = pair(10);
    first.set_memory_budget(budget.clone());
    first.send(vec![7; 1000]).await.unwrap();
    assert!(poll_once(pressure.felt()).is_pending(), "{budget:?}");
    first.send(vec![7; 5000]).await.unwrap();
    assert!(poll_once(pressure.felt()).is_ready());
    assert!(poll_once(pressure.felt()).is_pending(), "that was told");
    first.send(vec![7; 5000]).await.unwrap();
    assert!(poll_once(pressure.felt()).is_ready());
    assert!(poll_once(budget.pressure().felt()).is_ready(), "whoever comes later is told too");
    drop(first.into_parts());
    assert!(!budget.is_reached());
    assert!(poll_once(pressure.felt()).is_pending());
}
