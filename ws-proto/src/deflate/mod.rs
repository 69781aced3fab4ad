//! permessage-deflate ([RFC 7692]): negotiation as pure functions, and the contexts that compress and inflate.
//!
//! Deviations and choices:
//! - We never compress with a window of 8 bits, because zlib has no raw deflate of that size. A server declines an offer that demands
//!   it; a client that is asked for it sends its messages uncompressed, which RFC 7692 §6 always allows. Receiving takes 8 to 15, always
//!   with 32 KiB of history, or after an idle time what was agreed on: a peer that refers further back is not always caught.
//! - A DEFLATE block with BFINAL set ends the sender's stream (§7.2.3.4); what follows is read as a new stream with an empty window.
//!
//! [RFC 7692]: https://www.rfc-editor.org/rfc/rfc7692

mod compressor;
mod config;
mod decompressor;
mod negotiate;
mod params;
mod window;

pub(crate) use compressor::Compressor;
pub use config::DeflateConfig;
pub(crate) use decompressor::{Decompressor, TAIL};
pub use params::{DeflateParams, WindowBits};
