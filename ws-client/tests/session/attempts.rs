//! When a session tries again, and when it gives up.

use crate::support::{kill, network, session, until, waiting};
use std::time::Duration;
use tokio::time::Instant;
use ws_client::{CloseCode, Error, SessionEvent, Verdict, Why};

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_at_once_is_asked_as_full_jitter_says() {
    let (client, network) = network();
    drop(network);
    let mut session = session(client).start().unwrap();
    let (began, mut waited, mut parts) = (Instant::now(), Duration::ZERO, Vec::new());
    for attempt in 0..2000_u32 {
        let delay = waiting(&mut session).await;
        let ceiling = Duration::from_millis(500 << attempt.min(10)).min(Duration::from_secs(30));
        assert!(delay < ceiling);
        parts.push(delay.as_secs_f64() / ceiling.as_secs_f64());
        waited += delay;
    }
    // 2,000 even draws: their mean has a deviation of 0.0065, their quarters one of 19.
    let mean = parts.iter().sum::<f64>() / 2000.0;
    assert!((mean - 0.5).abs() < 0.03, "{mean}");
    for quarter in 0..4 {
        let from = f64::from(quarter) / 4.0;
        let count = parts.iter().filter(|&&part| (from..from + 0.25).contains(&part)).count();
        assert!((420..580).contains(&count), "{count} in quarter {quarter}");
    }
    // Nothing but waiting: the last wait has not begun to count.
    assert!(began.elapsed() <= waited + Duration::from_secs(4), "{:?} beside {waited:?}", began.elapsed());
    assert!(began.elapsed() > Duration::from_secs(2000 * 14));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_closes_at_once_is_not_asked_faster() {
    let (client, mut network) = network();
    let mut session = session(client).start().unwrap();
    let server = tokio::spawn(async move {
        for _ in 0..40 {
            kill(network.accept().await);
        }
    });
    let began = Instant::now();
    let mut attempts = Vec::new();
    while attempts.len() < 40 {
        if let SessionEvent::Connecting { attempt } = session.next().await.unwrap() {
            attempts.push(attempt);
        }
    }
    assert_eq!(attempts, (0..40).collect::<Vec<_>>());
    assert!(began.elapsed() > Duration::from_secs(300), "{:?}", began.elapsed());
    server.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn behind_a_stable_connection_it_begins_anew() {
    let (client, mut network) = network();
    let mut session = session(client).start().unwrap();
    kill(network.accept().await);
    let mut socket = network.accept().await;
    let answering = tokio::spawn(async move {
        tokio::select! {
            _ = socket.recv() => {}
            () = tokio::time::sleep(Duration::from_secs(61)) => kill(socket),
        }
        network
    });
    let mut attempts = Vec::new();
    while attempts.len() < 3 {
        if let SessionEvent::Connecting { attempt } = session.next().await.unwrap() {
            attempts.push(attempt);
        }
    }
    assert_eq!(attempts, [0, 1, 1]);
    drop(answering);
}

#[tokio::test(start_paused = true)]
async fn refusals_and_closes_are_judged() {
    let secs = Duration::from_secs;
    for (status, retry_after, expected) in [
        (401, None, None),
        (403, None, None),
        (404, Some("10"), None),
        (503, Some("100"), Some(secs(100)..secs(130))),
        (429, Some("10"), Some(secs(10)..secs(20))),
        (503, None, Some(secs(0)..Duration::from_millis(500))),
        (408, None, Some(secs(0)..Duration::from_millis(500))),
    ] {
        let (client, mut network) = network();
        let mut session = session(client).start().unwrap();
        network.refuse(status, retry_after).await;
        match expected {
            Some(range) => assert!(range.contains(&waiting(&mut session).await), "{status}"),
            None => {
                let ended = until(&mut session, |event| match event {
                    SessionEvent::Ended { fatal, .. } => Some(fatal.unwrap()),
                    _ => None,
                });
                let why = ended.await;
                let Why::Connect(Error::Refused(refusal)) = &*why else { panic!("{why:?}") };
                assert_eq!(refusal.status, status);
                assert!(session.next().await.is_none());
            }
        }
    }
    for code in [CloseCode::SERVICE_RESTART, CloseCode::TRY_AGAIN_LATER] {
        let (client, mut network) = network();
        let mut session = session(client).start().unwrap();
        let mut socket = network.accept().await;
        tokio::spawn(async move { socket.close(code, "").await });
        assert!((secs(5)..secs(30)).contains(&waiting(&mut session).await));
    }
}

#[tokio::test(start_paused = true)]
async fn a_classifier_decides_in_place_of_the_table() {
    let (client, mut network) = network();
    let judge = |why: &Why| match why.close_code() {
        Some(CloseCode::POLICY_VIOLATION) => Verdict::Retry,
        Some(CloseCode::ABNORMAL) => Verdict::Fatal,
        _ => why.verdict(),
    };
    let mut session = session(client).classify(judge).start().unwrap();
    let mut socket = network.accept().await;
    tokio::spawn(async move { socket.close(CloseCode::POLICY_VIOLATION, "").await });
    waiting(&mut session).await;
    kill(network.accept().await);
    until(&mut session, |event| matches!(event, SessionEvent::Ended { fatal: Some(_), .. }).then_some(()))
        .await;
}
