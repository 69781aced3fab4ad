//! The suite as a library, against the echo server of this workspace, over pipes and with simulated time.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::{echo, not_good, run};
use tokio::io::duplex;
use ws_autobahn::{Selection, fuzzing_client};

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

#[tokio::test(start_paused = true)]
async fn a_server_that_ceases_to_answer_is_given_up() {
    let served = Arc::new(AtomicUsize::new(0));
    let connect = move || {
        let (near, far) = duplex(64 << 10);
        let number = served.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            if number < 5 {
                return echo(far).await;
            }
            let _far = far;
            std::future::pending().await
        });
        async { std::io::Result::Ok(near) }
    };
    let options = fuzzing_client::Options { jobs: 1, ..Default::default() };
    let cases = Selection::default().resolve().unwrap();
    let mut results = 0;
    let ended = fuzzing_client::run(connect, cases, options, |_| results += 1).await;
    assert_eq!(
        ended.unwrap_err().to_string(),
        "the server does not answer any more, after 15 of 517 cases: 10 opening handshakes in succession had no answer in time"
    );
    assert_eq!(results, 15, "what was finished was handed out");
}
