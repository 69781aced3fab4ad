//! Servers and proxies, each with a thread of its own.

use crate::echo::echo;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use tokio::runtime::Runtime;
use ws_server::ServerBuilder;

/// A server that echoes for the time of a test.
pub(crate) struct Echo {
    pub(crate) addr: SocketAddr,
    _runtime: Runtime,
}

impl Echo {
    pub(crate) fn start(server: ServerBuilder) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let addr = runtime.block_on(async {
            let server = server.bind("127.0.0.1:0").await.unwrap();
            let addr = server.local_addr().unwrap();
            server.serve(echo);
            addr
        });
        Self { addr, _runtime: runtime }
    }
}

/// A listener that nobody accepts from: the system completes TCP, and then nothing comes.
pub(crate) fn silent() -> (SocketAddr, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (listener.local_addr().unwrap(), listener)
}

/// Answers each connection with one of these, in this order, and hands over what was asked.
pub(crate) fn answering(answers: Vec<String>) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (heads, seen) = channel();
    thread::spawn(move || {
        for answer in answers {
            let (mut tcp, _) = listener.accept().unwrap();
            heads.send(read_head(&mut tcp)).unwrap();
            tcp.write_all(answer.as_bytes()).unwrap();
        }
    });
    (addr, seen)
}

pub(crate) fn read_head(io: &mut impl Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        io.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

/// A proxy that talks to its client as `negotiate` does, and then leads on to `upstream`; once.
pub(crate) fn proxy(
    upstream: SocketAddr,
    negotiate: impl FnOnce(&mut TcpStream) -> String + Send + 'static,
) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (asked, seen) = channel();
    thread::spawn(move || {
        let (mut near, _) = listener.accept().unwrap();
        asked.send(negotiate(&mut near)).unwrap();
        let mut far = TcpStream::connect(upstream).unwrap();
        let (mut near_in, mut far_out) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        thread::spawn(move || {
            let _ = std::io::copy(&mut near_in, &mut far_out);
            let _ = far_out.shutdown(Shutdown::Write);
        });
        let _ = std::io::copy(&mut far, &mut near);
        let _ = near.shutdown(Shutdown::Write);
    });
    (addr, seen)
}
