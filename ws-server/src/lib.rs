//! A WebSocket server on tokio: it binds, accepts, speaks TLS, makes the opening handshake, runs your handler for each connection, and
//! stops gracefully.
//!
//! ```no_run
//! use ws_server::{Acceptance, Server};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let server = Server::builder().bind("127.0.0.1:9001").await?;
//!     println!("listening on ws://{}/", server.local_addr()?);
//!     let running = server.serve(async |incoming| {
//!         let mut socket = incoming.accept(Acceptance::default()).await?;
//!         while let Some(message) = socket.recv().await? {
//!             socket.send(message).await?;
//!         }
//!         Ok(())
//!     });
//!     running.stopped().await;
//!     Ok(())
//! }
//! ```
//!
//! # The handler
//!
//! It is called for each client that has sent a valid opening request, in a task of its own, and gets an [`Incoming`]: the request
//! before it is accepted. Look at the path, the headers, the peer's address and the subprotocols that are offered, take as long as it
//! takes to check a token, and then [`accept`](Incoming::accept) or [`reject`](Incoming::reject):
//!
//! ```
//! use ws_server::proto::http::{HeaderValue, Response, StatusCode, header};
//! use ws_server::{Acceptance, BoxError, Incoming, Subprotocol};
//!
//! async fn handle(incoming: Incoming) -> Result<(), BoxError> {
//!     if incoming.request().uri().path() != "/chat" {
//!         let mut response = Response::new("no such place\n".into());
//!         *response.status_mut() = StatusCode::NOT_FOUND;
//!         return Ok(incoming.reject(response).await?);
//!     }
//!     let mut acceptance = Acceptance::default()
//!         .header(header::SET_COOKIE, HeaderValue::from_static("seen=1"));
//!     let chat = Subprotocol::new("chat.v1")?;
//!     if incoming.subprotocols().contains(&chat) {
//!         acceptance = acceptance.subprotocol(chat);
//!     }
//!     let mut socket = incoming.accept(acceptance).await?;
//!     socket.send("welcome").await?;
//!     Ok(())
//! }
//! # let _ = |server: ws_server::Server| server.serve(handle);
//! ```
//!
//! A handler may end with an error, or panic: that ends its own connection (with the code 1001, or 1011 behind a panic; the answer is 500
//! where it had not answered yet), is told to [`on_error`](ServerBuilder::on_error), and nobody else notices. The socket may outlive the
//! handler, in tasks that it started; it is closed like the others when the server stops.
//!
//! Whoever wants to run the connections in another way calls [`Server::accept`] in a loop; [`Server::serve`] is no more than that.
//!
//! For more than one path there is a [`Router`].
//!
//! # Telling many at once
//!
//! A [`Group`] sends a message to all of its members, framed once and compressed once; [`SlowConsumer`] says what becomes of those that do not
//! read.
//!
//! # Limits and timers
//!
//! Pages of another origin are refused ([`Origins`]), and connections, those of one address and handshakes are capped: [`ServerBuilder`] lists
//! all of it with its defaults. A [`MemoryBudget`] is one bound on what all connections hold.
//!
//! Those of one connection are in [`Config`]. Its `handshake_timeout` (10 s) is for TLS and the opening request together. Malformed requests are
//! answered with the right status; sockets that fail are closed with the right code. When the process runs out of file descriptors, the
//! server waits and tries again.
//!
//! # TLS
//!
//! With the feature `tls` (on by default) [`ServerBuilder::tls`] takes certificates in PEM files or a `rustls::ServerConfig` of your own;
//! see [`Tls`]. The cryptography is that of `ring`, whatever the process has set as its default.
//!
//! # The runtime
//!
//! Any runtime of tokio will do. [`Runner`] sets one up so that nobody waits for long when hundreds of connections are ready at once, or one
//! for each core.
//!
//! # Stopping
//!
//! ```
//! # use std::time::Duration;
//! # async fn example(running: ws_server::ServerHandle) {
//! let report = running.stop(Duration::from_secs(10)).await;
//! println!("{} connections ended, {} were aborted", report.ended, report.aborted);
//! # }
//! ```
//!
//! [`ServerHandle::stop`] stops listening, sends 1001 to every open socket without help from its handler, waits until all handlers and
//! sockets have ended, and aborts those that did not in time.
//!
//! # What this crate does not do
//!
//! It is no HTTP server: [`plain`](ServerBuilder::plain) answers a health check or a page, and everything bigger belongs to an HTTP library.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `deflate` | on | permessage-deflate (RFC 7692) |
//! | `simdutf8` | on | UTF-8 validation with vector instructions |
//! | `tls` | on | `wss://` by rustls |
//! | `hyper` | | sockets of the requests that hyper has read, or a server that is built on it: `Upgrades` |
//! | `axum` | | `UpgradeRequest` is an extractor of axum; implies `hyper` |
//! | `metrics` | | counts by the facade `metrics`; the names are those of `describe_metrics` |
//! | `serde` | | `Settings` from TOML or the environment |
//! | `tracing` | | a span for each connection, with events for its life |
//! | `listenfd` | | `Listener::inherited`: sockets of a supervisor such as systemd |
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod accept;
mod authority;
mod builder;
mod drain;
mod error;
mod forwarded;
mod group;
mod limits;
mod listener;
mod observe;
mod origin;
mod patience;
mod proxy_header;
mod registry;
mod router;
mod runner;
mod serve;
mod server;
#[cfg(feature = "serde")]
mod settings;
mod stream;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod tls_error;
#[cfg(feature = "hyper")]
mod upgrade;

#[cfg(feature = "tls")]
pub use rustls;
pub use ws_proto as proto;
/// What an open socket gives: its halves, its errors, its events.
pub use ws_tokio;

pub use accept::{Connecting, Incoming, WebSocket};
pub use builder::ServerBuilder;
pub use drain::Drain;
pub use error::{BoxError, Error, StartError};
pub use group::{
    Gone, Group, GroupMessage, GroupStats, Member, MemberId, MemberStats, Membership, QueueLimits,
    SlowConsumer,
};
pub use ipnet::IpNet;
pub use listener::Listener;
#[cfg(feature = "metrics")]
pub use observe::describe_metrics;
pub use origin::{OriginError, Origins};
pub use router::{RouteError, Router};
pub use runner::{Listening, Runner};
pub use serve::{ServerHandle, StopReport};
pub use server::Server;
#[cfg(feature = "serde")]
pub use settings::{Listeners, Settings, SettingsError};
pub use stream::Stream;
#[cfg(feature = "tls")]
pub use tls::{Tls, TlsBuilder};
#[cfg(feature = "tls")]
pub use tls_error::TlsError;
#[cfg(feature = "hyper")]
pub use upgrade::{Refusal, UpgradeRequest, Upgrades};
pub use ws_proto::handshake::{Acceptance, Subprotocol};
pub use ws_proto::{CloseCode, Config, Message, Prepared};
pub use ws_tokio::MemoryBudget;
