//! What the demos share, and the demos: a module each. The programs in `src/bin` only start them.
//!
//! Each serves its page and the page's WebSocket, at `/ws`, from one port, and needs nothing else: files of the pages are in the program.
#![forbid(unsafe_code)]

pub mod chat;
pub mod cursors;
pub mod serve;
pub mod site;
pub mod world;
