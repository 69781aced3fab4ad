//! What a socket tells of its life, and of its frames.

mod support;

use support::{masked_text, pair, server};
use tokio::io::AsyncWriteExt;
use tracing::{Instrument, Level, info_span};
use ws_proto::{CloseCode, Config, ControlPayload};
use ws_testkit::Told;

/// What is told while `work` runs, line by line.
async fn told(level: Level, work: impl Future<Output = ()>) -> Vec<String> {
    let told = Told::listen(level);
    work.await;
    told.lines()
}

#[tokio::test]
async fn a_life_from_the_opening_to_the_closing_handshake_is_told_in_the_span_of_its_user() {
    let lines = told(Level::TRACE, async {
        let (mut server, mut client) = pair(1 << 10);
        client.send("never shown").await.unwrap();
        let serving = async { while server.recv().await.unwrap().is_some() {} };
        let closing = async {
            client.close(CloseCode::NORMAL, "two\nlines").await.unwrap();
        };
        tokio::join!(
            serving.instrument(info_span!("serving", user = 7)),
            closing.instrument(info_span!("closing"))
        );
    });
    assert_eq!(
        lines.await,
        [
            "DEBUG ws_tokio: the WebSocket is open role=Server compression=false",
            "DEBUG ws_tokio: the WebSocket is open role=Client compression=false",
            "DEBUG closing: ws_tokio: the closing handshake has begun on this side",
            "DEBUG serving{user=7}: ws_tokio: the closing handshake is complete initiator=Peer sent=1000 received=1000 reason=\"two\\nlines\"",
            "DEBUG closing: ws_tokio: the closing handshake is complete initiator=Local sent=1000 received=1000 reason=\"\"",
        ]
    );
}

#[tokio::test]
async fn a_failure_names_the_rule() {
    let lines = told(Level::DEBUG, async {
        let (mut ws, mut peer, _) = server(1 << 10, Config::default());
        peer.write_all(&[0x83, 0x80, 0, 0, 0, 0]).await.unwrap();
        for _ in 0..2 {
            ws.recv().await.unwrap_err();
        }
    });
    let lines = lines.await;
    assert_eq!(lines.len(), 2, "each is told once: {lines:?}");
    assert_eq!(
        lines[1],
        "DEBUG ws_tokio: the connection failed: opcode 3 is reserved (RFC 6455 §5.2) code=1002"
    );
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_no_ping_and_one_that_answers_no_close_frame_are_told() {
    let lines = told(Level::DEBUG, async {
        let (mut ws, _peer, _) = server(1 << 10, Config::default());
        ws.recv().await.unwrap_err();
        let (mut ws, _peer, _) = server(1 << 10, Config::default());
        ws.close(CloseCode::NORMAL, "").await.unwrap_err();
    });
    let lines = lines.await;
    let failures: Vec<_> = lines.iter().filter(|line| line.contains("failed")).collect();
    assert_eq!(failures.len(), 2, "{lines:?}");
}

#[tokio::test]
async fn a_dropped_socket_is_told_and_its_end_too_in_the_span_in_which_it_was_dropped() {
    let lines = told(Level::DEBUG, async {
        let (server, mut client) = pair(1 << 10);
        info_span!("dropping").in_scope(|| drop(server));
        assert_eq!(client.recv().await.unwrap(), None);
        drop(client);
        // The task of the dropped one reads the answer.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    });
    let lines = lines.await;
    let of_drop: Vec<_> = lines.iter().filter(|line| line.starts_with("DEBUG dropping: ")).collect();
    assert_eq!(
        of_drop,
        [
            "DEBUG dropping: ws_tokio: the socket was dropped while it was open code=1001",
            "DEBUG dropping: ws_tokio: the closing handshake has begun on this side",
            "DEBUG dropping: ws_tokio: the closing handshake is complete initiator=Local sent=1001 received=1001 reason=\"\"",
        ]
    );
}

#[tokio::test]
async fn the_frame_trace_of_one_socket_shows_headers_and_no_payload_and_can_be_switched_off() {
    let lines = told(Level::TRACE, async {
        let (mut ws, mut client) = pair(1 << 16);
        let exchange = async |ws: &mut ws_tokio::WebSocket<_>, client: &mut ws_tokio::WebSocket<_>| {
            client.send("secret").await.unwrap();
            let message = ws.recv().await.unwrap().unwrap();
            ws.send(message).await.unwrap();
            client.recv().await.unwrap().unwrap();
        };
        exchange(&mut ws, &mut client).await;
        ws.trace_frames(true);
        exchange(&mut ws, &mut client).await;
        client.ping(ControlPayload::try_from("?").unwrap()).await.unwrap();
        client.send(vec![7; 3_000]).await.unwrap();
        ws.recv().await.unwrap().unwrap();
        ws.trace_frames(false);
        exchange(&mut ws, &mut client).await;
        ws.closer().trace_frames(true);
        exchange(&mut ws, &mut client).await;
        assert_eq!(ws.counts().received_messages, 5);
    });
    let lines = lines.await;
    let frames: Vec<_> =
        lines.iter().filter_map(|line| line.strip_prefix("TRACE ws_tokio::frame: ")).collect();
    let exchange = [
        "direction=\"received\" opcode=Text fin=true rsv1=false len=6",
        "direction=\"sent\" opcode=Text fin=true rsv1=false len=6",
    ];
    let between = [
        "direction=\"received\" opcode=Ping fin=true rsv1=false len=1",
        "direction=\"sent\" opcode=Pong fin=true rsv1=false len=1",
        "direction=\"received\" opcode=Binary fin=true rsv1=false len=3000",
    ];
    let dropped = ["direction=\"sent\" opcode=Close fin=true rsv1=false len=2"];
    assert_eq!(frames, [&exchange[..], &between, &exchange, &dropped].concat());
    assert!(lines.iter().all(|line| !line.contains("secret")));
}

#[tokio::test]
async fn a_message_that_is_lent_is_traced_too() {
    let lines = told(Level::TRACE, async {
        let (mut ws, mut peer, _) = server(1 << 10, Config::default());
        ws.trace_frames(true);
        peer.write_all(&masked_text("lent")).await.unwrap();
        drop(peer);
        let ended = ws.for_each_message(|message, replies| replies.send_ref(&message)).await;
        ended.unwrap_err();
    });
    let lines = lines.await;
    let frames: Vec<_> = lines.iter().filter(|line| line.contains("ws_tokio::frame")).collect();
    assert_eq!(frames.len(), 2, "{lines:?}");
}
