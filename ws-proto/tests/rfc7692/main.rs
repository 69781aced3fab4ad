//! permessage-deflate on a connection: RFC 7692 §6, §7.2, §8. Its negotiation is tested beside the opening handshake.
#![cfg(feature = "deflate")]

#[path = "../support/mod.rs"]
mod support;

mod idle;
mod limits;
mod prepared;
mod receiving;
mod sending;

use flate2::{Compress, Compression, FlushCompress};
use ws_proto::deflate::{DeflateConfig, DeflateParams, WindowBits};
use ws_proto::{ConfigBuilder, Connection, Negotiated, Role};
use ws_testkit::{Chunks, Feed, Observed, Probe, config, feed, wire};

/// Both directions alike.
fn params(takeover: bool, window_bits: u8) -> DeflateParams {
    let window_bits = WindowBits::new(window_bits).unwrap();
    DeflateParams {
        server_no_context_takeover: !takeover,
        client_no_context_takeover: !takeover,
        server_max_window_bits: window_bits,
        client_max_window_bits: window_bits,
    }
}

/// Compresses every message, however short.
fn eager() -> DeflateConfig {
    DeflateConfig { threshold_bytes: 0, ..DeflateConfig::default() }
}

fn probe_with(role: Role, params: DeflateParams, config: ConfigBuilder) -> Probe {
    Probe::with(Negotiated::new(role).with_deflate(params), config.build().unwrap())
}

/// A connection that compresses every message.
fn probe(role: Role, params: DeflateParams) -> Probe {
    probe_with(role, params, config().deflate(eager()))
}

/// What a peer receives of all that `from` wrote.
fn deliver(from: &mut Connection, to: &mut Probe) -> Vec<Observed> {
    let bytes = wire(from, &mut Chunks::whole());
    feed(&mut to.connection, &bytes, Feed::Borrowed, &mut Chunks::whole(), to.clock.now())
}

/// The payload of a compressed message, made with all the effort there is: §7.2.1 without the tail.
fn deflated(payload: &[u8]) -> Vec<u8> {
    let mut raw = Compress::new_with_window_bits(Compression::best(), false, 15);
    let mut out = Vec::with_capacity(payload.len() + 1024);
    raw.compress_vec(payload, &mut out, FlushCompress::Sync).unwrap();
    assert_eq!(raw.total_in(), payload.len() as u64);
    out.truncate(out.len() - 4);
    out
}

/// Bytes that do not compress.
fn noise(len: usize) -> Vec<u8> {
    let mut rng = ws_testkit::Rng::new(len as u64);
    (0..len).map(|_| rng.next_u64().to_le_bytes()[0]).collect()
}
