//! WebSockets over `std::io::{Read, Write}`, blocking and non-blocking, without a runtime.
//!
//! [`WebSocket`] drives the protocol core [`ws_proto`] over a byte stream that is already there: a `TcpStream`, a `UnixStream`, TLS by
//! rustls, or any type of yours ([`Stream`]). It opens nothing itself; [`connect`] and [`accept`] make the opening handshake over a
//! connected stream.
//!
//! ```
//! use std::net::{TcpListener, TcpStream};
//! use ws_sync::{CloseCode, Message, proto::Config};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let server = std::thread::spawn(move || {
//!     let (stream, _) = listener.accept().expect("a client");
//!     let incoming = ws_sync::accept(stream, Config::default()).expect("a valid request");
//!     let mut ws = incoming.accept(Default::default()).expect("the answer is written");
//!     // The loop that everyone writes.
//!     while let Some(message) = ws.recv()? {
//!         ws.send(message)?;
//!     }
//!     Ok::<_, ws_sync::Error>(())
//! });
//!
//! let request = http::Request::get(format!("ws://{address}/chat")).body(())?;
//! let (mut ws, _response) = ws_sync::connect(TcpStream::connect(address)?, request, Config::default())?;
//! ws.send("Hello")?;
//! assert_eq!(ws.recv()?, Some(Message::from("Hello")));
//! ws.close(CloseCode::NORMAL, "bye")?;
//! server.join().expect("no panic")?;
//! # Ok(()) }
//! ```
//!
//! # Blocking
//!
//! [`connect`] and [`accept`] make blocking sockets. Timers (keepalive, idle, close, handshake) fire during a call on the socket: it
//! sets the timeouts of its stream so that no read or write blocks much longer than until the next timer. While you are busy with
//! something else no timer fires, and the peer is not held responsible for it. A stream that knows no timeouts ([`Plain`]) can only be
//! looked at when it returns. [`WebSocket::set_recv_timeout`] bounds how long `recv` waits, for who wants to look in between.
//!
//! # Non-blocking
//!
//! With [`Accepting`], [`Connecting`] and [`WebSocket::set_nonblocking`], calls that would have to wait return an error that is none:
//! [`Error::WouldBlock`] says in a [`Wait`] what for. Nothing is lost and nothing is left half done; the same call, made again when the
//! stream is ready or the deadline has come, goes on where it was. Whichever of the three it was, `recv` is the call to make: it reads,
//! writes what is queued, answers pings and sees to the timers. Only messages are ever given back: `send` returns `Ok` when the message
//! is queued, wholly or partly written or not, and [`SendError::Refused`] with the message in it when it is not, because
//! `max_send_queue_bytes` wait already. So nothing is cloned for a second try, and nothing is sent twice.
//!
//! ```
//! # use std::net::{TcpListener, TcpStream};
//! # use ws_sync::{Accepting, proto::Config};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let listener = TcpListener::bind("127.0.0.1:0")?;
//! # let address = listener.local_addr()?;
//! # let client = std::thread::spawn(move || {
//! #     let request = http::Request::get(format!("ws://{address}/")).body(()).unwrap();
//! #     let (mut ws, _) = ws_sync::connect(TcpStream::connect(address).unwrap(), request, Config::default()).unwrap();
//! #     ws.send("Hello").unwrap();
//! #     assert_eq!(ws.recv().unwrap(), Some("Hello".into()));
//! #     ws.close(ws_sync::CloseCode::NORMAL, "").unwrap();
//! # });
//! # fn wait(_: ws_sync::Wait) { std::thread::yield_now() }
//! let (stream, _) = listener.accept()?;
//! let mut accepting = Accepting::new(stream, Config::default());
//! accepting.set_nonblocking(true)?;
//! let mut ws = loop {
//!     match accepting.advance() {
//!         Ok(incoming) => break incoming.accept(Default::default())?,
//!         // Here an event loop would turn to its other connections.
//!         Err(error) => wait(error.would_block().ok_or(error)?),
//!     }
//! };
//! loop {
//!     match ws.recv() {
//!         // What `feed` queues is written when nothing is left to be received. (Where that is more than the peer takes, the error has
//!         // the message in it: a server keeps it until `progress` says writable, and receives nothing more meanwhile.)
//!         Ok(Some(message)) => ws.feed(message)?,
//!         Ok(None) => break,
//!         Err(error) => wait(error.would_block().ok_or(error)?),
//!     }
//! }
//! # client.join().unwrap();
//! # Ok(()) }
//! ```
//!
//! # Peers that stall
//!
//! A peer that sends nothing is found by keepalive: `recv` fails. One that takes nothing of what is queued for `pong_timeout`, while
//! nothing is received from it either, is given up as well: the call that wanted to write fails with `TimedOut`. Both are off when
//! `ping_interval` is `None`.
//!
//! # When bytes leave
//!
//! `send` writes before it returns. `feed` waits for company: the next `flush` or `send`, 64 KiB, or a `recv` that has handed out all
//! that was read. `recv` never waits with something unwritten. Many small messages leave in one write, large ones by reference in the
//! same vectored write.
//!
//! # Memory
//!
//! Buffers belong to the thread: one of 64 KiB to read into, a few to write from, and the contexts of permessage-deflate. A socket
//! owns memory only for a message or frame that has come in part, for what was read and not received yet, and for what could not be
//! written. A thread that blocks in `recv` keeps its read buffer meanwhile.
//!
//! # The end
//!
//! `recv` returns `None` after a clean close, and its error after a failure, when the Close frame was written and the stream ended as
//! RFC 6455 §7.1.1 wants it: the server ends it first, and behind a failure what still comes is read away, so that no reset overtakes
//! the Close frame. That takes at most `close_timeout`. Nothing is left to do then but to drop the socket.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `deflate` | on | permessage-deflate (RFC 7692) |
//! | `simdutf8` | on | UTF-8 validation with vector instructions |
//! | `rustls` | | [`Stream`] for `rustls::StreamOwned` |
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod drive;
mod error;
mod handshake;
mod input;
mod pool;
mod progress;
mod socket;
mod stream;
mod wire;

pub use ws_proto as proto;
pub use ws_proto::owned::{Event, Fragment};

pub use error::{Error, OpenError, SendError};
pub use handshake::{Accepting, Connecting, Incoming, Rejecting, accept, connect};
pub use progress::Wait;
pub use socket::{Parts, WebSocket};
pub use stream::{Plain, Stream};
pub use ws_proto::{CloseCode, CloseInfo, ControlPayload, Message, MessageKind, Prepared};
