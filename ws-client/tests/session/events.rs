//! What a session tells, and asks for.

use crate::support::{kill, network, session, texts, until, word};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use ws_client::proto::http::{HeaderMap, HeaderValue};
use ws_client::{CloseCode, NotQueued, SessionEvent, Why};

#[tokio::test(start_paused = true)]
async fn the_events_tell_the_story() {
    let (client, mut network) = network();
    let mut session = session(client).start().unwrap();
    session.sender().send("hello").await.unwrap();
    let server = tokio::spawn(async move {
        let mut socket = network.accept().await;
        assert_eq!(texts(&mut socket, 1).await, ["hello"]);
        kill(socket);
        let mut socket = network.accept().await;
        assert_eq!(texts(&mut socket, 1).await, ["hello"], "no ping behind it was answered");
        socket.send("welcome").await.unwrap();
        socket.close(CloseCode::POLICY_VIOLATION, "go away").await.unwrap();
    });
    let mut story = Vec::new();
    while let Some(event) = session.next().await {
        story.push(word(&event));
    }
    server.await.unwrap();
    let expected = [
        "connecting 0",
        "connected 101",
        "disconnected 1006, 0 dropped",
        "waiting",
        "connecting 1",
        "connected 101",
        "resent 1",
        "message welcome",
        "disconnected 1008, 0 dropped",
        "ended true 1",
    ];
    assert_eq!(story, expected);
    let refused = session.sender().send("late").await.unwrap_err();
    assert_eq!((refused.why, refused.message), (NotQueued::Ended, "late".into()));
}

#[tokio::test(start_paused = true)]
async fn headers_are_asked_for_before_each_attempt() {
    let (client, mut network) = network();
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let mut session = session(client)
        .headers(move |attempt| {
            let call = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                // Not at once, as a server of tokens would.
                tokio::time::sleep(Duration::from_secs(2)).await;
                if call == 1 {
                    return Err("no token".into());
                }
                let value = format!("call {call}, attempt {attempt}");
                Ok(HeaderMap::from_iter([("x-token".parse()?, HeaderValue::try_from(value)?)]))
            }
        })
        .start()
        .unwrap();
    let server = tokio::spawn(async move {
        let mut tokens = Vec::new();
        for _ in 0..3 {
            let incoming = network.incoming().await;
            tokens.push(incoming.request().headers()["x-token"].to_str().unwrap().to_owned());
            kill(incoming.accept(Default::default()).await.unwrap());
        }
        tokens
    });
    let failed = until(&mut session, |event| match event {
        SessionEvent::Disconnected { why, .. } if matches!(*why, Why::Headers(_)) => Some(why.to_string()),
        _ => None,
    });
    assert_eq!(failed.await, "there are no headers to connect with: no token");
    let drained = tokio::spawn(async move { while session.next().await.is_some() {} });
    let expected = ["call 0, attempt 0", "call 2, attempt 2", "call 3, attempt 3"];
    assert_eq!(server.await.unwrap(), expected);
    assert!(calls.load(Ordering::Relaxed) >= 4);
    drained.abort();
}
