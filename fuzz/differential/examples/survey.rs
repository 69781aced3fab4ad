//! How often which reader differs, by the rule that we found broken: `cargo run --example survey [CASES]`.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use ws_differential::deviations::judge;
use ws_differential::{Reader, ours, theirs};
use ws_proto::Role;

fn main() {
    let cases = std::env::args().nth(1).and_then(|cases| cases.parse().ok()).unwrap_or(10_000);
    let mut runner = TestRunner::deterministic();
    let mut found = BTreeMap::new();
    for sender in [Role::Client, Role::Server] {
        let wire = ws_differential::wire(sender);
        for _ in 0..cases {
            let bytes = wire.new_tree(&mut runner).expect("a strategy without filters").current();
            let (ours, why) = ours(sender.peer(), &bytes);
            for reader in [Reader::One, Reader::Two] {
                let theirs = theirs(reader, sender.peer(), &bytes);
                if judge(reader, &ours, why.as_ref(), &theirs).is_err() {
                    let counts = [ours.messages.len(), theirs.messages.len()].map(|n| n.min(2));
                    let kind = format!(
                        "{sender:?} {reader:?}: ours {:?} {why:?}, theirs {:?}, messages {counts:?}",
                        ours.end, theirs.end
                    );
                    let entry = found.entry(kind).or_insert((0, bytes.clone()));
                    entry.0 += 1;
                    if bytes.len() < entry.1.len() {
                        entry.1.clone_from(&bytes);
                    }
                }
            }
        }
    }
    for (kind, (count, bytes)) in found {
        println!("{count:6} {kind}\n       {:02X?}", &bytes[..bytes.len().min(60)]);
    }
}
