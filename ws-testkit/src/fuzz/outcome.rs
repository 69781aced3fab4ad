//! What came of some input, and what must hold of it whatever the input was.

use crate::raw::{self, RawFrame};
use crate::{Chunks, Feed, Observed, Probe};
use ws_proto::{ConfigBuilder, Negotiated};

/// What a connection told and wrote.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) events: Vec<Observed>,
    pub(super) frames: Vec<RawFrame>,
}

/// The outcome of `bytes` that come like this, and then end. Whatever they are, it ends in one terminal event, and what leaves is legal.
pub(super) fn outcome(
    negotiated: &Negotiated,
    settings: ConfigBuilder,
    bytes: &[u8],
    how: Feed,
    chunks: Chunks,
) -> Outcome {
    let config = match settings.entropy(crate::entropy(1)).build() {
        Ok(config) => config,
        Err(error) => panic!("settings of a target are valid: {error}"),
    };
    let mut probe = Probe::with(negotiated.clone(), config);
    probe.receive_in(bytes, how, chunks);
    probe.end_of_stream();
    let terminal = probe.events.iter().filter(|event| event.is_terminal()).count();
    assert_eq!(terminal, 1, "one terminal event");
    assert!(probe.events.last().is_some_and(Observed::is_terminal), "nothing behind the terminal event");
    let frames = match raw::read_legal(&probe.wire(), negotiated.role(), negotiated.deflate().is_some()) {
        Ok(frames) => frames,
        Err(fault) => panic!("what leaves is not legal: {fault}"),
    };
    while probe.time_out() {}
    assert!(probe.wire().is_empty(), "nothing leaves after the end");
    Outcome { events: probe.events, frames }
}
