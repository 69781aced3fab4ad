//! How much memory a hostile peer can make us hold, measured by an allocator that counts for each thread. It counts old and new memory
//! together while a buffer grows, so a buffer that doubles reads as up to three times what is in it.

mod core;
mod held;
mod idle;
mod queues;

use allocation_counter::measure;
use std::time::Instant;
use ws_proto::{Connection, Negotiated, Role};
use ws_testkit::raw::RawFrame;
use ws_testkit::{config, entropy};

const KIB: u64 = 1024;
const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// The most bytes that were held at once while `work` ran, of those that it allocated.
fn peak(work: impl FnOnce()) -> u64 {
    measure(work).bytes_max
}

/// What was held behind `work`, of what it allocated.
fn kept(work: impl FnOnce()) -> i64 {
    measure(work).bytes_current
}

/// A connection of this role, made outside of what is measured.
fn connection(role: Role, config: ws_proto::ConfigBuilder) -> Connection {
    Connection::new(Negotiated::new(role), config.build().unwrap(), Instant::now())
}

/// The bytes of frames as the peer of `receiver` writes them.
fn bytes_for(receiver: Role, frames: impl IntoIterator<Item = RawFrame>) -> Vec<u8> {
    frames.into_iter().flat_map(|frame| frame.sent_by(receiver.peer()).to_bytes()).collect()
}

/// Hands `input` over in reads of `size`; true when the connection has failed.
fn feed(connection: &mut Connection, input: &mut [u8], size: usize) -> bool {
    let now = Instant::now();
    for mut piece in input.chunks_mut(size) {
        while connection.poll_event(&mut piece, now).is_some() {}
    }
    connection.failure().is_some()
}
