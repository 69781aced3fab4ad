//! The parts of `compare`: a load generator that is much cheaper than any server, servers to run it against, and what they cost. Beside
//! that those of `instructions`: counts that repeat.
//!
//! The unit of `compare` is the server's CPU time for a message, as the kernel accounts it to the server's threads; rates by the wall clock
//! are noise on a machine with neighbours. Server and generator have a core each. Everything here needs Linux; elsewhere the crate is empty.
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod affinity;
mod burst;
mod callgrind;
mod certificate;
mod chart;
mod drive;
mod echo;
mod exchange;
mod fleet;
mod frame;
mod generator;
mod idle;
mod inflate;
mod measure;
mod opening;
mod payload;
mod program;
mod report;
mod roster;
mod server;
mod silence;
mod usage;
mod workload;

pub use affinity::pin;
pub use burst::Burst;
pub use callgrind::Callgrind;
pub use certificate::Certificate;
pub use chart::chart;
pub use drive::Drive;
pub use echo::{echo_server, echo_server_giving_back};
pub use exchange::Exchange;
pub use fleet::Fleet;
pub use frame::{Parsed, parse};
pub use generator::{Bound, Generator};
pub use idle::{Idle, raise_descriptors};
pub use measure::{Measure, Sample, account, idle, memory, peak_memory, until_asleep};
pub use opening::Opening;
pub use payload::Payload;
pub use program::{GIVES_BACK, Program, Running};
pub use report::{Report, Row};
pub use roster::{Roster, root};
pub use server::{Mode, Protocol, Server};
pub use usage::Usage;
pub use workload::{Kind, Unit, Workload};
