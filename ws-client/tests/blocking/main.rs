//! The client that blocks, on real sockets.
#![cfg(feature = "blocking")]

mod connecting;
#[path = "../echo/mod.rs"]
mod echo;
mod proxies;
mod stages;
mod support;
#[cfg(feature = "tls")]
mod tls;
