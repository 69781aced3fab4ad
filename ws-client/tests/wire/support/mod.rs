//! Servers that do as they are told.

pub(crate) mod proxy;

use crate::echo::echo;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use ws_client::{Client, ClientBuilder, Config};
use ws_proto::bytes::Buf;
use ws_proto::handshake::{Acceptance, ServerHandshake, ServerHandshakeEvent};
use ws_server::Server;

/// Any stream.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// Serves each connection by `serve`.
pub(crate) async fn listen<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(tcp));
        }
    });
    addr
}

/// An address at which nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

pub(crate) async fn echo_server() -> SocketAddr {
    let server = Server::builder().bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(echo);
    addr
}

/// The head of a request; empty where the stream ended before.
pub(crate) async fn read_head(io: &mut impl Io) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match io.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return String::new(),
        }
    }
    String::from_utf8(head).unwrap()
}

/// What a server that follows the rules answers to this request.
pub(crate) fn accepted(head: &str) -> String {
    let now = std::time::Instant::now();
    let mut handshake = ServerHandshake::new(Config::default(), now);
    let Some(ServerHandshakeEvent::Request(_)) = handshake.poll_event(&mut head.as_bytes(), now) else {
        panic!("{head}")
    };
    handshake.accept(Acceptance::default()).unwrap();
    let mut response = Vec::new();
    std::io::copy(&mut handshake.transmit().reader(), &mut response).unwrap();
    String::from_utf8(response).unwrap()
}

/// A server that answers each request with what `answer` makes of its head, and then waits for the client to end. The heads are handed
/// over too.
pub(crate) async fn answering(
    answer: impl Fn(&str) -> String + Clone + Send + Sync + 'static,
) -> (SocketAddr, UnboundedReceiver<String>) {
    let (heads, seen) = unbounded_channel();
    let addr = listen(move |mut tcp| {
        let (answer, heads) = (answer.clone(), heads.clone());
        async move {
            let head = read_head(&mut tcp).await;
            if !head.is_empty() {
                // What a client that has gone away is told does not matter.
                let _ = tcp.write_all(answer(&head).as_bytes()).await;
                let _ = heads.send(head);
                drain(&mut tcp).await;
            }
        }
    })
    .await;
    (addr, seen)
}

/// Reads up to the end.
pub(crate) async fn drain(io: &mut impl Io) {
    while let Ok(1..) = io.read(&mut [0; 1024]).await {}
}

/// The value of the header in this head, where it has one.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
}

/// The head without the lines of this header.
pub(crate) fn without(head: &str, name: &str) -> String {
    let is_other = |line: &&str| line.split(':').next().is_none_or(|it| !it.eq_ignore_ascii_case(name));
    head.split_inclusive("\r\n").filter(is_other).collect()
}

/// A client whose streams end in `serve`, without a socket of the operating system, so that time may be simulated.
pub(crate) fn scripted<F>(
    serve: impl Fn(tokio::io::DuplexStream) -> F + Clone + Send + Sync + 'static,
) -> ClientBuilder
where
    F: Future<Output = ()> + Send + 'static,
{
    Client::builder().connector(move |_| {
        let (near, far) = tokio::io::duplex(4096);
        tokio::spawn(serve(far));
        async move { Ok(near) }
    })
}
