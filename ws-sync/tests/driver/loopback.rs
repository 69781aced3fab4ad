//! Both roles over sockets of the loopback interface.

use crate::support::{blocking, quiet, retry, tcp_pair};
use http::Request;
use std::net::TcpStream;
use std::thread;
use ws_proto::Role;
use ws_proto::handshake::Acceptance;
use ws_sync::{Accepting, CloseCode, Connecting, Error, Message, Stream, WebSocket};

const SIZES: [usize; 7] = [0, 125, 126, 65_535, 65_536, 200_000, 1 << 20];

/// What everybody writes.
fn echo<S: Stream>(ws: &mut WebSocket<S>) -> Result<(), Error> {
    while let Some(message) = ws.recv()? {
        ws.send(message)?;
    }
    Ok(())
}

fn messages(sizes: &[usize]) -> impl Iterator<Item = Message> {
    let text = |len| "abcdefgh".chars().cycle().take(len).collect::<String>().into();
    let binary = |len| (0..=u8::MAX).cycle().take(len).collect::<Vec<u8>>().into();
    sizes.iter().flat_map(move |&len| [text(len), binary(len)])
}

fn request() -> Request<()> {
    Request::get("ws://localhost/").body(()).unwrap()
}

#[test]
fn messages_of_all_sizes_come_back_compressed_or_not() {
    let plain = || quiet().fragment_bytes(Some(10_000));
    #[cfg(feature = "deflate")]
    let configs = [plain().build().unwrap(), plain().deflate(None).build().unwrap()];
    #[cfg(not(feature = "deflate"))]
    let configs = [plain().build().unwrap()];
    for config in configs {
        let (near, far) = tcp_pair();
        let same = config.clone();
        let server = thread::spawn(move || {
            let mut ws = ws_sync::accept(far, same).unwrap().accept(Acceptance::default()).unwrap();
            echo(&mut ws).unwrap();
        });
        let (mut ws, _) = ws_sync::connect(near, request(), config).unwrap();
        for message in messages(&SIZES) {
            ws.send(message.clone()).unwrap();
            assert_eq!(ws.recv().unwrap(), Some(message));
        }
        ws.close(CloseCode::NORMAL, "").unwrap();
        server.join().unwrap();
    }
}

#[test]
fn a_pipelined_burst_comes_back_in_order() {
    let (near, far) = tcp_pair();
    let server = thread::spawn(move || {
        let mut ws = blocking(far, Role::Server, quiet().build().unwrap());
        while let Some(message) = ws.recv().unwrap() {
            ws.feed(message).unwrap();
        }
    });
    let mut ws = blocking(near, Role::Client, quiet().build().unwrap());
    for n in 0..500 {
        ws.feed(n.to_string()).unwrap();
    }
    ws.flush().unwrap();
    for n in 0..500 {
        assert_eq!(ws.recv().unwrap(), Some(n.to_string().into()));
    }
    ws.close(CloseCode::NORMAL, "").unwrap();
    server.join().unwrap();
}

#[test]
fn two_threads_may_share_a_stream_by_reference() {
    let (near, far) = tcp_pair();
    let config = || quiet().build().unwrap();
    let mut server =
        WebSocket::from_parts(&far, Vec::new(), ws_proto::Negotiated::new(Role::Server), config());
    let mut client =
        WebSocket::from_parts(&near, Vec::new(), ws_proto::Negotiated::new(Role::Client), config());
    client.send("by reference").unwrap();
    assert_eq!(server.recv().unwrap(), Some("by reference".into()));
}

/// A non-blocking server's view of one client.
enum Client {
    Opening(Accepting<TcpStream>),
    Open(Box<WebSocket<TcpStream>>, Option<Message>),
    Gone,
}

impl Client {
    /// Does what can be done without waiting.
    fn drive(&mut self) {
        if let Self::Opening(accepting) = self {
            let Ok(incoming) = accepting.advance() else { return };
            let ws = incoming.accept(Acceptance::default()).unwrap();
            *self = Self::Open(Box::new(ws), None);
        }
        while let Self::Open(ws, kept) = self {
            if let Some(message) = kept.take()
                && let Err(error) = ws.feed(message)
            {
                *kept = error.into_rejected();
                assert!(kept.is_some() && ws.progress().writable);
                let _full = ws.flush();
                return;
            }
            match ws.recv() {
                Ok(Some(message)) => *kept = Some(message),
                Ok(None) => *self = Self::Gone,
                Err(error) => return assert!(error.would_block().is_some(), "{error}"),
            }
        }
    }
}

#[test]
fn one_thread_serves_many_non_blocking_sockets() {
    let config = quiet().max_send_queue_bytes(100_000).build().unwrap();
    let mut servers = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..4 {
        let (near, far) = tcp_pair();
        let mut accepting = Accepting::new(far, config.clone());
        accepting.set_nonblocking(true).unwrap();
        servers.push(Client::Opening(accepting));
        clients.push(thread::spawn(move || {
            let mut connecting = Connecting::new(near, request(), quiet().build().unwrap()).unwrap();
            connecting.set_nonblocking(true).unwrap();
            let (mut ws, _) = retry(|| connecting.advance()).unwrap();
            for message in messages(&SIZES[..6]) {
                ws.send(message.clone()).unwrap();
                assert_eq!(retry(|| ws.recv()).unwrap(), Some(message));
            }
            retry(|| ws.close(CloseCode::NORMAL, "")).unwrap();
        }));
    }
    while servers.iter().any(|client| !matches!(client, Client::Gone)) {
        servers.iter_mut().for_each(Client::drive);
        thread::yield_now();
    }
    clients.into_iter().for_each(|client| client.join().unwrap());
}
