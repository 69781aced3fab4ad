//! The parts of `compare`: a load generator that is much cheaper than any server, servers to run it against, and what they cost. Beside
//! that those of `instructions`: counts that repeat.
//!
//! The unit of `compare` is the server's CPU time for a message, as the kernel accounts it to the server's threads; rates by the wall clock
//! are noise on a machine with neighbours. Server and generator have a core each. Everything here needs Linux; elsewhere the crate is empty.
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod affinity;
mod callgrind;
mod drive;
mod exchange;
mod fleet;
mod frame;
mod generator;
mod inflate;
mod measure;
mod opening;
mod payload;
mod report;
mod server;
mod usage;
mod workload;

pub use affinity::pin;
pub use callgrind::Callgrind;
pub use drive::Drive;
pub use exchange::Exchange;
pub use fleet::Fleet;
pub use generator::{Bound, Generator};
pub use measure::{Measure, Sample};
pub use opening::Opening;
pub use payload::Payload;
pub use report::Report;
pub use server::{Protocol, Running, Server};
pub use usage::Usage;
pub use workload::{Kind, Unit, Workload};
