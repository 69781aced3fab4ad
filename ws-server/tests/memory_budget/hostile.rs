//! What hostile clients can make a server hold.

use crate::echo::echo;
use crate::settings;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use ws_server::proto::bytes::Buf;
use ws_server::proto::{Connection, MessageKind, Negotiated, Role};
use ws_server::{Acceptance, BoxError, Config, Incoming, MemoryBudget, ServerBuilder};

pub(crate) const MESSAGE: usize = 1 << 20;
const BUDGET: usize = 16 << 20;
/// What a thread's pools keep: buffers, receive buffers, contexts, memory of large messages.
const SPARE: usize = (1 << 20) + (4 << 18) + (2 << 20) + (2 << 20);
/// One read with what it inflates to, and the old memory of a buffer that grows.
const ONE_CALL: usize = 3 * MESSAGE;
/// What each connection has anyway: its task, its handshake, its socket.
pub(crate) const EACH: usize = 16 << 10;

/// What a client writes to and reads from.
pub(crate) trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// What a client puts on TCP.
pub(crate) type OpenStream = dyn Fn(TcpStream) -> Box<dyn Stream> + Send + Sync;

/// What a hostile client does.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Sends nearly all of a message, and never its end.
    InPart,
    /// The same compressed: a kilobyte that becomes nearly a megabyte.
    Bomb,
    /// Is sent messages, and reads none.
    NeverReads,
}

const KINDS: [Kind; 3] = [Kind::InPart, Kind::Bomb, Kind::NeverReads];

impl Kind {
    /// A thread that does it, until it is told to end. It tells when all of it has reached the server's connection, or it was thrown out.
    fn start(
        self,
        addr: SocketAddr,
        stream: Arc<OpenStream>,
        done: mpsc::UnboundedSender<bool>,
    ) -> (Sender<()>, std::thread::JoinHandle<()>) {
        let (end, ended) = channel();
        let thread = std::thread::spawn(move || {
            let mut stream = stream(TcpStream::connect(addr).unwrap());
            if let Some(thrown_out) = self.work(&mut *stream).unwrap_or(Some(true)) {
                done.send(thrown_out).unwrap();
            }
            // Fails when the test is over.
            let _over = ended.recv();
        });
        (end, thread)
    }

    /// Was it thrown out? `None` where the server's handler tells that.
    fn work(self, stream: &mut dyn Stream) -> std::io::Result<Option<bool>> {
        let (path, extensions) = match self {
            Self::InPart => ("/", ""),
            Self::Bomb => ("/", "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
            Self::NeverReads => ("/push", ""),
        };
        stream.write_all(request(path, extensions).as_bytes())?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.extend(byte);
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            return Ok(Some(true));
        }
        if matches!(self, Self::NeverReads) {
            return Ok(None);
        }
        stream.write_all(&self.fragment())?;
        // A ping, with a mask of zeros: its pong says that the server has taken all of the fragment.
        stream.write_all(&[0x89, 0x80, 0, 0, 0, 0])?;
        let mut answer = [0];
        stream.read_exact(&mut answer)?;
        Ok(Some(answer != [0x8A]))
    }

    /// The first fragment of a message that has no other.
    fn fragment(self) -> Vec<u8> {
        let negotiated = match self {
            Self::Bomb => Negotiated::new(Role::Client).with_deflate(Default::default()),
            _ => Negotiated::new(Role::Client),
        };
        let mut connection = Connection::new(negotiated, Config::default(), Instant::now());
        connection.send_fragment(MessageKind::Binary, vec![0; MESSAGE - 1000].into(), false).unwrap();
        let transmit = connection.transmit();
        let len = transmit.len();
        transmit.copy_to_bytes(len).into()
    }
}

fn request(path: &str, lines: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{lines}\r\n"
    )
}

/// Echoes; under `/push` it sends messages of its own for as long as the client takes them, tells when it does not any more, and waits.
async fn handler(incoming: Incoming, full: mpsc::UnboundedSender<bool>) -> Result<(), BoxError> {
    if incoming.request().uri().path() != "/push" {
        return echo(incoming).await;
    }
    let mut socket = incoming.accept(Acceptance::default()).await?;
    let outcome = loop {
        let mut sending = std::pin::pin!(socket.send(vec![7; 64 << 10]));
        let first = std::future::poll_fn(|cx| std::task::Poll::Ready(sending.as_mut().poll(cx))).await;
        match first {
            std::task::Poll::Ready(Ok(())) => tokio::task::yield_now().await,
            std::task::Poll::Ready(Err(error)) => break Err(error),
            std::task::Poll::Pending => {
                full.send(false)?;
                sending.await?;
                break Ok(());
            }
        }
    };
    if outcome.is_err() {
        full.send(true)?;
    }
    Ok(outcome?)
}

#[test]
fn hostile_connections_hold_no_more_than_the_budget_and_a_little() {
    hold_the_bound(|builder| builder, Arc::new(|tcp| Box::new(tcp)), EACH);
}

/// Hostile clients of this server make it hold no more than the budget, what was read at once, what is spare, and so much each.
pub(crate) fn hold_the_bound(
    with: impl FnOnce(ServerBuilder) -> ServerBuilder,
    stream: Arc<OpenStream>,
    each: usize,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let budget = MemoryBudget::new(BUDGET);
    let (builder, mut told) = settings(&budget);
    let config = Config::builder().max_message_bytes(MESSAGE).max_frame_bytes(MESSAGE).ping_interval(None);
    let builder = with(builder.config(config.build().unwrap()));
    let each_kind = 24;
    let all = each_kind * KINDS.len();
    let mut thrown_out = 0;
    // The clients have threads of their own, whose memory is not counted.
    let measured = allocation_counter::measure(|| {
        runtime.block_on(async {
            let server = builder.bind("127.0.0.1:0").await.unwrap();
            let addr = server.local_addr().unwrap();
            let (done, mut ended) = mpsc::unbounded_channel();
            let full = done.clone();
            let running = server.serve(move |incoming| handler(incoming, full.clone()));
            let mut threads = Vec::new();
            for kind in KINDS.into_iter().cycle().take(all) {
                threads.push(kind.start(addr, Arc::clone(&stream), done.clone()));
            }
            // Until the server has taken all that it takes of each.
            for _ in 0..all {
                thrown_out += usize::from(ended.recv().await.unwrap());
            }
            assert!(budget.used_bytes() <= BUDGET + ONE_CALL, "{budget:?}");
            for (end, thread) in threads {
                drop(end);
                while !thread.is_finished() {
                    tokio::task::yield_now().await;
                }
            }
            running.stop(Duration::ZERO).await;
        });
    });
    println!("{} bytes were held at most", measured.bytes_max);
    let bound = BUDGET + ONE_CALL + SPARE + all * each;
    assert!(
        measured.bytes_max <= bound as u64,
        "{} bytes were held, the bound is {bound}",
        measured.bytes_max
    );
    assert!(
        measured.bytes_max >= (BUDGET - BUDGET / 8) as u64,
        "the budget was not reached: this shows nothing"
    );
    let mut gave_up = 0;
    while let Ok(told) = told.try_recv() {
        gave_up += usize::from(told.starts_with("the connection held"));
    }
    assert!(gave_up >= 10, "{gave_up} gave up their memory, {thrown_out} of {all} saw that");
    drop(runtime);
    assert_eq!(budget.used_bytes(), 0, "nothing is held behind the last connection");
}
