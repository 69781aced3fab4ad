//! How bytes are cut on their way must not be seen: any split of the input gives the same events and the same answer, any partial
//! write the same bytes, any fragmentation the same message. And whatever comes, it ends in one terminal state.

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "deflate")]
mod compressed;
mod input;
mod output;
mod wire;

use ws_proto::{ConfigBuilder, Negotiated, Role};
use ws_testkit::{Chunks, Feed, Observed, Probe, config};

/// What a connection told and wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    events: Vec<Observed>,
    wire: Vec<u8>,
}

/// Small limits, so that they are met.
fn settings() -> ConfigBuilder {
    config().max_message_bytes(300).max_frame_bytes(250).max_fragments(7).max_control_frames(20)
}

/// The outcome of `bytes` that come cut like this, and then end. Each call makes the same masking keys.
fn outcome(
    negotiated: &Negotiated,
    settings: ConfigBuilder,
    bytes: &[u8],
    how: Feed,
    chunks: Chunks,
) -> Outcome {
    let config = settings.entropy(ws_testkit::entropy(1)).build().unwrap();
    let mut probe = Probe::with(negotiated.clone(), config);
    probe.receive_in(bytes, how, chunks);
    probe.end_of_stream();
    assert_eq!(probe.events.iter().filter(|event| event.is_terminal()).count(), 1, "one terminal event");
    assert!(probe.events.last().unwrap().is_terminal(), "and nothing behind it");
    let wire = probe.wire();
    let deflate = deflates(negotiated);
    assert_eq!(
        ws_testkit::raw::read_legal(&wire, negotiated.role(), deflate).err(),
        None,
        "what leaves is legal"
    );
    Outcome { events: probe.events, wire }
}

/// The outcome of `bytes` that come in one read.
fn whole(negotiated: &Negotiated, settings: ConfigBuilder, bytes: &[u8]) -> Outcome {
    outcome(negotiated, settings, bytes, Feed::Borrowed, Chunks::whole())
}

const fn role_of(is_client: bool) -> Role {
    if is_client { Role::Client } else { Role::Server }
}

#[cfg(feature = "deflate")]
const fn deflates(negotiated: &Negotiated) -> bool {
    negotiated.deflate().is_some()
}

#[cfg(not(feature = "deflate"))]
const fn deflates(_: &Negotiated) -> bool {
    false
}
