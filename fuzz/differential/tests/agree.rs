//! Structure-aware conversations, legal and spoilt, through all readers.

use proptest::prelude::*;
use ws_differential::deviations::judge;
use ws_differential::{Reader, read};
use ws_proto::Role;
use ws_testkit::strategies;

/// A conversation of a peer of `role`, in which a few bytes may be changed.
fn wire(role: Role) -> impl Strategy<Value = Vec<u8>> {
    let spoilt = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (strategies::conversation(role, 300), spoilt, prop::bool::weighted(0.3)).prop_map(
        |(mut bytes, spoilt, spoil)| {
            for (index, byte) in spoilt {
                if spoil && !bytes.is_empty() {
                    let index = index.index(bytes.len());
                    bytes[index] ^= byte;
                }
            }
            bytes
        },
    )
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("DIFFERENTIAL_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: cases.unwrap_or(20_000), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn all_readers_make_the_same_of_what_a_client_writes(bytes in wire(Role::Client)) {
        let ours = read(Reader::Ours, Role::Server, &bytes);
        for reader in [Reader::One, Reader::Two] {
            let theirs = read(reader, Role::Server, &bytes);
            prop_assert_eq!(judge(reader, &ours, &theirs, &bytes), Ok(()));
        }
    }

    #[test]
    fn all_readers_make_the_same_of_what_a_server_writes(bytes in wire(Role::Server)) {
        let ours = read(Reader::Ours, Role::Client, &bytes);
        for reader in [Reader::One, Reader::Two] {
            let theirs = read(reader, Role::Client, &bytes);
            prop_assert_eq!(judge(reader, &ours, &theirs, &bytes), Ok(()));
        }
    }
}
