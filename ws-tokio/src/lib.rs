//! WebSockets over any `AsyncRead + AsyncWrite` of tokio.
//!
//! [`WebSocket`] drives the protocol core [`ws_proto`] over a byte stream that is already there: a TCP or TLS stream, a Unix socket, an
//! in-memory pipe, an upgraded HTTP connection. It opens nothing itself: `ws-client` dials, `ws-server` listens, and [`connect`] and
//! [`accept`] make the opening handshake over a stream of yours.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use ws_tokio::{Message, proto::Config};
//!
//! let (near, far) = tokio::io::duplex(4096);
//! let server = tokio::spawn(async move {
//!     let incoming = ws_tokio::accept(far, Config::default()).await.expect("a valid request");
//!     let mut ws = incoming.accept(Default::default()).await.expect("the answer is written");
//!     // The loop that everyone writes.
//!     while let Some(message) = ws.recv().await? {
//!         ws.send(message).await?;
//!     }
//!     Ok::<_, ws_tokio::Error>(())
//! });
//!
//! let request = ws_proto::http::Request::get("ws://localhost/chat").body(())?;
//! let (mut ws, _response) = ws_tokio::connect(near, request, Config::default()).await?;
//! ws.send("Hello").await?;
//! assert_eq!(ws.recv().await?, Some(Message::from("Hello")));
//! ws.close(ws_proto::CloseCode::NORMAL, "bye").await?;
//! server.await??;
//! # Ok(()) }
//! ```
//!
//! # When bytes leave
//!
//! `send` encodes; the bytes leave in one gathered write
//! - at once, when no complete frame is left to read (a task that only sends is flushed by each `send`);
//! - else when [`recv`](WebSocket::recv) has handed out the last complete frame and would wait, when 256 KiB are queued, or on `flush` or `close`;
//! - and at the latest when the task that sent returns to the runtime, whatever it awaits: a small task writes what is queued.
//!
//! So the plain loop above writes once for a burst of messages, and no reply waits for user code. Where no task can be spawned (no
//! runtime, or a stream that is not `Send`, see [`WebSocket::from_local_parts`]) every `send` writes through.
//!
//! # Many tasks, large messages
//!
//! [`split`](WebSocket::split) makes two halves for two tasks, and [`into_sender`](SendHalf::into_sender) a [`Sender`] that many tasks
//! clone. Messages that do not fit in memory are read and written as byte streams, by [`recv_reader`](WebSocket::recv_reader) and
//! [`send_writer`](WebSocket::send_writer).
//!
//! # Timers and cancellation
//!
//! Keepalive, idle and close timers run while anything on the socket is awaited; they need a tokio runtime with time enabled, and are off
//! outside of a runtime. Every async function says whether it is cancel safe; all are, none loses, doubles or reorders a byte.
//!
//! # What a socket tells
//!
//! [`WebSocket::counts`] has its messages, bytes and round trips. With the feature `tracing` (off by default) its opening, its closing
//! handshake, failures with the rule that was broken, timeouts and errors of the stream are events with the target `ws_tokio` at DEBUG, in the span
//! of the task that uses the socket, and `WebSocket::trace_frames` shows each frame of one connection.
//!
//! # Dropping
//!
//! A socket dropped while it is open sends what is queued and a Close frame with 1001 (1011 while its task panics), and finishes the
//! closing handshake in a task of its own, bounded by `close_timeout`. Outside of a runtime it makes one write and is gone.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod background;
mod borrowed;
mod budget;
mod closer;
mod core;
mod deadline;
mod driver;
mod error;
mod handshake;
mod input;
mod locked;
mod message_reader;
mod message_writer;
mod outgoing;
mod pool;
mod sender;
mod sink_stream;
mod socket;
mod split;
mod sync;
mod trace;
mod wakers;
mod wire;

pub use ws_proto as proto;

pub use borrowed::Replies;
pub use budget::{MemoryBudget, Pressure};
pub use closer::{Closer, SocketStatus};
pub use error::Error;
pub use handshake::{Incoming, OpenError, accept, accept_or_answer, accept_since, connect};
pub use message_reader::MessageReader;
pub use message_writer::MessageWriter;
pub use sender::Sender;
pub use socket::{Parts, StreamRef, WebSocket};
pub use split::{RecvHalf, SendHalf};
pub use ws_proto::owned::{Event, Fragment};
pub use ws_proto::{
    CloseCode, CloseInfo, ControlPayload, Counts, Message, MessageKind, MessageRef, Prepared,
};
