//! Each of these faults of a server is found by a case.

mod support;

use support::{FAULTS, Fault, faulty, not_good, run};

const CASES: [&str; 10] = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.1.*", "6.2.*", "6.3.*", "6.4.*", "7.*"];
const COMPRESSED: [&str; 4] = ["12.1.3", "13.2.3", "13.3.4", "102.2.10"];

#[tokio::test(start_paused = true)]
async fn a_server_without_fault_passes() {
    let report = run(&[&CASES[..], &COMPRESSED].concat(), true, |stream| faulty(stream, Fault::None)).await;
    assert_eq!(not_good(&report), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn every_fault_is_found() {
    for fault in FAULTS {
        let compression = [Fault::KeepsContext, Fault::IgnoresWindow, Fault::CompressesWithoutMark];
        let cases = if compression.contains(&fault) { &COMPRESSED[..] } else { &CASES };
        let report = run(cases, true, move |stream| faulty(stream, fault)).await;
        let found = not_good(&report);
        println!(
            "{fault:?}: {} cases, such as {}",
            found.len(),
            found.first().map_or("none", String::as_str)
        );
        assert!(!found.is_empty(), "{fault:?} is not found");
    }
}
