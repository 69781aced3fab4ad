//! The opening handshake ([RFC 6455 §1.3, §4]) in both roles on the types of [`http`], without IO.
//!
//! [`ClientHandshake`] and [`ServerHandshake`] are driven like the connection that follows them: hand bytes to
//! `poll_event`, write what `transmit` holds, arm one timer for `poll_timeout`, report the end of the stream, and
//! obey `transport`. Each ends in a [`Negotiated`](crate::Negotiated), from which a [`Connection`](crate::Connection)
//! is made; bytes that came behind the head stay in the input and are the connection's first.
//!
//! Where an HTTP library has read the request already, [`Upgrade::from_request`] is the whole of the server's side: a
//! pure function, and [`Upgrade::accept`] another.
//!
//! ```
//! use ws_proto::bytes::Buf;
//! use ws_proto::handshake::{Acceptance, ClientHandshake, ClientHandshakeEvent, Subprotocol};
//! use ws_proto::handshake::{ServerHandshake, ServerHandshakeEvent};
//! use ws_proto::{Config, Role, http};
//! # #[cfg(not(feature = "getrandom"))]
//! # fn main() {}
//! # #[cfg(feature = "getrandom")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[expect(clippy::disallowed_methods, reason = "this is the driver")]
//! let now = std::time::Instant::now();
//! let request = http::Request::get("ws://example.com/chat").header("sec-websocket-protocol", "chat, superchat").body(())?;
//! let mut client = ClientHandshake::new(request, Config::default(), now)?;
//! let mut server = ServerHandshake::new(Config::default(), now);
//!
//! let transmit = client.transmit();
//! let wire = transmit.copy_to_bytes(transmit.remaining());
//! let Some(ServerHandshakeEvent::Request(upgrade)) = server.poll_event(&mut &wire[..], now) else { panic!("refused") };
//! assert_eq!(upgrade.request().uri().path(), "/chat");
//! server.accept(Acceptance::default().subprotocol(Subprotocol::new("superchat")?))?;
//!
//! let transmit = server.transmit();
//! let wire = transmit.copy_to_bytes(transmit.remaining());
//! let Some(ClientHandshakeEvent::Response(_)) = client.poll_event(&mut &wire[..], now) else { panic!("failed") };
//!
//! let (server, client) = (server.finish().unwrap(), client.finish().unwrap());
//! assert_eq!((server.role(), client.role()), (Role::Server, Role::Client));
//! assert_eq!(client.subprotocol().unwrap(), "superchat");
//! # Ok(())
//! # }
//! ```
//!
//! [RFC 6455 §1.3, §4]: https://www.rfc-editor.org/rfc/rfc6455#section-4

mod acceptance;
mod body;
mod client;
mod error;
mod head;
mod key;
mod list;
mod offer;
mod reserved;
mod server;
mod subprotocol;
mod upgrade;

pub use acceptance::Acceptance;
pub use client::{ClientHandshake, ClientHandshakeEvent};
pub use error::HandshakeError;
pub use server::{ServerHandshake, ServerHandshakeEvent};
pub use subprotocol::{InvalidSubprotocol, Subprotocol};
pub use upgrade::Upgrade;
