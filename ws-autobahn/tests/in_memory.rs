//! The suite as a library, against the echo server of this workspace, over pipes and with simulated time.

mod support;

use std::time::Duration;
use support::{echo, not_good, run};

#[tokio::test(start_paused = true)]
async fn our_server_passes_the_protocol_cases() {
    let began = tokio::time::Instant::now();
    let report = run(&["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"], false, echo).await;
    assert_eq!(not_good(&report), [""; 0]);
    assert_eq!(report.results("endpoint").count(), 247);
    assert!(began.elapsed() >= Duration::from_secs(2), "the waits of 6.4.1 are there, in simulated time");
}

#[tokio::test(start_paused = true)]
async fn our_server_passes_some_cases_of_load_and_compression() {
    let cases = [
        "9.1.1", "9.2.2", "9.3.4", "9.6.5", "9.7.2", "12.1.2", "12.2.3", "13.2.3", "13.3.4", "13.5.5",
        "13.7.4",
    ];
    let report = run(&cases, false, echo).await;
    assert_eq!(not_good(&report), [""; 0]);
    assert_eq!(report.results("endpoint").count(), cases.len());
}
