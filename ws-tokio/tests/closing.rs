//! The end of a socket, timers, and closing from elsewhere.

mod support;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use support::{expect, masked_text, pair, server, text};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::coop;
use tokio::time::Instant;
use ws_proto::{
    CloseCode, Config, ControlPayload, Failure, Initiator, Message, Negotiated, ProtocolError, Role,
    SendRefusal, Timer,
};
use ws_tokio::{Error, Event, WebSocket};

#[tokio::test]
async fn both_ends_learn_how_the_closing_handshake_went() {
    let (mut ws, mut client) = pair(1 << 10);
    let closing = tokio::spawn(async move { client.close(CloseCode::new(4001).unwrap(), "done").await });
    assert_eq!(ws.recv().await.unwrap(), None);
    let (here, there) = (ws.close_info().unwrap(), closing.await.unwrap().unwrap());
    assert_eq!((here.initiator, there.initiator), (Initiator::Peer, Initiator::Local));
    assert_eq!((here.received.code.get(), &*here.received.reason), (4001, "done"));
    assert_eq!(there.sent, here.received);
    assert_eq!(ws.recv().await.unwrap(), None, "it goes on telling the end");
    let refused = ws.send("more").await.unwrap_err();
    assert!(matches!(refused, Error::Refused { refusal: SendRefusal::Closed, .. }));
}

#[tokio::test]
async fn recv_ends_only_after_the_close_frame_was_written() {
    let (mut ws, mut peer, _) = server(2, Config::default());
    let receiving = tokio::spawn(async move { ws.recv().await.map(|message| (message, ws)) });
    peer.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8]).await.unwrap();
    tokio::task::yield_now().await;
    assert!(!receiving.is_finished(), "two of four bytes are out");
    expect(&mut peer, &[0x88, 2, 0x03, 0xE8]).await;
    assert!(receiving.await.unwrap().unwrap().0.is_none());
}

#[tokio::test]
async fn a_stream_that_ends_without_a_close_frame_is_an_error() {
    let (mut ws, mut peer, _) = server(1 << 10, Config::default());
    peer.write_all(&masked_text("last words")).await.unwrap();
    drop(peer);
    assert_eq!(ws.recv().await.unwrap(), Some(Message::from("last words")));
    for _ in 0..2 {
        assert!(matches!(ws.recv().await, Err(Error::Failed(Failure::EndOfStream))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_a_close_frame_runs_into_the_timer() {
    let (mut ws, _peer, _) = server(1 << 10, Config::default());
    let begin = Instant::now();
    let error = ws.close(CloseCode::NORMAL, "").await.unwrap_err();
    assert!(matches!(error, Error::Failed(Failure::Timeout(Timer::Close))));
    assert_eq!(begin.elapsed().as_secs(), Config::default().close_timeout().as_secs());
}

#[tokio::test]
async fn a_close_that_is_dropped_can_be_called_again() {
    let (mut ws, mut peer, _) = server(1 << 10, Config::default());
    tokio::select! {
        biased;
        _ = ws.close(CloseCode::NORMAL, "bye") => panic!("the peer has not answered"),
        () = expect(&mut peer, b"\x88\x05\x03\xE8bye") => {}
    }
    peer.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await.unwrap();
    let info = ws.close(CloseCode::GOING_AWAY, "").await.unwrap();
    assert_eq!((info.sent.code, info.received.code), (CloseCode::NORMAL, CloseCode::NO_STATUS));
}

#[tokio::test]
async fn a_failed_server_goes_on_reading_so_that_its_close_frame_arrives() {
    let (mut ws, mut peer, _) = server(1 << 10, Config::default());
    peer.write_all(&text("not masked")).await.unwrap();
    let rule = ProtocolError::UnmaskedClientFrame;
    assert!(matches!(ws.recv().await, Err(Error::Failed(Failure::Protocol(error))) if error == rule));
    drop(ws);
    let mut close = Vec::new();
    // The write side is shut down, while what still comes is taken and discarded, far more than the pipe holds.
    peer.read_to_end(&mut close).await.unwrap();
    assert_eq!((close[0], u16::from_be_bytes([close[2], close[3]])), (0x88, 1002));
    peer.write_all(&[0; 100_000]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn keepalive_runs_while_anything_is_awaited_and_any_answer_will_do() {
    let (mut ws, mut peer, _) = server(1 << 10, Config::default());
    let receiving = tokio::spawn(async move { ws.recv().await });
    let begin = Instant::now();
    for round in 1..=5 {
        let mut ping = [0; 6];
        peer.read_exact(&mut ping).await.unwrap();
        assert_eq!((ping[0], ping[1]), (0x89, 4));
        assert_eq!(begin.elapsed().as_secs(), 20 * round);
        // No pong, but something: the peer lives.
        peer.write_all(&[0x8A, 0x80, 0, 0, 0, 0]).await.unwrap();
    }
    let mut ping = [0; 6];
    peer.read_exact(&mut ping).await.unwrap();
    let error = receiving.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Failed(Failure::Timeout(Timer::Pong))));
    assert_eq!(begin.elapsed().as_secs(), 20 * 6 + 20);
}

#[tokio::test(start_paused = true)]
async fn keepalive_begins_though_the_task_had_used_up_its_budget_when_it_first_waited() {
    let (mut ws, _peer, _) = server(1 << 10, Config::default());
    let mut receiving = pin!(ws.recv());
    let first = poll_fn(|cx| {
        // As a task does that was handed one message after the other.
        while coop::has_budget_remaining() {
            let _used = pin!(coop::consume_budget()).poll(cx);
        }
        Poll::Ready(receiving.as_mut().poll(cx))
    });
    assert!(first.await.is_pending());
    let error =
        tokio::time::timeout(Duration::from_secs(60), receiving).await.expect("a timer runs").unwrap_err();
    assert!(matches!(error, Error::Failed(Failure::Timeout(Timer::Pong))));
}

#[tokio::test(start_paused = true)]
async fn an_application_that_was_busy_finds_the_pong_that_lies_unread() {
    let (mut ws, mut peer, _) = server(1 << 10, Config::default());
    let waited = tokio::time::timeout(Duration::from_secs(21), ws.recv()).await;
    assert!(waited.is_err(), "a ping was sent meanwhile");
    let mut ping = [0; 6];
    peer.read_exact(&mut ping).await.unwrap();
    peer.write_all(&[&[0x8A, 0x84, 0, 0, 0, 0], &ping[2..]].concat()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    let event = ws.recv_event().await.unwrap().unwrap();
    assert!(matches!(event, Event::Pong(pong) if pong.round_trip.is_some()));
}

#[tokio::test]
async fn a_ping_of_ours_tells_its_round_trip() {
    let (mut ws, mut client) = pair(1 << 10);
    let payload = ControlPayload::try_from("42").unwrap();
    ws.ping(payload.clone()).await.unwrap();
    let answering = tokio::spawn(async move { client.recv().await });
    let event = ws.recv_event().await.unwrap().unwrap();
    assert!(matches!(event, Event::Pong(pong) if pong.payload == payload && pong.round_trip.is_some()));
    drop(ws);
    assert_eq!(answering.await.unwrap().unwrap(), None);
}

#[tokio::test]
async fn a_closer_closes_from_another_task_whatever_the_socket_is_doing() {
    let (ws, mut peer, _) = server(1 << 10, Config::default());
    let closer = ws.closer();
    // The task that owns the socket awaits something else.
    let owner = tokio::spawn(async move {
        std::future::pending::<()>().await;
        drop(ws);
    });
    closer.close(CloseCode::SERVICE_RESTART, "later").unwrap();
    expect(&mut peer, b"\x88\x07\x03\xF4later").await;
    owner.abort();
    assert!(owner.await.unwrap_err().is_cancelled());
    assert!(closer.close(CloseCode::NORMAL, "again").is_ok(), "it is closing already");
    assert!(closer.close(CloseCode::ABNORMAL, "").is_err(), "that code describes, it is never sent");
}

#[tokio::test(start_paused = true)]
async fn a_closer_wakes_whoever_receives_so_that_the_timer_is_armed() {
    let (mut ws, _peer, _) = server(1 << 10, Config::builder().ping_interval(None).build().unwrap());
    let closer = ws.closer();
    let receiving = tokio::spawn(async move { ws.recv().await });
    tokio::task::yield_now().await;
    closer.close(CloseCode::GOING_AWAY, "").unwrap();
    let error = receiving.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Failed(Failure::Timeout(Timer::Close))));
}

#[tokio::test]
async fn a_close_frame_that_was_read_when_the_socket_is_dropped_is_answered() {
    let (mut ws, mut peer, _) = server(1 << 10, Config::default());
    let close = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8];
    peer.write_all(&[&masked_text("one")[..], &masked_text("two"), &close].concat()).await.unwrap();
    assert_eq!(ws.recv().await.unwrap(), Some(Message::from("one")));
    let closer = ws.closer();
    drop(ws);
    // The code of the peer's frame, not that of a socket that was given up.
    expect(&mut peer, &[0x88, 2, 0x03, 0xE8]).await;
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, []);
    assert!(closer.status().is_none_or(|status| status.close_info.is_some()));
}

#[tokio::test]
async fn a_closer_tells_how_the_socket_stands() {
    let (mut ws, mut peer, _) = server(1 << 10, Config::default());
    let closer = ws.closer();
    let status = closer.status().unwrap();
    assert!(status.is_open && status.close_info.is_none() && status.failure.is_none());
    assert_eq!(status.unsent_bytes, 0);
    ws.feed("hello").await.unwrap();
    assert_eq!(closer.status().unwrap().unsent_bytes, 7);
    peer.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8]).await.unwrap();
    assert_eq!(ws.recv().await.unwrap(), None);
    let status = closer.status().unwrap();
    assert_eq!((status.is_open, status.unsent_bytes), (false, 0));
    assert_eq!(status.close_info.unwrap().received.code, CloseCode::NORMAL);
    drop(ws);
    drop(peer);
    while closer.status().is_some() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_follows_a_close_frame_in_one_read_reaches_nobody() {
    // One read brings both, while the answer cannot be written at once.
    let (input, mut peer) = tokio::io::duplex(1 << 10);
    let (output, mut answers) = tokio::io::duplex(1);
    let stream = tokio::io::join(input, output);
    let mut ws =
        WebSocket::from_parts(stream, Default::default(), Negotiated::new(Role::Server), Config::default());
    peer.write_all(&[&[0x88, 0x80, 0, 0, 0, 0][..], &masked_text("too late")].concat()).await.unwrap();
    let receiving = tokio::spawn(async move { ws.recv().await });
    expect(&mut answers, &[0x88, 0]).await;
    assert_eq!(receiving.await.unwrap().unwrap(), None);

    let (mut ws, mut peer, _) = server(1 << 10, Config::default());
    peer.write_all(&[&[0x88, 0x80, 0, 0, 0, 0][..], &masked_text("too late")].concat()).await.unwrap();
    assert_eq!(ws.recv().await.unwrap(), None);
    drop(ws);
    // The next socket of this thread has the same buffer.
    let (mut ws, mut peer, _) = server(1 << 10, Config::default());
    peer.write_all(&masked_text("mine")).await.unwrap();
    assert_eq!(ws.recv().await.unwrap(), Some(Message::from("mine")));
    drop(peer);
    assert!(ws.recv().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_closed_leaves_no_task_behind() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let config = || ws_proto::ConfigBuilder::new(ws_testkit::entropy(1)).ping_interval(None).build().unwrap();
    let (near, far) = tokio::io::duplex(1 << 10);
    let of = |stream, role| WebSocket::from_parts(stream, <_>::default(), Negotiated::new(role), config());
    let (mut ws, mut client) = (of(near, Role::Server), of(far, Role::Client));
    // Its small task writes this, and rests.
    ws.feed("later").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some("later".into()));
    let closing = tokio::spawn(async move { client.close(CloseCode::NORMAL, "").await });
    assert_eq!(ws.recv().await.unwrap(), None);
    closing.await.unwrap().unwrap();
    drop(ws);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(tasks(), 0);
}

#[tokio::test]
async fn a_dropped_socket_answers_no_ping_behind_a_message_that_nobody_took() {
    let (mut ws, mut peer, _) = server(1 << 10, Config::default());
    // All of it comes with one read.
    let bytes = [
        masked_text("taken"),
        vec![0x89, 0x81, 0, 0, 0, 0, b'1'],
        masked_text("left"),
        vec![0x89, 0x81, 0, 0, 0, 0, b'2'],
    ];
    peer.write_all(&bytes.concat()).await.unwrap();
    assert_eq!(ws.recv().await.unwrap(), Some("taken".into()));
    drop(ws);
    expect(&mut peer, &[0x8A, 1, b'1', 0x88, 2, 0x03, 0xE9]).await;
    let mut rest = Vec::new();
    peer.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await.unwrap();
    peer.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"");
}
