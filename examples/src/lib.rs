//! What more than one example uses.
#![forbid(unsafe_code)]

pub mod report;
pub mod sync_client;
pub mod sync_server;
