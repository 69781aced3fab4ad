//! The WebSocket protocol ([RFC 6455], [RFC 7692]) without IO: bytes in, events out.
//!
//! The crate makes every decision of the protocol, for clients and servers: opening handshake, framing, masking, fragmentation, UTF-8,
//! control frames, closing handshake, permessage-deflate, limits, keepalive and close timers. It has no socket, task, clock, lock or
//! global state: time and randomness are handed in. So it runs under any runtime, in a proxy, in a simulation. If you want a server or a
//! client and not a driver of your own, take `ws-server`, `ws-client`, `ws-tokio` or `ws-sync`, which are thin on top of it.
//!
//! # Driving a connection
//!
//! Five steps, the same for every driver, here over a blocking TCP stream. [`Connection`] tells more about each.
//!
//! ```no_run
//! use std::io::{ErrorKind, Read, Write};
//! use std::net::{Shutdown, TcpStream};
//! use std::time::{Duration, Instant};
//! use ws_proto::{bytes::Buf, Config, Connection, Event, Negotiated, Role, Transport};
//!
//! fn serve(mut stream: TcpStream, negotiated: Negotiated) -> std::io::Result<()> {
//!     let mut connection = Connection::new(negotiated, Config::default(), Instant::now());
//!     let (mut buffer, mut arrived) = ([0; 16 << 10], 0);
//!     loop {
//!         // 1. Bytes arrived. 2. Handle events; send, ping or close in between.
//!         let mut input = &mut buffer[..arrived];
//!         while let Some(event) = connection.poll_event(&mut input, Instant::now()) {
//!             match event {
//!                 Event::Message(message) => {
//!                     // A full queue gives the message back; a slow peer is then to be written to first.
//!                     if let Err(refused) = connection.send(message.into_message()) {
//!                         eprintln!("not sent: {refused}");
//!                     }
//!                 }
//!                 Event::Closed(info) => println!("closed with {}", info.received.code),
//!                 Event::Failed(failure) => println!("failed: {failure}"),
//!                 _ => {}
//!             }
//!         }
//!         // 3. Write what there is to write.
//!         while connection.transmit().has_remaining() {
//!             let written = stream.write(connection.transmit().chunk())?;
//!             connection.transmit().advance(written);
//!         }
//!         // 5. Obey the connection about the transport.
//!         match connection.transport() {
//!             Transport::KeepOpen => {}
//!             Transport::ShutdownWrite => stream.shutdown(Shutdown::Write)?,
//!             Transport::Close => return Ok(()),
//!         }
//!         // 4. Wait for more, until the next deadline at most.
//!         let wait = connection.poll_timeout().map(|at| at.saturating_duration_since(Instant::now()));
//!         stream.set_read_timeout(wait.map(|wait| wait.max(Duration::from_millis(1))))?;
//!         arrived = match stream.read(&mut buffer) {
//!             Ok(0) => {
//!                 connection.handle_eof(Instant::now());
//!                 0
//!             }
//!             Ok(n) => n,
//!             Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
//!                 connection.handle_timeout(Instant::now());
//!                 0
//!             }
//!             Err(error) => return Err(error),
//!         };
//!     }
//! }
//! # let _ = serve;
//! ```
//!
//! [`handshake`] has the opening handshake of both roles, which ends in the [`Negotiated`] that a connection starts from. [`frame`] is the
//! frame layer by itself, [`deflate`] the negotiation and settings of compression.
//!
//! # Buffers
//!
//! An idle connection owns no buffer: a partial header or frame and unsent output are all it keeps. Input is parsed and unmasked where it
//! lies, and a message that arrived whole borrows from it. The rest of a large frame can be read straight to where it ends up
//! ([`Connection::recv_buf`]). Output is copied behind its header where it is small, queued by reference where it is large. A [`Pool`]
//! lets all connections of a thread share what each needs for moments only.
//!
//! # Limits
//!
//! Nothing is allocated by a length that the peer only declared, and every queue has a limit: see [`Config`].
//!
//! # Features
//!
//! All are on by default: `deflate` (permessage-deflate by `flate2` with `zlib-rs`), `simdutf8` (UTF-8 with vector instructions) and
//! `getrandom` (randomness from the operating system; without it, [`ConfigBuilder::new`] takes a source of yours).
//!
//! [RFC 6455]: https://www.rfc-editor.org/rfc/rfc6455
//! [RFC 7692]: https://www.rfc-editor.org/rfc/rfc7692
#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod close_code;
mod config;
mod connection;
#[cfg(feature = "deflate")]
pub mod deflate;
mod entropy;
mod error;
mod extension;
pub mod frame;
pub mod handshake;
mod input;
pub mod message;
mod negotiated;
pub mod owned;
mod pool;
mod role;
mod text;
mod transmit;
mod utf8;

pub use bytes;
pub use http;

pub use close_code::CloseCode;
pub use config::{Config, ConfigBuilder, Delivery};
pub use connection::{
    CloseFrame, CloseInfo, Compressed, Connection, Counts, Direction, Event, Fragment, Initiator, Pong,
};
pub use entropy::Entropy;
pub use error::{ApiMisuse, ConfigError, Failure, LimitError, ProtocolError, SendError, SendRefusal, Timer};
pub use input::{Input, Payload, ReceiveBuffer};
pub use message::{ControlPayload, Message, MessageKind, MessageRef, Prepared};
pub use negotiated::Negotiated;
pub use pool::Pool;
pub use role::Role;
pub use text::{Text, Utf8Bytes};
pub use transmit::{Transmit, Transport};
