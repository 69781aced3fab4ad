//! The client that blocks, on real sockets.
#![cfg(feature = "blocking")]

mod connecting;
mod proxies;
mod stages;
mod support;
#[cfg(feature = "tls")]
mod tls;
