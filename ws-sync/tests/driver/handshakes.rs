//! The opening handshake over streams that stop anywhere.

use crate::support::{Scripted, quiet, retry, tcp_pair};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use std::net::TcpStream;
use std::thread;
use ws_proto::handshake::{Acceptance, HandshakeError, Subprotocol};
use ws_proto::{ApiMisuse, Role};
use ws_sync::{Accepting, CloseCode, Connecting, OpenError};
use ws_testkit::ScriptedPeer;
use ws_testkit::raw::{RawFrame, read_all};

const REQUEST: &str = "GET /chat?room=1 HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn accepting() -> (Accepting<Scripted>, ScriptedPeer) {
    let (stream, peer, _) = Scripted::new();
    (Accepting::new(stream, quiet().build().unwrap()), peer)
}

#[test]
fn a_server_interrupted_at_any_byte_loses_nothing() {
    let first = RawFrame::text("first").sent_by(Role::Client).to_bytes();
    let wire = [REQUEST.as_bytes(), &first].concat();
    for cut in 0..=wire.len() {
        let (mut accepting, peer) = accepting();
        peer.send(&wire[..cut]).not_ready().send(&wire[cut..]);
        let incoming = retry(|| accepting.advance()).unwrap();
        assert_eq!(incoming.request().uri(), "/chat?room=1");
        let mut ws = incoming.accept(Acceptance::default()).unwrap();
        assert_eq!(peer.take_written(), RESPONSE.as_bytes());
        assert_eq!(retry(|| ws.recv()).unwrap(), Some("first".into()), "interrupted at {cut}");
        assert!(matches!(accepting.advance(), Err(OpenError::Misuse(ApiMisuse::HandshakeNotWaiting))));
    }
}

#[test]
fn a_response_interrupted_at_any_byte_leaves_before_the_first_frame() {
    for cut in 1..RESPONSE.len() + 3 {
        let (mut accepting, peer) = accepting();
        peer.send(REQUEST).take_at_most(cut).refuse_write().refuse_write();
        let mut ws = accepting.advance().unwrap().accept(Acceptance::default()).unwrap();
        ws.send("a").unwrap();
        retry(|| ws.flush()).unwrap();
        assert_eq!(peer.written(), [RESPONSE.as_bytes(), b"\x81\x01a"].concat(), "interrupted at {cut}");
    }
}

#[test]
fn a_response_that_was_not_written_is_among_the_parts() {
    let (mut accepting, peer) = accepting();
    peer.send(REQUEST).take_at_most(5).refuse_write();
    let ws = accepting.advance().unwrap().accept(Acceptance::default()).unwrap();
    assert_eq!(ws.into_parts().unsent, RESPONSE.as_bytes()[5..]);
}

#[test]
fn a_client_interrupted_at_any_byte_loses_nothing() {
    let wire = [RESPONSE.as_bytes(), &RawFrame::text("first").to_bytes()].concat();
    let request = || Request::get("ws://example.com/chat?room=1").body(()).unwrap();
    // The key of RFC 6455 §1.3, whose answer is known.
    let config = || {
        let nonce = ws_proto::Entropy::from_fn(|buf| {
            buf.iter_mut().zip(b"the sample nonce").for_each(|(slot, byte)| *slot = *byte)
        });
        let config = ws_proto::ConfigBuilder::new(nonce).ping_interval(None);
        #[cfg(feature = "deflate")]
        let config = config.deflate(None);
        config.build().unwrap()
    };
    let mut requests = Vec::new();
    for cut in 0..=wire.len() {
        let (stream, peer, _) = Scripted::new();
        let mut connecting = Connecting::new(stream, request(), config()).unwrap();
        peer.take_at_most(cut + 1).refuse_write();
        peer.send(&wire[..cut]).not_ready().send(&wire[cut..]);
        let (mut ws, response) = retry(|| connecting.advance()).unwrap();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(retry(|| ws.recv()).unwrap(), Some("first".into()), "interrupted at {cut}");
        // The script answers a request that it has not seen the end of.
        retry(|| ws.flush()).unwrap();
        requests.push(peer.written());
    }
    assert!(
        requests
            .iter()
            .all(|request| *request == requests[0] && request.starts_with(b"GET /chat?room=1 HTTP/1.1\r\n"))
    );
}

#[test]
fn a_malformed_request_is_answered_before_the_error_comes() {
    let (mut accepting, peer) = accepting();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\n\r\n").not_ready().send("more").end().refuse_write();
    assert!(accepting.advance().unwrap_err().would_block().unwrap().writable);
    let error = retry(|| accepting.advance()).unwrap_err();
    assert!(matches!(error, OpenError::Handshake(HandshakeError::MethodNotGet)), "{error}");
    assert!(peer.written().starts_with(b"HTTP/1.1 405 "));
}

#[test]
fn a_request_is_rejected_with_any_status_and_body() {
    let (mut accepting, peer) = accepting();
    peer.send(REQUEST).refuse_write().end();
    let mut response = Response::new(Bytes::from_static(b"no such room\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    let mut rejecting = accepting.advance().unwrap().start_rejecting(response).unwrap();
    retry(|| rejecting.advance()).unwrap();
    let written = String::from_utf8(peer.written()).unwrap();
    assert!(
        written.starts_with("HTTP/1.1 404 Not Found\r\n") && written.ends_with("\r\n\r\nno such room\n"),
        "{written}"
    );
}

#[test]
fn misuse_does_not_leave_the_client_without_an_answer() {
    let (mut accepting, peer) = accepting();
    peer.send(REQUEST).end();
    let acceptance = Acceptance::default().subprotocol(Subprotocol::new("chat").unwrap());
    let error = accepting.advance().unwrap().accept(acceptance).unwrap_err();
    assert!(matches!(error, OpenError::Misuse(ApiMisuse::SubprotocolNotOffered)), "{error}");
    assert!(peer.written().starts_with(b"HTTP/1.1 500 "));
}

fn connect(stream: TcpStream) -> Result<(ws_sync::WebSocket<TcpStream>, Response<()>), OpenError> {
    let request =
        Request::get("ws://localhost/chat").header("sec-websocket-protocol", "chat").body(()).unwrap();
    ws_sync::connect(stream, request, quiet().build().unwrap())
}

#[test]
fn both_ends_agree_over_a_blocking_stream() {
    let (near, far) = tcp_pair();
    let server = thread::spawn(move || {
        let incoming = ws_sync::accept(far, quiet().build().unwrap()).unwrap();
        assert_eq!(
            incoming.get_ref().local_addr().unwrap().port(),
            incoming.get_ref().local_addr().unwrap().port()
        );
        let chosen = incoming.subprotocols()[0].clone();
        let mut ws = incoming.accept(Acceptance::default().subprotocol(chosen)).unwrap();
        ws.send("welcome").unwrap();
        assert_eq!(ws.recv().unwrap(), None);
    });
    let (mut ws, response) = connect(near).unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(ws.negotiated().subprotocol().unwrap(), "chat");
    assert_eq!(ws.recv().unwrap(), Some("welcome".into()));
    ws.close(CloseCode::NORMAL, "").unwrap();
    server.join().unwrap();
}

#[test]
fn a_client_is_told_the_response_that_refused_it() {
    let (near, far) = tcp_pair();
    let server = thread::spawn(move || {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::FORBIDDEN;
        ws_sync::accept(far, quiet().build().unwrap()).unwrap().reject(response).unwrap();
    });
    let error = connect(near).unwrap_err();
    let OpenError::Handshake(HandshakeError::Refused(response)) = error else { panic!("{error}") };
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    server.join().unwrap();
}

#[test]
fn frames_may_follow_the_request_at_once() {
    let (mut accepting, peer) = accepting();
    let frames =
        [RawFrame::text("a"), RawFrame::close(1000, "")].map(|frame| frame.sent_by(Role::Client).to_bytes());
    peer.send([REQUEST.as_bytes(), &frames.concat()].concat()).end();
    let mut ws = accepting.advance().unwrap().accept(Acceptance::default()).unwrap();
    let _response = peer.take_written();
    assert_eq!(ws.recv().unwrap(), Some("a".into()));
    assert_eq!(ws.recv().unwrap(), None);
    assert_eq!(read_all(&peer.written()).unwrap(), [RawFrame::close(1000, "")]);
}
