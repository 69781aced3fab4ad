//! What more than one example uses.
#![forbid(unsafe_code)]

#[cfg(feature = "deflate")]
pub mod check;
pub mod limits;
pub mod pem;
pub mod report;
pub mod signal;
pub mod sync_server;
pub mod way;
pub mod wscat;

/// Compiles the snippets of `docs/SERVER.md`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/SERVER.md")]
#[derive(Debug)]
pub struct ServerPage;

/// Compiles the snippets of `docs/CLIENT.md`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/CLIENT.md")]
#[derive(Debug)]
pub struct ClientPage;

/// Compiles the snippets of `docs/FROM-TOKIO-TUNGSTENITE.md`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/FROM-TOKIO-TUNGSTENITE.md")]
#[derive(Debug)]
pub struct FromTokioTungstenite;

/// Compiles the snippets of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
pub struct Readme;
