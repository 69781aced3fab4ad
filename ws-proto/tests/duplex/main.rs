//! Two connections driven against each other, and timers, under a simulated clock.

#[path = "../support/mod.rs"]
mod support;

mod closing;
mod half_close;
mod idle;
mod keepalive;
mod messages;
mod timers;

use std::sync::Arc;
use std::time::Duration;
use support::{ROLES, bytes_for, close_frame_of};
use ws_proto::{
    CloseCode, ConfigBuilder, Failure, Initiator, Message, Negotiated, ProtocolError, Role, SendRefusal,
    Timer, Transport,
};
use ws_testkit::raw::{self, RawFrame};
use ws_testkit::{Chunks, Observed, Probe, SimPair, config};

const SECOND: Duration = Duration::from_secs(1);
const KEEPALIVE_FAILED: Observed = Observed::Failed(Failure::Timeout(Timer::Pong));

fn pair_of(client: ConfigBuilder, server: ConfigBuilder) -> SimPair {
    let configs = [client, server].map(|config| Arc::new(config.build().unwrap()));
    SimPair::with([Negotiated::new(Role::Client), Negotiated::new(Role::Server)], configs)
}

/// Only the end of `role` sends keepalive pings.
fn pair_where_one_pings(role: Role) -> SimPair {
    let quiet = || config().ping_interval(None);
    match role {
        Role::Client => pair_of(config(), quiet()),
        Role::Server => pair_of(quiet(), config()),
    }
}

fn opcodes(wire: &[u8]) -> Vec<u8> {
    raw::read_all(wire).unwrap().iter().map(|frame| frame.opcode).collect()
}
