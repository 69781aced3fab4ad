//! A WebSocket client on tokio: it takes a URL, resolves, connects, speaks TLS, and makes the opening handshake.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut socket = ws_client::connect("wss://echo.example.com/").await?;
//! socket.send("hello").await?;
//! while let Some(message) = socket.recv().await? {
//!     println!("{message:?}");
//! }
//! # Ok(()) }
//! ```
//!
//! [`Client`] is for everything beyond that: headers, subprotocols, limits, certificates, and connecting more than once.
//!
//! ```no_run
//! use std::time::Duration;
//! use ws_client::proto::http::{HeaderValue, header};
//! use ws_client::{Client, Config, Subprotocol};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder()
//!     .header(header::AUTHORIZATION, HeaderValue::from_static("Bearer 7f3a"))
//!     .subprotocol(Subprotocol::new("chat.v1")?)
//!     .config(Config::builder().max_message_bytes(64 << 10).build()?)
//!     .connect_timeout(Duration::from_secs(5))
//!     .build();
//! let socket = client.connect("ws://[::1]:9001/chat?room=7").await?;
//! println!("{:?}", socket.negotiated().subprotocol());
//! # Ok(()) }
//! ```
//!
//! # What a URL may be
//!
//! RFC 6455 §3: `ws://` (port 80) or `wss://` (port 443), a name, an IPv4 address or an IPv6 address in brackets, path and query. A
//! fragment is an error, as are a user and password before the host: credentials belong into a header. Names are resolved by the operating
//! system, and the addresses are tried in the order in which it gives them.
//!
//! # TLS
//!
//! `wss://` needs the feature `tls`. Which certificates are good is decided, by default, as the operating system decides it (feature
//! `platform-roots`, on by default); see [`Roots`] for the alternatives, [`add_roots`](ClientBuilder::add_roots) for an authority of
//! your own, and [`tls`](ClientBuilder::tls) for a `rustls::ClientConfig` of your own. The cryptography is that of `ring`, whatever the
//! process has set as its default.
//!
//! # Deadlines
//!
//! [`connect_timeout`](ClientBuilder::connect_timeout), 30 s by default, holds for name, TCP, TLS and opening handshake together; within
//! it `handshake_timeout` of [`Config`] (10 s) holds for the last.
//!
//! # What this crate does not do
//!
//! It goes through no proxy, follows no redirect, and does not connect again.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `deflate` | on | permessage-deflate (RFC 7692) |
//! | `simdutf8` | on | UTF-8 validation with vector instructions |
//! | `tls` | on | `wss://` by rustls |
//! | `platform-roots` | on | certificates are checked as the operating system does; implies `tls` |
//! | `bundled-roots` | | certificates are checked against Mozilla's roots, compiled in; implies `tls` |
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod auth;
#[cfg(feature = "blocking")]
pub mod blocking;
mod builder;
mod connect;
mod connector;
mod cookies;
mod deadline;
mod dial;
mod error;
pub mod guide;
mod happy_eyeballs;
mod journey;
mod observe;
mod proxy;
mod redirect;
mod request;
mod resolve;
mod session;
mod stream;
mod target;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
mod turns;

#[cfg(feature = "tls")]
pub use rustls;
pub use ws_proto as proto;

pub use builder::ClientBuilder;
pub use connect::{Client, WebSocket, connect};
pub use connector::{Connect, Destination};
pub use cookies::Cookies;
pub use error::{Error, Refusal, Stage, UrlError};
pub use proxy::{Proxy, ProxyError, SocksReply};
pub use redirect::{Hop, RedirectError, Redirects};
pub use request::IntoRequest;
pub use resolve::Resolve;
pub use session::{
    Backoff, BoxError, NotQueued, Resend, Session, SessionBuilder, SessionEvent, SessionSendError,
    SessionSender, Verdict, Why,
};
pub use stream::Stream;
#[cfg(feature = "tls")]
pub use tls::Roots;
pub use ws_proto::handshake::Subprotocol;
pub use ws_proto::{CloseCode, Config, Message};
