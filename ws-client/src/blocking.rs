//! A client for programs without a runtime: it blocks its thread, on `std` sockets, and needs no tokio runtime (feature `blocking`).
//!
//! ```no_run
//! use ws_client::CloseCode;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut socket = ws_client::blocking::connect("wss://echo.example.com/")?;
//! socket.send("hello")?;
//! while let Some(message) = socket.recv()? {
//!     println!("{message:?}");
//!     socket.start_closing(CloseCode::NORMAL, "bye")?;
//! }
//! # Ok(()) }
//! ```
//!
//! The [`Client`] here has the settings, the errors, the proxies and the redirects of [the one on tokio](crate::Client), by the same code.
//! What differs:
//!
//! - Addresses of a host are tried one behind the other, the families taking turns; each has an equal share of what is left of
//!   [`connect_timeout`](ClientBuilder::connect_timeout), at most [`tcp_timeout`](ClientBuilder::tcp_timeout). There is no racing (RFC 8305 §5).
//! - A name is resolved in a thread of its own, so that a deadline holds for it too. That thread may outlive the deadline.
//! - There is no `resolver` and no `connector`: over a stream of yours, [`ws_sync::connect`] makes the opening handshake.
//! - Timers such as keepalive run while a call on the socket blocks, and not in between: see [`ws_sync`].
//!
//! A socket is used by one thread at a time. How a program sends from one thread and receives in another, and does without blocking at all,
//! is told in the [guide](crate::guide::blocking).

mod client;
mod dial;
mod park;
mod settings;
mod socket;
mod stream;

pub use client::{Client, WebSocket, connect};
pub use settings::ClientBuilder;
pub use stream::Stream;
pub use ws_sync;
