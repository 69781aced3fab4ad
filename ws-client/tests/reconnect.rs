//! Servers that are killed under numbered messages.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use ws_client::{Backoff, Client, CloseCode, Message, Session, SessionEvent};
use ws_server::{Acceptance, Server, WebSocket};
use ws_testkit::entropy;
use ws_testkit::sim::{Weather, stream_pair};

fn number(message: &Message) -> u32 {
    u32::from_be_bytes(message.as_bytes()[..4].try_into().unwrap())
}

/// What one life of the server received, in order.
type Life = Vec<u32>;

/// Every message arrived, the first copies in order, and within a life nothing was left out.
fn check(lives: &[Life], messages: u32) {
    let mut next = 0;
    for life in lives {
        for pair in life.windows(2) {
            assert_eq!(pair[0] + 1, pair[1], "in order within a connection");
        }
        if let [first, .., last] | [first @ last] = life.as_slice() {
            assert!(*first <= next, "{first} came, and {next} never did");
            next = next.max(last + 1);
        }
    }
    assert_eq!(next, messages);
}

/// Ends its socket as a killed process does, where it goes abruptly: nothing is sent, and the connection is reset.
struct Mortal {
    socket: Option<WebSocket>,
    abruptly: bool,
}

impl Drop for Mortal {
    fn drop(&mut self) {
        if self.abruptly
            && let Some(parts) = self.socket.take().and_then(WebSocket::into_parts)
            && let Some(tcp) = parts.stream.tcp()
        {
            tcp.set_zero_linger().unwrap();
        }
    }
}

/// A server in a runtime of its own, which tells each message before it asks for the next one, and behind `most` of them asks for no more.
/// Its sockets end with the runtime: abruptly, or with a Close frame.
fn server(addr: SocketAddr, most: u32, abruptly: bool, got: mpsc::Sender<u32>) -> (Runtime, SocketAddr) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(Server::builder().bind(addr)).unwrap();
    let addr = server.local_addr().unwrap();
    runtime.spawn(async move {
        let running = server.serve(move |incoming| {
            let got = got.clone();
            async move {
                let socket = Some(incoming.accept(Acceptance::default()).await?);
                let mut socket = Mortal { socket, abruptly };
                let open = socket.socket.as_mut().unwrap();
                for _ in 0..most {
                    let Some(message) = open.recv().await? else { break };
                    got.send(number(&message))?;
                }
                if open.is_open() {
                    std::future::pending::<()>().await;
                }
                Ok(())
            }
        });
        std::future::pending::<()>().await;
        drop(running);
    });
    (runtime, addr)
}

#[test]
fn a_server_that_is_killed_fifty_times_gets_every_message_at_least_once_and_in_order() {
    const KILLS: usize = 50;
    const MESSAGES: u32 = 5_000;
    let client_runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (told, got) = mpsc::channel();
    let (mut runtime, addr) = server("127.0.0.1:0".parse().unwrap(), 1, true, told);
    let mut got = got;
    let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(20));
    let (mut session, sender) = client_runtime.block_on(async {
        let url = format!("ws://{addr}/");
        let session = Session::builder(Client::default(), url).backoff(backoff).start().unwrap();
        let sender = session.sender();
        (session, sender)
    });
    let sending = client_runtime.spawn({
        let sender = sender.clone();
        async move {
            for i in 0..MESSAGES {
                let mut bytes = i.to_be_bytes().to_vec();
                bytes.resize(4 + usize::try_from(i % 700).unwrap(), 0);
                sender.send(bytes).await.unwrap();
            }
        }
    });
    let story = client_runtime.spawn(async move {
        let (mut connected, mut lost, mut resent) = (0, 0, 0);
        while let Some(event) = session.next().await {
            match event {
                SessionEvent::Connected { .. } => connected += 1,
                SessionEvent::Disconnected { dropped, .. } => {
                    assert_eq!(dropped, 0);
                    lost += 1;
                }
                SessionEvent::Resent { messages } => resent += messages,
                SessionEvent::Ended { fatal, unsent } => {
                    assert!(fatal.is_none() && unsent.is_empty(), "{fatal:?}, {} unsent", unsent.len());
                }
                _ => {}
            }
        }
        (connected, lost, resent)
    });
    let mut lives = Vec::new();
    for life in 0..KILLS {
        let most = if life == 0 { 1 } else { 1 + u32::try_from(life * 37 % 90).unwrap() };
        lives.push((0..most).map(|_| got.recv().unwrap()).collect::<Life>());
        // All its tasks are dropped, and so are the sockets, before a new one listens on the same port.
        runtime.shutdown_timeout(Duration::from_secs(60));
        let most =
            if life + 1 == KILLS { u32::MAX } else { 1 + u32::try_from((life + 1) * 37 % 90).unwrap() };
        let (told, next) = mpsc::channel();
        lives.last_mut().unwrap().extend(got.try_iter());
        got = next;
        (runtime, _) = server(addr, most, life % 2 == 0, told);
    }
    let mut last = Life::new();
    while last.last() != Some(&(MESSAGES - 1)) {
        last.push(got.recv().unwrap());
    }
    lives.push(last);
    check(&lives, MESSAGES);
    client_runtime.block_on(sending).unwrap();
    assert!(client_runtime.block_on(sender.acknowledged()));
    sender.close(CloseCode::NORMAL, "");
    let (connected, lost, resent) = client_runtime.block_on(story).unwrap();
    assert_eq!(connected, KILLS + 1);
    assert!(lost >= KILLS && resent > 0, "{lost} lost, {resent} sent again");
    assert_eq!(sender.unacknowledged(), 0);
    runtime.shutdown_timeout(Duration::from_secs(60));
}

#[test]
fn a_line_that_breaks_again_and_again_loses_no_message() {
    for seed in 0..20 {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(over_a_bad_line(seed));
    }
}

/// Each connection breaks in a way of its own: it is reset, ended in one direction, or nothing arrives any more.
async fn over_a_bad_line(seed: u64) {
    const MESSAGES: u32 = 1_500;
    let (far_ends, mut network) = tokio::sync::mpsc::unbounded_channel();
    let connections = std::sync::atomic::AtomicU64::new(0);
    let client = Client::builder().connector(move |_: ws_client::Destination| {
        let connection = connections.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let weather = Weather {
            latency: (Duration::from_millis(1), Duration::from_millis(40)),
            window: 3_000,
            // The last ones live, or nobody would ever be done.
            accidents: if connection < 50 { 1_000 } else { 0 },
            accident_within: Duration::from_secs(2),
            ..Weather::calm()
        };
        let (near, far) = stream_pair(seed * 1_000 + connection, weather);
        let connected = far_ends.send(far).map_err(|_| std::io::ErrorKind::ConnectionRefused.into());
        async move { connected.map(|()| near) }
    });
    let backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1)).entropy(entropy(seed));
    let mut session = Session::builder(client.build(), "ws://server/")
        .backoff(backoff)
        .max_outbox_messages(40)
        .start()
        .unwrap();
    let sender = session.sender();
    let server = tokio::spawn(async move {
        let mut lives = Vec::new();
        while let Some(far) = network.recv().await {
            let mut life = Life::new();
            if let Ok(incoming) = ws_tokio::accept(far, ws_client::Config::default()).await
                && let Ok(mut socket) = incoming.accept(Default::default()).await
            {
                while let Ok(Some(message)) = socket.recv().await {
                    life.push(number(&message));
                }
            }
            lives.push(life);
        }
        lives
    });
    tokio::spawn({
        let sender = sender.clone();
        async move {
            for i in 0..MESSAGES {
                sender.send([&i.to_be_bytes()[..], &[0; 100]].concat()).await.unwrap();
            }
            assert!(sender.acknowledged().await);
            sender.close(CloseCode::NORMAL, "");
        }
    });
    let mut events = 0;
    while let Some(event) = session.next().await {
        events += 1;
        if let SessionEvent::Ended { fatal, .. } = event {
            assert!(fatal.is_none(), "{fatal:?}");
        }
    }
    assert!(events > 0);
    check(&server.await.unwrap(), MESSAGES);
}
