//! The opening handshake over a byte stream ([RFC 6455 §4]), both roles, blocking and non-blocking.
//!
//! [RFC 6455 §4]: https://www.rfc-editor.org/rfc/rfc6455#section-4

mod client;
mod exchange;
mod server;

pub use client::{Connecting, connect};
pub use server::{Accepting, Incoming, Rejecting, accept};
