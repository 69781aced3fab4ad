//! The flush contract: when bytes leave.

mod support;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use support::{expect, masked_text, pair, server, text};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ws_proto::{CloseCode, Config, Failure, Message, Negotiated, ProtocolError, Role};
use ws_tokio::{Error, WebSocket};

#[tokio::test]
async fn the_plain_loop_answers_a_burst_with_one_write() {
    let (mut ws, mut peer, writes) = server(1 << 16, Config::default());
    let burst: Vec<u8> = (0..100).flat_map(|i| masked_text(&format!("message {i}"))).collect();
    peer.write_all(&burst).await.unwrap();
    let echo = tokio::spawn(async move {
        while let Some(message) = ws.recv().await? {
            ws.send(message).await?;
        }
        Ok::<_, Error>(())
    });
    let replies: Vec<u8> = (0..100).flat_map(|i| text(&format!("message {i}"))).collect();
    expect(&mut peer, &replies).await;
    assert_eq!(writes.load(Ordering::Relaxed), 1);
    drop(peer);
    assert!(matches!(echo.await.unwrap(), Err(Error::Failed(Failure::EndOfStream))));
}

#[tokio::test(start_paused = true)]
async fn no_reply_waits_for_what_the_handler_awaits() {
    let (mut ws, mut peer, _) = server(1 << 16, Config::default());
    // Two requests at once: while the second is left to read, the reply to the first is put off.
    peer.write_all(&[masked_text("first"), masked_text("second")].concat()).await.unwrap();
    let handler = tokio::spawn(async move {
        let first = ws.recv().await.unwrap().unwrap();
        ws.send(first).await.unwrap();
        std::future::pending::<()>().await;
    });
    expect(&mut peer, &text("first")).await;
    handler.abort();
}

#[tokio::test]
async fn a_task_that_only_sends_is_flushed_by_its_send() {
    let (mut ws, mut peer, writes) = server(1 << 16, Config::default());
    for i in 1..=3 {
        ws.send("tick").await.unwrap();
        assert_eq!(writes.load(Ordering::Relaxed), i);
    }
    expect(&mut peer, &[text("tick"), text("tick"), text("tick")].concat()).await;
}

#[tokio::test]
async fn a_half_that_sends_writes_at_once_though_the_other_has_more_to_read() {
    let (ws, mut peer, writes) = server(1 << 16, Config::default());
    let (mut recv, mut send) = ws.split();
    peer.write_all(&[masked_text("first"), masked_text("second")].concat()).await.unwrap();
    let first = recv.recv().await.unwrap().unwrap();
    send.send(first).await.unwrap();
    assert_eq!(writes.load(Ordering::Relaxed), 1);
    expect(&mut peer, &text("first")).await;
    assert_eq!(recv.recv().await.unwrap(), Some(Message::from("second")));
}

#[tokio::test]
async fn what_was_fed_leaves_with_one_write_when_the_task_yields() {
    let (mut ws, mut peer, writes) = server(1 << 16, Config::default());
    for _ in 0..3 {
        ws.feed("tick").await.unwrap();
    }
    assert_eq!(writes.load(Ordering::Relaxed), 0);
    expect(&mut peer, &[text("tick"), text("tick"), text("tick")].concat()).await;
    assert_eq!(writes.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn flush_writes_what_was_fed() {
    let (mut ws, _peer, writes) = server(1 << 16, Config::default());
    ws.feed("tick").await.unwrap();
    ws.flush().await.unwrap();
    assert_eq!(writes.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn queued_bytes_above_the_mark_leave_though_more_is_left_to_read() {
    let (mut ws, mut peer, writes) = server(1 << 20, Config::default());
    peer.write_all(&[masked_text("first"), masked_text("second")].concat()).await.unwrap();
    ws.recv().await.unwrap().unwrap();
    ws.send(vec![0; 1 << 10]).await.unwrap();
    assert_eq!(writes.load(Ordering::Relaxed), 0);
    ws.send(vec![0; 256 << 10]).await.unwrap();
    assert!(writes.load(Ordering::Relaxed) > 0);
}

#[tokio::test]
async fn a_violation_behind_a_reply_that_was_put_off_loses_neither() {
    let (mut ws, mut peer, _) = server(1 << 16, Config::default());
    // The second frame is not masked.
    peer.write_all(&[masked_text("first"), text("second")].concat()).await.unwrap();
    let first = ws.recv().await.unwrap().unwrap();
    ws.send(first).await.unwrap();
    let rule = ProtocolError::UnmaskedClientFrame;
    assert!(matches!(ws.recv().await, Err(Error::Failed(Failure::Protocol(error))) if error == rule));
    // Told only after the Close frame was written: reading it needs no other task.
    expect(&mut peer, &text("first")).await;
    let mut close = [0; 4];
    peer.read_exact(&mut close).await.unwrap();
    assert_eq!((close[0], u16::from_be_bytes([close[2], close[3]])), (0x88, 1002));
    assert!(matches!(ws.recv().await, Err(Error::Failed(Failure::Protocol(error))) if error == rule));
    let refused = ws.send("more").await;
    assert!(
        matches!(refused, Err(Error::Refused { message: Some(message), .. }) if message == Message::from("more"))
    );
}

#[tokio::test]
async fn a_send_that_is_dropped_before_it_was_ready_has_not_queued_its_message() {
    let config = Config::builder().max_send_queue_bytes(1000).build().unwrap();
    let (mut ws, mut peer, _) = server(100, config);
    // The peer does not read: 100 bytes go into the pipe, the rest waits.
    ws.send(vec![1; 2000]).await.unwrap();
    {
        let mut send = pin!(ws.send("never"));
        assert!(send.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let reading = tokio::spawn(async move {
        let mut all = vec![0; 4 + 2000];
        peer.read_exact(&mut all).await.unwrap();
        peer
    });
    ws.flush().await.unwrap();
    let mut peer = reading.await.unwrap();
    ws.send("sent").await.unwrap();
    expect(&mut peer, &text("sent")).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_peer_does_not_take_leaves_later_without_the_user() {
    let (mut ws, mut peer, _) = server(10, Config::default());
    ws.send("much longer than ten bytes").await.unwrap();
    // The user awaits something else altogether.
    let user = tokio::spawn(async move {
        std::future::pending::<()>().await;
        drop(ws);
    });
    expect(&mut peer, &text("much longer than ten bytes")).await;
    user.abort();
}

#[tokio::test]
async fn a_dropped_socket_still_gets_its_bytes_and_a_close_frame_out() {
    let (mut ws, mut peer, _) = server(10, Config::default());
    ws.send("much longer than ten bytes").await.unwrap();
    drop(ws);
    expect(&mut peer, &text("much longer than ten bytes")).await;
    expect(&mut peer, &[0x88, 2, 0x03, 0xE9]).await;
    // The peer answers, and sees the end.
    peer.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE9]).await.unwrap();
    assert_eq!(peer.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_task_behind_a_dropped_socket_is_bounded_by_the_close_timeout() {
    let (ws, mut peer, _) = server(1 << 10, Config::default());
    let begin = tokio::time::Instant::now();
    drop(ws);
    // The peer never answers.
    let mut all = Vec::new();
    peer.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, [0x88, 2, 0x03, 0xE9]);
    assert_eq!(begin.elapsed().as_secs(), Config::default().close_timeout().as_secs());
}

#[tokio::test]
async fn a_socket_dropped_by_a_panic_closes_with_1011() {
    let (ws, mut peer, _) = server(1 << 10, Config::default());
    let task = tokio::spawn(async move {
        let _ws = ws;
        tokio::task::yield_now().await;
        panic!("the handler's fault");
    });
    assert!(task.await.unwrap_err().is_panic());
    expect(&mut peer, &[0x88, 2, 0x03, 0xF3]).await;
}

#[tokio::test]
async fn a_socket_is_taken_apart_with_all_that_was_read_and_not_written() {
    let (mut ws, mut peer, _) = server(1 << 16, Config::default());
    peer.write_all(&[masked_text("first"), masked_text("second")].concat()).await.unwrap();
    let first = ws.recv().await.unwrap().unwrap();
    ws.send(first).await.unwrap();
    let parts = ws.into_parts().unwrap();
    assert_eq!(&parts.unsent[..], text("first"));
    assert_eq!(&parts.leftover[..], masked_text("second"));
    let (stream, leftover) = (parts.stream, parts.leftover);
    let mut ws = WebSocket::from_parts(stream, leftover, Negotiated::new(Role::Server), Config::default());
    assert_eq!(ws.recv().await.unwrap(), Some(Message::from("second")));
}

#[tokio::test]
async fn a_burst_in_the_buffer_does_not_starve_other_tasks() {
    for borrowed in [false, true] {
        let (mut ws, mut peer, _) = server(1 << 20, Config::default());
        let burst: Vec<u8> = (0..5000).flat_map(|_| masked_text("")).collect();
        peer.write_all(&burst).await.unwrap();
        let received = std::rc::Rc::new(std::cell::Cell::new(0));
        let local = tokio::task::LocalSet::new();
        let counted = std::rc::Rc::clone(&received);
        let count = move || counted.set(counted.get() + 1);
        local.spawn_local(async move {
            if borrowed {
                let counted = ws.for_each_message(|_, _| {
                    count();
                    Ok::<_, Error>(())
                });
                return drop(counted.await);
            }
            while let Ok(Some(_)) = ws.recv().await {
                count();
            }
        });
        local
            .run_until(async {
                let mut turns = 0;
                while received.get() < 5000 {
                    tokio::task::yield_now().await;
                    turns += 1;
                }
                // 128 operations make the budget of a task, and eight messages count as one.
                assert!(turns >= 5000 / (128 * 8), "the other task had {turns} turns");
            })
            .await;
    }
}

#[test]
fn without_a_runtime_every_send_writes_through() {
    fn now_or_never<F: Future>(future: F) -> F::Output {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("ready at once"),
        }
    }
    let (mut ws, mut peer, writes) = server(1 << 16, Config::default());
    now_or_never(peer.write_all(&[masked_text("first"), masked_text("second")].concat())).unwrap();
    let first = now_or_never(ws.recv()).unwrap().unwrap();
    now_or_never(ws.send(first)).unwrap();
    assert_eq!(writes.load(Ordering::Relaxed), 1);
    now_or_never(expect(&mut peer, &text("first")));
    drop(ws);
    now_or_never(expect(&mut peer, &[0x88, 2, 0x03, 0xE9]));
    assert_eq!(now_or_never(peer.read(&mut [0; 1])).unwrap(), 0);
}

#[tokio::test]
async fn a_stream_that_may_not_move_writes_through() {
    let (near, mut peer) = tokio::io::duplex(1 << 16);
    let mut ws = WebSocket::from_local_parts(
        near,
        Default::default(),
        Negotiated::new(Role::Server),
        Config::default(),
    );
    peer.write_all(&[masked_text("first"), masked_text("second")].concat()).await.unwrap();
    let first = ws.recv().await.unwrap().unwrap();
    ws.send(first).await.unwrap();
    assert_eq!(ws.into_parts().unwrap().unsent.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_holds_the_sender_and_not_the_memory() {
    let (mut ws, mut client) = pair(1 << 10);
    let sender = tokio::spawn(async move {
        let mut sent = 0;
        while tokio::time::timeout(Duration::from_secs(1), ws.send(vec![7; 100_000])).await.is_ok() {
            sent += 1;
        }
        (ws, sent)
    });
    let (mut ws, sent) = sender.await.unwrap();
    // One mark of 1 MiB, and the message that passed it.
    assert_eq!(sent, (1 << 20) / 100_000 + 1);
    let reader = tokio::spawn(async move {
        for _ in 0..sent {
            assert_eq!(client.recv().await.unwrap().unwrap().len(), 100_000);
        }
        client.close(CloseCode::NORMAL, "").await
    });
    assert!(ws.recv().await.unwrap().is_none());
    reader.await.unwrap().unwrap();
}
