//! Structure-aware conversations, legal and spoilt, through all readers.

use proptest::prelude::*;
use ws_differential::deviations::judge;
use ws_differential::{Reader, ours, theirs, wire};
use ws_proto::Role;

fn cases() -> ProptestConfig {
    let cases = std::env::var("DIFFERENTIAL_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: cases.unwrap_or(20_000), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn all_readers_make_the_same_of_what_a_client_writes(bytes in wire(Role::Client)) {
        let (ours, why) = ours(Role::Server, &bytes);
        for reader in [Reader::One, Reader::Two] {
            let theirs = theirs(reader, Role::Server, &bytes);
            prop_assert_eq!(judge(reader, &ours, why.as_ref(), &theirs), Ok(()));
        }
    }

    #[test]
    fn all_readers_make_the_same_of_what_a_server_writes(bytes in wire(Role::Server)) {
        let (ours, why) = ours(Role::Client, &bytes);
        for reader in [Reader::One, Reader::Two] {
            let theirs = theirs(reader, Role::Client, &bytes);
            prop_assert_eq!(judge(reader, &ours, why.as_ref(), &theirs), Ok(()));
        }
    }
}
