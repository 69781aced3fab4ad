//! Masking keys that nobody foresees (§10.3).

use super::*;
use std::collections::BTreeSet;
use ws_proto::{Config, Negotiated};

#[test]
fn every_frame_of_a_client_has_its_own_unpredictable_key() {
    let mut probe = Probe::with(Negotiated::new(Role::Client), Config::default());
    for _ in 0..1_000 {
        probe.connection.send("the same".into()).unwrap();
    }
    let frames = ws_testkit::raw::read_all(&probe.wire()).unwrap();
    let keys: BTreeSet<_> = frames.iter().map(|frame| frame.mask.unwrap()).collect();
    // By the birthday bound one pair of 1,000 is equal in one of 8,600 runs; two pairs are not to be seen.
    assert!(keys.len() >= 999);
    assert!(frames.iter().all(|frame| frame.payload == b"the same"));
    let mut another = Probe::with(Negotiated::new(Role::Client), Config::default());
    another.connection.send("the same".into()).unwrap();
    let frames = ws_testkit::raw::read_all(&another.wire()).unwrap();
    assert!(!keys.contains(&frames[0].mask.unwrap()), "another connection has other keys");
}
