//! The subcommands.

pub(crate) mod client;
pub(crate) mod compare;
pub(crate) mod list;
mod plan;
mod progress;
mod selecting;
pub(crate) mod server;
mod signals;
pub(crate) mod testee;

/// Says what went wrong.
pub(crate) fn tell(error: &anyhow::Error) {
    eprintln!("ws-autobahn: {error:#}");
}
