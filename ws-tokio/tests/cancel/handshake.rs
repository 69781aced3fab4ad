//! The opening handshake: dropping it closes the stream, and what came behind its head is handed on once.

use super::*;
use std::time::Instant;
use tokio::runtime::{Builder, Runtime};
use ws_proto::handshake::{Acceptance, ServerHandshake};
use ws_proto::http::Request;
use ws_proto::{Config, bytes::Buf};

const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

fn quiet() -> Config {
    config().deflate(None).build().unwrap()
}

/// Timers need a runtime to be in; it is not driven, so none fires.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// What a server of the core answers to `request`.
fn answer_to(request: &[u8]) -> Vec<u8> {
    let mut handshake = ServerHandshake::new(quiet(), Instant::now());
    assert!(handshake.poll_event(&mut &*request, Instant::now()).is_some());
    handshake.accept(Acceptance::default()).unwrap();
    let transmit = handshake.transmit();
    transmit.copy_to_bytes(transmit.len()).to_vec()
}

fn request() -> Request<()> {
    Request::get("ws://h/chat").body(()).unwrap()
}

#[test]
fn an_accept_that_is_dropped_closes_the_stream_and_has_written_nothing_else() {
    let runtime = runtime();
    let _inside = runtime.enter();
    let hello = RawFrame::text("Hello").sent_by(Role::Client).to_bytes();
    let input = [REQUEST, &hello].concat();
    let output = answer_to(REQUEST);
    let mut was_ready = false;
    for polls in 1.. {
        let interruption = Interruption { polls, fault: Fault::ByteByByte };
        let (io, peer) = interruption.io(&input);
        let opened = interruption.within(async {
            let incoming = ws_tokio::accept(io, quiet()).await.unwrap();
            incoming.accept(Acceptance::default()).await.unwrap()
        });
        let written = peer.written();
        assert!(output.starts_with(&written), "{polls} polls: {written:?}");
        assert_eq!(peer.is_dropped(), opened.is_none(), "{polls} polls");
        if let Some(mut socket) = opened {
            assert_eq!(written, output);
            let message = interruption.insist(async || socket.recv().await).unwrap();
            assert_eq!(message, Some("Hello".into()));
            was_ready = true;
            break;
        }
    }
    assert!(was_ready);
}

#[test]
fn an_accept_is_right_wherever_its_stream_is_disturbed() {
    let runtime = runtime();
    let _inside = runtime.enter();
    let hello = RawFrame::text("Hello").sent_by(Role::Client).to_bytes();
    let input = [REQUEST, &hello].concat();
    let output = answer_to(REQUEST);
    let never_dropped = |i: &Interruption| i.polls == usize::MAX;
    for interruption in Interruption::every(input.len(), output.len()).filter(never_dropped) {
        let (io, peer) = interruption.io(&input);
        let opened = interruption
            .within(async { ws_tokio::accept(io, quiet()).await?.accept(Acceptance::default()).await });
        match opened.unwrap() {
            Ok(mut socket) => {
                assert_eq!(peer.written(), output, "{interruption:?}");
                let message = interruption.insist(async || socket.recv().await);
                let whole = interruption.arrives(&input) == input;
                assert_eq!(
                    message.is_ok_and(|message| message == Some("Hello".into())),
                    whole,
                    "{interruption:?}"
                );
            }
            Err(error) => {
                assert!(!interruption.is_lossless(), "{interruption:?}: {error}");
                assert!(peer.is_dropped(), "{interruption:?}");
            }
        }
    }
}

#[test]
fn a_connect_that_is_dropped_closes_the_stream() {
    let runtime = runtime();
    let _inside = runtime.enter();
    let (io, peer) = ScriptedIo::new();
    peer.end();
    let all = Interruption { polls: usize::MAX, fault: Fault::ByteByByte };
    assert!(all.within(ws_tokio::connect(io, request(), quiet())).unwrap().is_err());
    let output = peer.written();
    let hello = RawFrame::text("Hello").to_bytes();
    // The same entropy gives the same key, so the answer is known beforehand.
    let input = [answer_to(&output), hello].concat();
    let mut was_ready = false;
    for polls in 1.. {
        let interruption = Interruption { polls, fault: Fault::ByteByByte };
        let (io, peer) = interruption.io(&input);
        let opened = interruption.within(ws_tokio::connect(io, request(), quiet()));
        assert!(output.starts_with(&peer.written()), "{polls} polls");
        assert_eq!(peer.is_dropped(), opened.is_none(), "{polls} polls");
        if let Some(opened) = opened {
            let (mut socket, _) = opened.unwrap();
            let message = interruption.insist(async || socket.recv().await).unwrap();
            assert_eq!((peer.written(), message), (output.clone(), Some("Hello".into())));
            was_ready = true;
            break;
        }
    }
    assert!(was_ready);
}

#[test]
fn a_connect_is_right_wherever_its_stream_is_disturbed() {
    let runtime = runtime();
    let _inside = runtime.enter();
    let (io, peer) = ScriptedIo::new();
    peer.end();
    let all = Interruption { polls: usize::MAX, fault: Fault::ByteByByte };
    assert!(all.within(ws_tokio::connect(io, request(), quiet())).unwrap().is_err());
    let output = peer.written();
    let input = [answer_to(&output), RawFrame::text("Hello").to_bytes()].concat();
    for interruption in Interruption::every(input.len(), output.len()).filter(|i| i.polls == usize::MAX) {
        let (io, peer) = interruption.io(&input);
        match interruption.within(ws_tokio::connect(io, request(), quiet())).unwrap() {
            Ok((mut socket, _)) => {
                assert_eq!(peer.written(), output, "{interruption:?}");
                let message = interruption.insist(async || socket.recv().await);
                let whole = interruption.arrives(&input) == input;
                assert_eq!(
                    message.is_ok_and(|message| message == Some("Hello".into())),
                    whole,
                    "{interruption:?}"
                );
            }
            Err(error) => {
                assert!(!interruption.is_lossless() && peer.is_dropped(), "{interruption:?}: {error}")
            }
        }
    }
}
