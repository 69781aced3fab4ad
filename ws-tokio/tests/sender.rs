//! Many tasks that send over one socket.

mod support;

use bytes::BytesMut;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use support::{pair, server};
use tokio::io::AsyncReadExt;
use tokio::task::{JoinSet, yield_now};
use ws_proto::{CloseCode, Config, Message, Negotiated, Prepared, Role, SendRefusal};
use ws_testkit::cancel::{Interruption, insist};
use ws_testkit::raw::RawFrame;
use ws_testkit::{ScriptedIo, config};
use ws_tokio::{Error, Sender, WebSocket};

/// A queue that one message fills.
fn narrow() -> Config {
    Config::builder().max_send_queue_bytes(1).ping_interval(None).build().unwrap()
}

fn number(message: &Message) -> u32 {
    u32::from_be_bytes(message.as_bytes()[..4].try_into().unwrap())
}

fn numbered(number: u32, len: usize) -> Message {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize(len.max(4), 0);
    Message::from(bytes)
}

/// Polls once.
async fn poll_once<F: Future>(future: &mut Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

#[track_caller]
fn given_back(error: Error, expected: SendRefusal) -> Message {
    match error {
        Error::Refused { refusal, message: Some(message) } if refusal == expected => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_of_many_tasks_arrive_whole_and_each_tasks_in_its_order() {
    let (socket, mut client) = pair(500);
    let (mut receiving, sending) = socket.split();
    let sender = sending.into_sender();
    let (tasks, each) = (8_u32, 300_u32);
    for task in 0..tasks {
        let sender = sender.clone();
        tokio::spawn(async move {
            for i in 0..each {
                let message = numbered(task << 16 | i, usize::try_from(i).unwrap());
                if i % 3 > 0 {
                    sender.send(message).await.unwrap();
                } else if let Err(error) = sender.try_send(message) {
                    sender.send(given_back(error, SendRefusal::QueueFull)).await.unwrap();
                }
            }
        });
    }
    let receiver = tokio::spawn(async move { receiving.recv().await });
    let mut next = [0; 8];
    for _ in 0..tasks * each {
        let number = number(&client.recv().await.unwrap().unwrap());
        let (task, i) = (usize::try_from(number >> 16).unwrap(), number & 0xFFFF);
        assert_eq!(i, next[task]);
        next[task] += 1;
    }
    client.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(receiver.await.unwrap().unwrap(), None);
}

#[tokio::test]
async fn those_who_wait_for_room_are_served_in_the_order_in_which_they_came() {
    let (socket, mut peer, _) = server(10, narrow());
    let (_receiving, sending) = socket.split();
    let sender = sending.into_sender();
    sender.send(vec![0; 100]).await.unwrap();
    let mut waiting = JoinSet::new();
    for i in 1..=50 {
        let sender = sender.clone();
        waiting.spawn(async move { sender.send(numbered(i, 4)).await });
        // It comes to wait before the next does.
        yield_now().await;
    }
    let refused = sender.try_send("no overtaking").unwrap_err();
    assert_eq!(given_back(refused, SendRefusal::QueueFull), "no overtaking".into());
    let mut bytes = vec![0; 102 + 50 * 6];
    peer.read_exact(&mut bytes).await.unwrap();
    let order: Vec<u32> =
        bytes[102..].chunks(6).map(|frame| u32::from_be_bytes(frame[2..].try_into().unwrap())).collect();
    assert_eq!(order, (1..=50).collect::<Vec<_>>());
    waiting.join_all().await.into_iter().for_each(|sent| sent.unwrap());
    sender.try_send("now there is room").unwrap();
}

#[tokio::test]
async fn a_send_that_is_dropped_while_it_waits_is_not_sent_and_keeps_nobody_waiting() {
    for dropped in 0..3 {
        let (socket, mut peer, _) = server(10, narrow());
        let (_receiving, sending) = socket.split();
        let sender = sending.into_sender();
        sender.send(vec![0; 100]).await.unwrap();
        let mut sends: Vec<_> = (0..3).map(|i| Some(Box::pin(sender.send(numbered(i, 4))))).collect();
        for send in sends.iter_mut().flatten() {
            assert!(poll_once(&mut send.as_mut()).await.is_pending());
        }
        sends[dropped] = None;
        let rest = tokio::spawn(async move {
            let mut bytes = vec![0; 102 + 2 * 6];
            peer.read_exact(&mut bytes).await.unwrap();
            bytes[102..].chunks(6).map(|frame| usize::from(frame[5])).collect::<Vec<_>>()
        });
        // All of them at once, as tasks would: each polled when it is woken.
        let mut left = futures_util::future::join_all(sends.into_iter().flatten());
        pin!(&mut left).await.into_iter().for_each(|sent| sent.unwrap());
        sender.flush().await.unwrap();
        let expected: Vec<usize> = (0..3).filter(|&i| i != dropped).collect();
        assert_eq!(rest.await.unwrap(), expected, "without {dropped}");
    }
}

#[tokio::test]
async fn sends_that_are_dropped_after_every_number_of_polls_lose_and_double_nothing() {
    for polls in 1..=4 {
        let (near, far) = tokio::io::duplex(7);
        let end = |stream, role| {
            let config = config().max_send_queue_bytes(20).build().unwrap();
            WebSocket::from_parts(stream, BytesMut::new(), Negotiated::new(role), config)
        };
        let (server, mut client) = (end(near, Role::Server), end(far, Role::Client));
        let (_receiving, sending) = server.split();
        let sender = sending.into_sender();
        let sending = futures_util::future::join_all((0..3_u32).map(|task| {
            let sender = sender.clone();
            async move {
                for i in 0..40 {
                    insist(polls, async || sender.send(numbered(task << 16 | i, 9)).await).await.unwrap();
                }
            }
        }));
        let receiving = async {
            let mut next = [0; 3];
            for _ in 0..120 {
                let number = number(&client.recv().await.unwrap().unwrap());
                let task = usize::try_from(number >> 16).unwrap();
                assert_eq!(number & 0xFFFF, next[task], "{polls} polls");
                next[task] += 1;
            }
        };
        tokio::join!(sending, receiving);
    }
}

#[test]
fn without_a_runtime_dropped_sends_are_right_wherever_the_stream_is_disturbed() {
    let messages = ["one", "two", "three"];
    let output: Vec<u8> = messages.iter().flat_map(|text| RawFrame::text(*text).to_bytes()).collect();
    for interruption in Interruption::every(0, output.len()).filter(Interruption::is_lossless) {
        let (io, peer) = interruption.io(b"");
        let socket: WebSocket<ScriptedIo> = WebSocket::from_parts(
            io,
            BytesMut::new(),
            Negotiated::new(Role::Server),
            config().build().unwrap(),
        );
        let (_receiving, sending) = socket.split();
        let sender = sending.into_sender();
        for text in messages {
            // Behind the queueing it leaves with the next call.
            let _queued = interruption.within(sender.clone().send(text));
        }
        interruption.insist(async || sender.flush().await).unwrap();
        assert_eq!(peer.written(), output, "{interruption:?}");
    }
}

#[tokio::test]
async fn closing_gives_those_who_wait_their_messages_back() {
    let (socket, mut peer, _) = server(10, narrow());
    let (_receiving, sending) = socket.split();
    let sender = sending.into_sender();
    sender.send(vec![0; 100]).await.unwrap();
    let waiting: Vec<_> = (0..3)
        .map(|i| {
            let sender = sender.clone();
            tokio::spawn(async move { sender.send(numbered(i, 4)).await })
        })
        .collect();
    yield_now().await;
    assert!(sender.is_open());
    let closing = tokio::spawn({
        let sender = sender.clone();
        async move { sender.close(CloseCode::NORMAL, "enough").await }
    });
    for (i, waiting) in (0..).zip(waiting) {
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!(given_back(error, SendRefusal::Closed), numbered(i, 4));
    }
    assert!(!sender.is_open());
    let mut bytes = vec![0; 102 + 2 + 8];
    peer.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes[104..], [&[0x03, 0xE8], &b"enough"[..]].concat());
    closing.await.unwrap().unwrap();
    assert_eq!(given_back(sender.try_send("late").unwrap_err(), SendRefusal::Closed), "late".into());
}

#[tokio::test]
async fn a_message_that_a_broken_stream_cannot_take_is_given_back() {
    let (socket, peer, _) = server(10, Config::default());
    let (_receiving, sending) = socket.split();
    let sender = sending.into_sender();
    drop(peer);
    assert!(matches!(sender.send("told").await, Err(Error::Io(_))));
    assert_eq!(given_back(sender.send("kept").await.unwrap_err(), SendRefusal::Closed), "kept".into());
    let prepared = Prepared::new("prepared");
    let error = sender.send_prepared(&prepared).await.unwrap_err();
    assert_eq!(given_back(error, SendRefusal::Closed), "prepared".into());
}

#[tokio::test]
async fn who_waits_until_all_was_written_holds_up_no_sender() {
    let (socket, mut peer, _) = server(10, Config::default());
    let (_receiving, sending) = socket.split();
    let sender = sending.into_sender();
    sender.send(vec![0; 100]).await.unwrap();
    let flushing: Vec<_> = (0..2)
        .map(|_| {
            let sender = sender.clone();
            tokio::spawn(async move { sender.flush().await })
        })
        .collect();
    yield_now().await;
    sender.try_send("more").unwrap();
    sender.send("and more").await.unwrap();
    let mut bytes = vec![0; 102 + 6 + 10];
    peer.read_exact(&mut bytes).await.unwrap();
    for flushing in flushing {
        flushing.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_last_clone_ends_the_socket() {
    let (socket, mut client) = pair(100);
    let (receiving, sending) = socket.split();
    let sender: Sender<_> = sending.into_sender();
    let clone = sender.clone();
    drop((receiving, sender));
    clone.send("still here").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some("still here".into()));
    drop(clone);
    assert_eq!(client.recv().await.unwrap(), None);
    assert_eq!(client.close_info().unwrap().received.code, CloseCode::GOING_AWAY);
}
