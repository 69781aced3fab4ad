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
//! The [`guide`] has a page for each of TLS, proxies, reconnecting, streaming, and use without a runtime.
//!
//! # What a URL may be
//!
//! RFC 6455 §3: `ws://` (port 80) or `wss://` (port 443), a name, an IPv4 address or an IPv6 address in brackets, path and query. A
//! fragment is an error, as are a user and password before the host: [`basic_auth`](ClientBuilder::basic_auth) takes them. Names are resolved
//! by the operating system or a [`Resolve`] of yours, and IPv6 and IPv4 race (RFC 8305).
//!
//! # Deadlines
//!
//! [`connect_timeout`](ClientBuilder::connect_timeout), 30 s by default, holds for everything together; within it each stage has 10 s: name,
//! TCP, proxy, TLS, and, by `handshake_timeout` of [`Config`], the opening handshake. Which one it was says [`Error::Timeout`].
//!
//! # What this crate does not do
//!
//! It keeps no cookies itself ([`Cookies`] is for who does), reads no PAC files, and does not speak HTTP/2.
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
//! | `blocking` | | the module `blocking`: a client for programs without a runtime |
//! | `tracing` | | a span for connecting, with events for its stages |
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
