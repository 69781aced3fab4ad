//! What becomes of messages that were handed over.

use crate::support::{acknowledged, connected, kill, network, serve, session, texts, until, waiting};
use std::time::Duration;
use ws_client::{Backoff, CloseCode, Message, NotQueued, Resend, SessionEvent};
use ws_testkit::cancel::insist;

#[tokio::test(start_paused = true)]
async fn what_no_pong_has_proved_read_is_sent_again_and_what_one_has_is_not() {
    let (client, mut network) = network();
    let mut session = session(client).start().unwrap();
    let sender = session.sender();
    let mut socket = network.accept().await;
    connected(&mut session).await;
    for text in ["one", "two"] {
        sender.send(text).await.unwrap();
    }
    assert_eq!(texts(&mut socket, 2).await, ["one", "two"]);
    // The pong leaves with what is written next, or when more is asked for.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(sender.unacknowledged(), 2);
    let more = tokio::spawn(async move {
        let text = texts(&mut socket, 1).await;
        kill(socket);
        text
    });
    acknowledged(&session).await;
    assert!(sender.round_trip().is_some());
    for text in ["three", "four"] {
        sender.send(text).await.unwrap();
    }
    assert_eq!(more.await.unwrap(), ["three"]);
    let mut socket = network.accept().await;
    assert_eq!(texts(&mut socket, 2).await, ["three", "four"]);
    let resent = until(&mut session, |event| {
        if let SessionEvent::Resent { messages } = event { Some(messages) } else { None }
    });
    assert_eq!(resent.await, 2);
    serve(socket);
    acknowledged(&session).await;
}

#[tokio::test(start_paused = true)]
async fn dropping_is_a_policy() {
    let (client, mut network) = network();
    let mut session = session(client).resend(Resend::Drop).start().unwrap();
    let sender = session.sender();
    let refused = sender.send("nobody is there").await.unwrap_err();
    assert_eq!((refused.why, refused.message), (NotQueued::NotConnected, "nobody is there".into()));
    let mut socket = network.accept().await;
    connected(&mut session).await;
    assert!(sender.is_connected());
    sender.send("one").await.unwrap();
    assert_eq!(texts(&mut socket, 1).await, ["one"]);
    assert_eq!(sender.unacknowledged(), 0, "it counts as sent when it was handed over");
    kill(socket);
    waiting(&mut session).await;
    assert_eq!(sender.try_send("none").unwrap_err().why, NotQueued::NotConnected);
    let mut socket = network.accept().await;
    connected(&mut session).await;
    sender.send("two").await.unwrap();
    assert_eq!(texts(&mut socket, 1).await, ["two"]);
}

#[tokio::test(start_paused = true)]
async fn keeping_the_newest_is_a_policy() {
    let (client, mut network) = network();
    let mut session = session(client).resend(Resend::Keep(2)).max_outbox_messages(5).start().unwrap();
    let sender = session.sender();
    for i in 0..20 {
        sender.send(format!("early {i}")).await.unwrap();
    }
    let mut socket = network.accept().await;
    assert_eq!(texts(&mut socket, 2).await, ["early 18", "early 19"]);
    connected(&mut session).await;
    for i in 0..3 {
        sender.send(format!("late {i}")).await.unwrap();
    }
    assert_eq!(sender.try_send("full").unwrap_err().why, NotQueued::Full);
    kill(socket);
    let dropped = until(&mut session, |event| match event {
        SessionEvent::Disconnected { dropped, .. } => Some(dropped),
        _ => None,
    });
    assert_eq!(dropped.await, 3);
    let mut socket = network.accept().await;
    assert_eq!(texts(&mut socket, 2).await, ["late 1", "late 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_full_outbox_lets_senders_wait_in_turn() {
    let (client, mut network) = network();
    let mut session = session(client).max_outbox_messages(2).start().unwrap();
    let sender = session.sender();
    sender.send("0").await.unwrap();
    sender.send("1").await.unwrap();
    let refused = sender.try_send("full").unwrap_err();
    assert_eq!((refused.why, refused.message), (NotQueued::Full, "full".into()));
    let waits: Vec<_> = (2..6)
        .map(|i| {
            let sender = sender.clone();
            tokio::spawn(async move { sender.send(i.to_string()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    // One gives up: it is not sent, and the others move up.
    waits[1].abort();
    let mut socket = network.accept().await;
    connected(&mut session).await;
    assert_eq!(texts(&mut socket, 5).await, ["0", "1", "2", "4", "5"]);
    for (i, wait) in waits.into_iter().enumerate() {
        assert_eq!(wait.await.is_ok(), i != 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_outbox_is_bounded_in_bytes_too() {
    let (client, _network) = network();
    let session = session(client).max_outbox_bytes(1000).start().unwrap();
    let sender = session.sender();
    sender.try_send(vec![0; 999]).unwrap();
    sender.try_send(vec![0; 5000]).unwrap();
    assert_eq!(sender.try_send("").unwrap_err().why, NotQueued::Full);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_room_learns_that_the_session_has_ended() {
    let (client, mut network) = network();
    let mut session = session(client).max_outbox_messages(1).start().unwrap();
    let sender = session.sender();
    sender.send("0").await.unwrap();
    let waits: Vec<_> = (1..4)
        .map(|i| {
            let sender = sender.clone();
            tokio::spawn(async move { sender.send(i.to_string()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    network.refuse(401, None).await;
    while session.next().await.is_some() {}
    for (i, wait) in (1..).zip(waits) {
        let refused = wait.await.unwrap().unwrap_err();
        assert_eq!((refused.why, refused.message), (NotQueued::Ended, Message::from(i.to_string())));
    }
}

// Not paused: time that moves only when nothing runs would stand still while futures are dropped and made anew.
#[tokio::test]
async fn futures_that_are_dropped_after_every_number_of_polls_lose_nothing() {
    for polls in 1..=3 {
        let (client, mut network) = network();
        let at_once = Backoff::new(Duration::ZERO, Duration::ZERO);
        let mut session = session(client).backoff(at_once).max_outbox_messages(7).start().unwrap();
        let sender = session.sender();
        let server = tokio::spawn(async move {
            let (mut got, mut replies) = (Vec::<u32>::new(), 0);
            loop {
                let mut socket = network.accept().await;
                // It dies behind every fifth message.
                for _ in 0..5 {
                    let Ok(Some(message)) = socket.recv().await else { break };
                    got.push(message.as_text().unwrap().parse().unwrap());
                    socket.send(replies.to_string()).await.unwrap();
                    replies += 1;
                    if got.last() == Some(&59) {
                        socket.close(CloseCode::NORMAL, "").await.unwrap();
                        return (got, replies);
                    }
                }
                socket.flush().await.unwrap();
                kill(socket);
            }
        });
        let sending = async {
            for i in 0..60 {
                insist(polls, async || sender.send(i.to_string()).await).await.unwrap();
            }
        };
        let receiving = async {
            let mut replies = Vec::<u32>::new();
            while let Some(event) = insist(polls, async || session.next().await).await {
                if let SessionEvent::Message(message) = event {
                    replies.push(message.as_text().unwrap().parse().unwrap());
                }
            }
            replies
        };
        let ((), replies) = tokio::join!(sending, receiving);
        let (got, replied) = server.await.unwrap();
        let mut first_copies = got.clone();
        let mut most = None;
        first_copies.retain(|&i| {
            let is_first = most.is_none_or(|most| i > most);
            most = most.max(Some(i));
            is_first
        });
        assert_eq!(first_copies, (0..60).collect::<Vec<_>>(), "{polls} polls");
        assert_eq!(replies, (0..replied).collect::<Vec<_>>(), "{polls} polls");
    }
}
