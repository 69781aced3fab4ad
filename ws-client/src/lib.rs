//! A WebSocket client on tokio: it takes a URL, finds its way there, speaks TLS, and makes the opening handshake.
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
//! [`Client`] is for everything beyond that; all its settings are methods of [`ClientBuilder`].
//!
//! ```no_run
//! use std::time::Duration;
//! use ws_client::proto::http::Request;
//! use ws_client::{Client, Config, Error, Redirects, Subprotocol};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder()
//!     .bearer_auth("7f3a")
//!     .subprotocol(Subprotocol::new("chat.v1")?)
//!     .config(Config::builder().max_message_bytes(64 << 10).build()?)
//!     .proxy_from_env()
//!     .redirects(Redirects::limit(3))
//!     .connect_timeout(Duration::from_secs(5))
//!     .build();
//! let request = Request::get("wss://chat.example.com/?room=7").header("x-request-id", "17").body(())?;
//! match client.connect(request).await {
//!     Ok(socket) => println!("{:?}", socket.negotiated().subprotocol()),
//!     Err(Error::Refused(refusal)) => println!("{}: {:?}", refusal.status, refusal.body),
//!     Err(error) => println!("at the stage {:?}: {error}", error.stage()),
//! }
//! # Ok(()) }
//! ```
//!
//! The [`guide`] has a page for each of TLS, proxies, reconnecting, streaming, and use without a runtime.
//!
//! # What a URL may be
//!
//! RFC 6455 §3: `ws://` (port 80) or `wss://` (port 443), a name, an IPv4 address or an IPv6 address in brackets, path and query. A
//! fragment is an error, as are a user and password before the host: credentials have settings of their own
//! ([`basic_auth`](ClientBuilder::basic_auth), [`bearer_auth`](ClientBuilder::bearer_auth)). What is beyond ASCII is an error too: write a
//! host as IDNA has it (`xn--bcher-kva.example`), and the rest with percent signs.
//!
//! # The way to the host
//!
//! Names are resolved by the operating system or a [`Resolve`] of yours. The addresses are tried with IPv6 and IPv4 in turn, the next as
//! soon as one fails or 250 ms have passed, and the first that answers wins (RFC 8305). A client has one attempt to an address at a time, as
//! RFC 6455 §4.1 wants it ([`one_attempt_at_a_time`](ClientBuilder::one_attempt_at_a_time)). A [`Proxy`] may lead there, from code or from
//! the environment; or a [Unix socket](ClientBuilder::unix_socket); or whatever a [`Connect`] of yours opens. [`Redirects`] are followed on
//! demand only.
//!
//! # TLS
//!
//! `wss://` needs the feature `tls`. Which certificates are good is decided, by default, as the operating system decides it (feature
//! `platform-roots`, on by default); see [`Roots`] for the alternatives, [`add_roots`](ClientBuilder::add_roots) for an authority of
//! your own, [`client_certificate`](ClientBuilder::client_certificate) for one that says who you are, and [`tls`](ClientBuilder::tls) for a
//! `rustls::ClientConfig` of your own. The cryptography is that of `ring`, whatever the process has set as its default.
//!
//! # Deadlines
//!
//! [`connect_timeout`](ClientBuilder::connect_timeout), 30 s by default, holds for everything together. Within it each stage has its own, 10 s
//! by default: [`dns_timeout`](ClientBuilder::dns_timeout), [`tcp_timeout`](ClientBuilder::tcp_timeout) for each address,
//! [`proxy_timeout`](ClientBuilder::proxy_timeout), [`tls_timeout`](ClientBuilder::tls_timeout), and `handshake_timeout` of [`Config`].
//!
//! # Errors and credentials
//!
//! An [`Error`] knows its [`Stage`] and says what to do about it. It never shows a credential, and neither does `Debug` of anything here, nor
//! an event of the feature `tracing`: no header, no query, no user or password, and of a response that refuses no more than its status and
//! the names of its headers.
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
//! | `tracing` | | a span for connecting with events for its stages, events for the life of a socket, and `trace_frames` |
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
/// What an open socket gives: its halves, its errors, its events.
pub use ws_tokio;

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
