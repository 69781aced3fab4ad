//! The body of the fuzz target `raw_peer`. It is compiled for tests and for the fuzzer only: it stands here because nothing but tests may
//! depend on this crate, and because it drives what is private.

use super::{Peer, PeerEvent, State, Traffic};
use crate::deflate::Params;
use crate::timeouts::Timeouts;
use crate::wire_log::WireLog;
use tokio::time::Instant;
use ws_proto::{Entropy, Role};

/// What the peer made of some input, up to where it failed the connection: what follows is read for a Close frame only, and when the stream is
/// given up over it does depend on the reads.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    events: Vec<PeerEvent>,
    failed: bool,
    /// Where it did not fail: how it stands.
    state: Option<State>,
    closing: Option<String>,
    out: Vec<u8>,
}

/// What an endpoint under test may send: the peer never panics, always moves on, and makes the same of it however it is cut.
///
/// The first byte chooses role, compression and log, the second the window, the third the size of the reads.
///
/// # Panics
/// Where one of these does not hold.
pub fn fuzz_raw_peer(data: &[u8]) {
    let Some(([flags, bits, size], wire)) = data.split_first_chunk::<3>() else { return };
    let whole = read(*flags, *bits, wire.len().max(1), wire);
    assert_eq!(read(*flags, *bits, usize::from(*size).max(1), wire), whole, "the same however it is cut");
    let closes = whole.out.windows(2).filter(|bytes| bytes.first() == Some(&0x88)).count();
    let is_broken = whole.events.contains(&PeerEvent::Broken);
    assert!(closes > 0 || is_broken || whole.state == Some(State::Open), "it says why it is not open");
}

fn read(flags: u8, bits: u8, size: usize, wire: &[u8]) -> Outcome {
    let role = if flags & 1 == 0 { Role::Server } else { Role::Client };
    let deflate = (flags & 2 != 0).then(|| Params {
        server_no_context_takeover: flags & 4 != 0,
        client_no_context_takeover: flags & 8 != 0,
        server_window_bits: 9 + bits % 7,
        client_window_bits: 9 + bits / 7 % 7,
    });
    let mut log = WireLog::new();
    log.enable(flags & 16 != 0);
    let entropy = Entropy::from_fn(|buf| buf.fill(7));
    let mut peer = Peer::new(role, deflate, entropy, log, Traffic::default(), Timeouts::default());
    let now = Instant::now();
    let (mut events, mut told) = (Vec::new(), 0);
    for piece in wire.chunks(size) {
        peer.input().extend_from_slice(piece);
        peer.read(piece.len());
        while let Some(event) = peer.next_event(now) {
            told += 1;
            assert!(told <= wire.len(), "events without end");
            if event == PeerEvent::Broken {
                // What the driver does.
                peer.give_up(true);
            }
            if !peer.closing.failed_by_me {
                events.push(event);
            }
        }
    }
    let out = peer.out.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect();
    let failed = peer.closing.failed_by_me;
    let (state, closing) = (peer.state, format!("{:?}", peer.closing));
    Outcome { events, failed, state: (!failed).then_some(state), closing: (!failed).then_some(closing), out }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_input_of_the_corpus_holds() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/raw_peer");
        let inputs: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|input| input.unwrap().path()).collect();
        assert!(!inputs.is_empty(), "there is a corpus");
        for path in inputs {
            println!("{}", path.display());
            super::fuzz_raw_peer(&std::fs::read(path).unwrap());
        }
    }
}
