//! Simulated time, scripted IO and generators for tests of WebSocket code.
//!
//! Nothing here opens a socket, sleeps or reads a wall clock twice: a test that uses it does the same on every run.
//!
//! - [`Clock`] moves only when told to; [`entropy`] and [`config`] give masking keys that repeat.
//! - [`Probe`] is one [`Connection`](ws_proto::Connection) fed with raw bytes, and what it wrote, read by a strict reader of its own.
//! - [`SimPair`] is two connections driven against each other: reads and writes of any size, a slow or busy end, half-close, a cut
//!   line, and time that jumps to the next deadline.
//! - [`sim`] is many connections over a bad network: thousands of seeds in seconds, each of which replays.
//! - `cancel` (feature `tokio`) drops futures after every number of polls, over a stream that is interrupted at every byte.
//! - [`raw`] builds frames that may break any rule, and reads what is on a wire without using the parser under test.
//! - [`ScriptedIo`] is a byte stream that is short, slow or broken exactly where a script says so, for `std::io` and (feature
//!   `tokio`) for tokio.
//! - [`vectors`] are the examples of RFC 6455, RFC 7692 and RFC 3629; [`strategies`] generate frames, messages and splits for proptest.
//! - `Told` (feature `tracing`) is what a test's thread tells to `tracing`.
//! - `fuzz` (feature of that name) are the bodies of fuzz targets.
//!
//! What it does not do: it proves nothing by itself, and its masking keys are no secret. Use it in tests only.
//!
//! ```
//! use std::time::Duration;
//! use ws_proto::Role;
//! use ws_testkit::{Observed, SimPair, config};
//!
//! let mut pair = SimPair::new(config().build().unwrap());
//! pair.client.connection.send("hello".into()).unwrap();
//! pair.run_for(Duration::from_secs(60));
//! assert_eq!(pair.server.events[0], Observed::from("hello"));
//! assert!(pair.end(Role::Server).connection.is_open(), "keepalive went on in between");
//! ```

#[cfg(feature = "tokio")]
pub mod cancel;
mod chunks;
mod clock;
mod feed;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod observed;
mod pair;
mod probe;
mod random;
pub mod raw;
mod script;
pub mod sim;
pub mod strategies;
#[cfg(feature = "tracing")]
mod told;
pub mod vectors;

pub use chunks::Chunks;
pub use clock::Clock;
pub use feed::{Feed, feed, wire};
pub use observed::{Observed, ObservedFragment, put_together};
pub use pair::{End, SimPair};
pub use probe::Probe;
pub use random::{Rng, config, entropy};
pub use script::{ScriptedIo, ScriptedPeer};
#[cfg(feature = "tracing")]
pub use told::Told;
