//! Streams for these tests.

use std::cell::Cell;
use std::io::{self, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use ws_proto::{Config, ConfigBuilder, Negotiated, Role};
use ws_sync::{Error, Event, OpenError, Stream, WebSocket};
use ws_testkit::{ScriptedIo, ScriptedPeer};

/// A scripted stream whose side can be ended.
#[derive(Debug)]
pub(crate) struct Scripted {
    io: ScriptedIo,
    shut: Rc<Cell<bool>>,
}

impl Scripted {
    pub(crate) fn new() -> (Self, ScriptedPeer, Rc<Cell<bool>>) {
        let (io, peer) = ScriptedIo::new();
        let shut = Rc::default();
        (Self { io, shut: Rc::clone(&shut) }, peer, shut)
    }
}

impl Read for Scripted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.read(buf)
    }
}

impl Write for Scripted {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)])
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        assert!(!self.shut.get(), "nothing is written behind the end");
        self.io.write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.io.flush()
    }
}

impl Stream for Scripted {
    fn shutdown_write(&mut self) -> io::Result<()> {
        self.shut.set(true);
        Ok(())
    }
}

/// Settings without keepalive, with masking keys that repeat.
pub(crate) fn quiet() -> ConfigBuilder {
    ws_testkit::config().ping_interval(None)
}

/// A socket over a scripted stream.
pub(crate) fn scripted(role: Role, config: Config) -> (WebSocket<Scripted>, ScriptedPeer, Rc<Cell<bool>>) {
    let (stream, peer, shut) = Scripted::new();
    (WebSocket::from_parts(stream, Vec::new(), Negotiated::new(role), config), peer, shut)
}

/// Two connected sockets of the loopback interface.
pub(crate) fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

/// A blocking WebSocket over it.
pub(crate) fn blocking(stream: TcpStream, role: Role, config: Config) -> WebSocket<TcpStream> {
    let mut ws = WebSocket::from_parts(stream, Vec::new(), Negotiated::new(role), config);
    ws.set_nonblocking(false).unwrap();
    ws
}

/// Calls again and again while the stream is not ready.
pub(crate) fn retry<T, E: NotReady>(mut call: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    loop {
        match call() {
            Err(error) if error.is_not_ready() => std::thread::yield_now(),
            outcome => return outcome,
        }
    }
}

pub(crate) trait NotReady {
    fn is_not_ready(&self) -> bool;
}

impl NotReady for Error {
    fn is_not_ready(&self) -> bool {
        self.would_block().is_some()
    }
}

impl NotReady for OpenError {
    fn is_not_ready(&self) -> bool {
        self.would_block().is_some()
    }
}

/// All events up to the end, however often the stream is not ready, and how it ended.
pub(crate) fn events<S: Stream>(ws: &mut WebSocket<S>) -> (Vec<Event>, Result<(), Error>) {
    let mut events = Vec::new();
    loop {
        match retry(|| ws.recv_event()) {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, Ok(())),
            Err(error) => return (events, Err(error)),
        }
    }
}
