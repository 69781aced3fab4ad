//! Sessions over a network in memory, whose time is simulated.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::Instant;
use ws_client::proto::bytes::Bytes;
use ws_client::proto::http::{HeaderMap, HeaderValue, Response};
use ws_client::{
    Backoff, Client, CloseCode, Config, Destination, Error, Message, NotQueued, Resend, Session,
    SessionBuilder, SessionEvent, Verdict, Why,
};
use ws_proto::{Failure, Timer};
use ws_testkit::cancel::insist;
use ws_testkit::entropy;

type Socket = ws_tokio::WebSocket<DuplexStream>;

/// The far ends of what a client connects. When it is dropped, every attempt is refused.
struct Network(mpsc::UnboundedReceiver<DuplexStream>);

fn network() -> (Client, Network) {
    let (far_ends, network) = mpsc::unbounded_channel();
    let client = Client::builder().connector(move |_: Destination| {
        let (near, far) = duplex(64 << 10);
        let connected = far_ends.send(far).map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused));
        async move { connected.map(|()| near) }
    });
    (client.build(), Network(network))
}

fn session(client: Client) -> SessionBuilder {
    Session::builder(client, "ws://server/").backoff(Backoff::default().entropy(entropy(1)))
}

impl Network {
    async fn incoming(&mut self) -> ws_tokio::Incoming<DuplexStream> {
        let far = self.0.recv().await.unwrap();
        ws_tokio::accept(far, Config::default()).await.unwrap()
    }

    async fn accept(&mut self) -> Socket {
        self.incoming().await.accept(Default::default()).await.unwrap()
    }

    async fn refuse(&mut self, status: u16, retry_after: Option<&str>) {
        let mut response = Response::builder().status(status);
        if let Some(value) = retry_after {
            response = response.header("retry-after", value);
        }
        self.incoming().await.reject(response.body(Bytes::new()).unwrap()).await.unwrap();
    }
}

/// The stream breaks off: nothing is sent, nothing is closed.
fn kill(socket: Socket) {
    drop(socket.into_parts());
}

/// Events in a word each.
fn word(event: &SessionEvent) -> String {
    match event {
        SessionEvent::Connecting { attempt } => format!("connecting {attempt}"),
        SessionEvent::Connected { response } => format!("connected {}", response.status().as_u16()),
        SessionEvent::Resent { messages } => format!("resent {messages}"),
        SessionEvent::Message(message) => format!("message {}", message.as_text().unwrap()),
        SessionEvent::Disconnected { why, dropped } => match why.close_code() {
            Some(code) => format!("disconnected {code}, {dropped} dropped"),
            None => format!("not connected, {dropped} dropped"),
        },
        SessionEvent::Waiting { .. } => "waiting".to_owned(),
        SessionEvent::Ended { fatal, unsent } => format!("ended {} {}", fatal.is_some(), unsent.len()),
        other => format!("{other:?}"),
    }
}

/// The next event that `pick` wants; others pass by.
async fn until<T>(session: &mut Session, mut pick: impl FnMut(SessionEvent) -> Option<T>) -> T {
    loop {
        if let Some(picked) = pick(session.next().await.expect("it has not ended")) {
            return picked;
        }
    }
}

async fn connected(session: &mut Session) {
    until(session, |event| matches!(event, SessionEvent::Connected { .. }).then_some(())).await;
}

async fn waiting(session: &mut Session) -> Duration {
    until(session, |event| if let SessionEvent::Waiting { delay } = event { Some(delay) } else { None }).await
}

async fn acknowledged(session: &Session) {
    assert!(session.sender().acknowledged().await);
}

async fn texts(socket: &mut Socket, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(socket.recv().await.unwrap().unwrap().as_text().unwrap().to_owned());
    }
    texts
}

/// Receives for ever, so that pings are answered.
fn serve(mut socket: Socket) -> tokio::task::JoinHandle<Vec<String>> {
    tokio::spawn(async move {
        let mut got = Vec::new();
        while let Ok(Some(message)) = socket.recv().await {
            got.push(message.as_text().unwrap().to_owned());
        }
        got
    })
}

#[tokio::test(start_paused = true)]
async fn the_events_tell_the_story() {
    let (client, mut network) = network();
    let mut session = session(client).start().unwrap();
    session.sender().send("hello").await.unwrap();
    let server = tokio::spawn(async move {
        let mut socket = network.accept().await;
        assert_eq!(texts(&mut socket, 1).await, ["hello"]);
        kill(socket);
        let mut socket = network.accept().await;
        assert_eq!(texts(&mut socket, 1).await, ["hello"], "no ping behind it was answered");
        socket.send("welcome").await.unwrap();
        socket.close(CloseCode::POLICY_VIOLATION, "go away").await.unwrap();
    });
    let mut story = Vec::new();
    while let Some(event) = session.next().await {
        story.push(word(&event));
    }
    server.await.unwrap();
    let expected = [
        "connecting 0",
        "connected 101",
        "disconnected 1006, 0 dropped",
        "waiting",
        "connecting 1",
        "connected 101",
        "resent 1",
        "message welcome",
        "disconnected 1008, 0 dropped",
        "ended true 1",
    ];
    assert_eq!(story, expected);
    let refused = session.sender().send("late").await.unwrap_err();
    assert_eq!((refused.why, refused.message), (NotQueued::Ended, "late".into()));
}

#[tokio::test(start_paused = true)]
async fn headers_are_asked_for_before_each_attempt() {
    let (client, mut network) = network();
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let mut session = session(client)
        .headers(move |attempt| {
            let call = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                // Not at once, as a server of tokens would.
                tokio::time::sleep(Duration::from_secs(2)).await;
                if call == 1 {
                    return Err("no token".into());
                }
                let value = format!("call {call}, attempt {attempt}");
                Ok(HeaderMap::from_iter([("x-token".parse()?, HeaderValue::try_from(value)?)]))
            }
        })
        .start()
        .unwrap();
    let server = tokio::spawn(async move {
        let mut tokens = Vec::new();
        for _ in 0..3 {
            let incoming = network.incoming().await;
            tokens.push(incoming.request().headers()["x-token"].to_str().unwrap().to_owned());
            kill(incoming.accept(Default::default()).await.unwrap());
        }
        tokens
    });
    let failed = until(&mut session, |event| match event {
        SessionEvent::Disconnected { why, .. } if matches!(*why, Why::Headers(_)) => Some(why.to_string()),
        _ => None,
    });
    assert_eq!(failed.await, "there are no headers to connect with: no token");
    let drained = tokio::spawn(async move { while session.next().await.is_some() {} });
    let expected = ["call 0, attempt 0", "call 2, attempt 2", "call 3, attempt 3"];
    assert_eq!(server.await.unwrap(), expected);
    assert!(calls.load(Ordering::Relaxed) >= 4);
    drained.abort();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_at_once_is_asked_as_full_jitter_says() {
    let (client, network) = network();
    drop(network);
    let mut session = session(client).start().unwrap();
    let (began, mut waited, mut parts) = (Instant::now(), Duration::ZERO, Vec::new());
    for attempt in 0..2000_u32 {
        let delay = waiting(&mut session).await;
        let ceiling = Duration::from_millis(500 << attempt.min(10)).min(Duration::from_secs(30));
        assert!(delay < ceiling);
        parts.push(delay.as_secs_f64() / ceiling.as_secs_f64());
        waited += delay;
    }
    // 2,000 even draws: their mean has a deviation of 0.0065, their quarters one of 19.
    let mean = parts.iter().sum::<f64>() / 2000.0;
    assert!((mean - 0.5).abs() < 0.03, "{mean}");
    for quarter in 0..4 {
        let from = f64::from(quarter) / 4.0;
        let count = parts.iter().filter(|&&part| (from..from + 0.25).contains(&part)).count();
        assert!((420..580).contains(&count), "{count} in quarter {quarter}");
    }
    // Nothing but waiting: the last wait has not begun to count.
    assert!(began.elapsed() <= waited + Duration::from_secs(4), "{:?} beside {waited:?}", began.elapsed());
    assert!(began.elapsed() > Duration::from_secs(2000 * 14));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_closes_at_once_is_not_asked_faster() {
    let (client, mut network) = network();
    let mut session = session(client).start().unwrap();
    let server = tokio::spawn(async move {
        for _ in 0..40 {
            kill(network.accept().await);
        }
    });
    let began = Instant::now();
    let mut attempts = Vec::new();
    while attempts.len() < 40 {
        if let SessionEvent::Connecting { attempt } = session.next().await.unwrap() {
            attempts.push(attempt);
        }
    }
    assert_eq!(attempts, (0..40).collect::<Vec<_>>());
    assert!(began.elapsed() > Duration::from_secs(300), "{:?}", began.elapsed());
    server.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn behind_a_stable_connection_it_begins_anew() {
    let (client, mut network) = network();
    let mut session = session(client).start().unwrap();
    kill(network.accept().await);
    let mut socket = network.accept().await;
    let answering = tokio::spawn(async move {
        tokio::select! {
            _ = socket.recv() => {}
            () = tokio::time::sleep(Duration::from_secs(61)) => kill(socket),
        }
        network
    });
    let mut attempts = Vec::new();
    while attempts.len() < 3 {
        if let SessionEvent::Connecting { attempt } = session.next().await.unwrap() {
            attempts.push(attempt);
        }
    }
    assert_eq!(attempts, [0, 1, 1]);
    drop(answering);
}

#[tokio::test(start_paused = true)]
async fn refusals_and_closes_are_judged() {
    let secs = Duration::from_secs;
    for (status, retry_after, expected) in [
        (401, None, None),
        (403, None, None),
        (404, Some("10"), None),
        (503, Some("100"), Some(secs(100)..secs(130))),
        (429, Some("10"), Some(secs(10)..secs(20))),
        (503, None, Some(secs(0)..Duration::from_millis(500))),
        (408, None, Some(secs(0)..Duration::from_millis(500))),
    ] {
        let (client, mut network) = network();
        let mut session = session(client).start().unwrap();
        network.refuse(status, retry_after).await;
        match expected {
            Some(range) => assert!(range.contains(&waiting(&mut session).await), "{status}"),
            None => {
                let ended = until(&mut session, |event| match event {
                    SessionEvent::Ended { fatal, .. } => Some(fatal.unwrap()),
                    _ => None,
                });
                let why = ended.await;
                let Why::Connect(Error::Refused(refusal)) = &*why else { panic!("{why:?}") };
                assert_eq!(refusal.status, status);
                assert!(session.next().await.is_none());
            }
        }
    }
    for code in [CloseCode::SERVICE_RESTART, CloseCode::TRY_AGAIN_LATER] {
        let (client, mut network) = network();
        let mut session = session(client).start().unwrap();
        let mut socket = network.accept().await;
        tokio::spawn(async move { socket.close(code, "").await });
        assert!((secs(5)..secs(30)).contains(&waiting(&mut session).await));
    }
}

#[tokio::test(start_paused = true)]
async fn a_classifier_decides_in_place_of_the_table() {
    let (client, mut network) = network();
    let judge = |why: &Why| match why.close_code() {
        Some(CloseCode::POLICY_VIOLATION) => Verdict::Retry,
        Some(CloseCode::ABNORMAL) => Verdict::Fatal,
        _ => why.verdict(),
    };
    let mut session = session(client).classify(judge).start().unwrap();
    let mut socket = network.accept().await;
    tokio::spawn(async move { socket.close(CloseCode::POLICY_VIOLATION, "").await });
    waiting(&mut session).await;
    kill(network.accept().await);
    until(&mut session, |event| matches!(event, SessionEvent::Ended { fatal: Some(_), .. }).then_some(()))
        .await;
}

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
async fn a_computer_that_slept_notices_within_one_interval() {
    let (client, mut network) = network();
    let mut session = session(client).start().unwrap();
    let _silent = network.accept().await;
    connected(&mut session).await;
    // It sleeps for an hour; meanwhile the connection has gone, and nobody tells.
    tokio::time::advance(Duration::from_secs(3600)).await;
    let woke = Instant::now();
    let why = until(&mut session, |event| match event {
        SessionEvent::Disconnected { why, .. } => Some(why),
        _ => None,
    });
    let why = why.await;
    assert!(matches!(&*why, Why::Lost(ws_tokio::Error::Failed(Failure::Timeout(Timer::Pong)))), "{why:?}");
    assert_eq!(woke.elapsed(), Config::default().ping_interval().unwrap());
}

#[tokio::test(start_paused = true)]
async fn keepalive_measures_round_trips_of_an_idle_connection() {
    let (client, mut network) = network();
    let mut session = session(client).start().unwrap();
    let server = serve(network.accept().await);
    connected(&mut session).await;
    assert_eq!(session.sender().round_trip(), None);
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert!(session.sender().round_trip().is_some());
    assert!(session.sender().is_connected());
    server.abort();
}

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
    assert!(network.0.try_recv().is_err(), "no further attempt");
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
