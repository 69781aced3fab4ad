//! The opening handshake over in-memory streams, with the clock stopped.

use super::{Incoming, OpenError, accept, accept_since, connect};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::time::Instant;
use ws_proto::handshake::{Acceptance, HandshakeError, Subprotocol};
use ws_proto::{ApiMisuse, Config, Entropy, Message};

const REQUEST: &[u8] =
    b"GET /chat?room=7 HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\n\r\n";

/// A masked text frame "Hello" (RFC 6455 §5.7).
const HELLO: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];

fn request() -> Request<()> {
    Request::get("ws://example.com/chat").body(()).unwrap()
}

fn config() -> Config {
    Config::builder()
        .handshake_timeout(Duration::from_secs(10))
        .close_timeout(Duration::from_secs(5))
        .build()
        .unwrap()
}

/// What a server makes of `sent`, and all that the client then reads.
async fn answer(sent: &[u8]) -> (Result<Incoming<DuplexStream>, OpenError>, String) {
    let (mut client, server) = duplex(4096);
    let server = tokio::spawn(accept(server, config()));
    client.write_all(sent).await.unwrap();
    client.shutdown().await.unwrap();
    let mut response = String::new();
    let incoming = server.await.unwrap();
    if incoming.is_err() {
        client.read_to_string(&mut response).await.unwrap();
    }
    (incoming, response)
}

#[tokio::test(start_paused = true)]
async fn both_roles_agree_and_then_talk() {
    let (near, far) = duplex(4096);
    let server = tokio::spawn(async {
        let incoming = accept(far, config()).await.unwrap();
        assert_eq!(incoming.request().uri(), "/chat");
        assert_eq!(incoming.subprotocols(), ["v2", "v1"]);
        let acceptance = Acceptance::default()
            .subprotocol(Subprotocol::new("v1").unwrap())
            .header(HeaderName::from_static("x-greeting"), HeaderValue::from_static("hi"));
        incoming.accept(acceptance).await.unwrap()
    });
    let mut request = request();
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("v2, v1"));
    let (mut client, response) = connect(near, request, config()).await.unwrap();
    let mut server = server.await.unwrap();

    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(response.headers()["x-greeting"], "hi");
    assert_eq!(client.negotiated().subprotocol().unwrap(), "v1");
    assert_eq!(server.negotiated().subprotocol().unwrap(), "v1");
    client.send("Hello").await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some(Message::from("Hello")));
    server.send("Hi").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(Message::from("Hi")));
}

#[tokio::test(start_paused = true)]
async fn a_request_is_read_in_any_pieces_and_what_is_behind_it_is_the_first_message() {
    let sent = [REQUEST, HELLO].concat();
    for piece in [1, 7, 64, sent.len() - 1, sent.len()] {
        let (mut client, server) = duplex(4096);
        let server = tokio::spawn(async {
            let incoming = accept(server, config()).await.unwrap();
            let mut socket = incoming.accept(Acceptance::default()).await.unwrap();
            socket.recv().await.unwrap()
        });
        for piece in sent.chunks(piece) {
            client.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        assert_eq!(server.await.unwrap(), Some(Message::from("Hello")), "in pieces of {piece}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_behind_the_response_is_the_first_message() {
    let (near, mut far) = duplex(4096);
    let client = tokio::spawn(connect(near, request(), sample_key()));
    read_head(&mut far).await;
    far.write_all(&[ACCEPTING, b"\x81\x05Hello"].concat()).await.unwrap();
    let (mut socket, _) = client.await.unwrap().unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some(Message::from("Hello")));
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_the_request_is_answered_before_it_is_returned() {
    for (sent, status, expected) in [
        (&b"POST / HTTP/1.1\r\nHost: a\r\n\r\n"[..], "405", HandshakeError::MethodNotGet),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "426", HandshakeError::MissingUpgrade),
        (b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "505", HandshakeError::UnsupportedHttpVersion),
        (b"\x16\x03\x01\x02\x00\x01", "400", HandshakeError::ControlCharacter),
        (b"GET / HTTP/1.1\r\nHo", "400", HandshakeError::EndOfStream),
    ] {
        let (incoming, response) = answer(sent).await;
        let Err(OpenError::Handshake(error)) = incoming else { panic!("{incoming:?}") };
        assert_eq!(error.to_string(), expected.to_string());
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
        assert!(response.ends_with(&format!("\r\n\r\n{error}\n")), "{response}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_without_a_word_is_told_nothing() {
    let (incoming, response) = answer(b"").await;
    assert!(matches!(incoming, Err(OpenError::Handshake(HandshakeError::EndOfStream))));
    assert_eq!(response, "");
}

#[tokio::test(start_paused = true)]
async fn behind_a_refusal_the_write_side_ends_and_input_is_read_away_until_the_client_ends() {
    let (mut client, server) = duplex(64);
    let server = tokio::spawn(accept(server, config()));
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut response = String::new();
    client.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 405 "), "{response}");
    // Much more than the stream holds: somebody reads it.
    client.write_all(&[b'x'; 4096]).await.unwrap();
    assert!(!server.is_finished());
    drop(client);
    assert!(server.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_neither_reads_nor_ends_holds_a_refusal_up_for_the_close_timeout() {
    for capacity in [16, 4096] {
        let (mut client, server) = duplex(capacity);
        let began = Instant::now();
        let server = tokio::spawn(accept(server, config()));
        client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert!(matches!(server.await.unwrap(), Err(OpenError::Handshake(HandshakeError::MethodNotGet))));
        assert_eq!(began.elapsed(), Duration::from_secs(5));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_does_not_come_in_time_is_answered_with_408() {
    let (mut client, server) = duplex(4096);
    let began = Instant::now();
    let server = tokio::spawn(accept(server, config()));
    client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let mut response = String::new();
    client.read_to_string(&mut response).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
    drop(client);
    assert!(matches!(server.await.unwrap(), Err(OpenError::Handshake(HandshakeError::Timeout))));
}

#[tokio::test(start_paused = true)]
async fn a_trickle_of_bytes_does_not_extend_the_deadline() {
    let (mut client, server) = duplex(4096);
    let began = Instant::now();
    let server = tokio::spawn(accept(server, config()));
    tokio::task::yield_now().await;
    for byte in REQUEST.iter().take(9) {
        client.write_all(&[*byte]).await.unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let mut response = String::new();
    client.read_to_string(&mut response).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    drop(client);
    assert!(server.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn time_that_passed_before_counts() {
    let (mut client, server) = duplex(4096);
    let began = Instant::now();
    tokio::time::advance(Duration::from_secs(8)).await;
    let server = tokio::spawn(accept_since(server, config(), began));
    let mut response = String::new();
    client.read_to_string(&mut response).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    drop(client);
    assert!(matches!(server.await.unwrap(), Err(OpenError::Handshake(HandshakeError::Timeout))));
}

#[tokio::test(start_paused = true)]
async fn a_rejection_carries_any_status_headers_and_body() {
    let (mut client, server) = duplex(4096);
    client.write_all(REQUEST).await.unwrap();
    let incoming = accept(server, config()).await.unwrap();
    let rejecting = tokio::spawn(
        incoming.reject(
            Response::builder()
                .status(401)
                .header("www-authenticate", "Bearer")
                .body(Bytes::from_static(b"who?"))
                .unwrap(),
        ),
    );
    let mut response = String::new();
    client.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
    assert!(response.contains("Www-Authenticate: Bearer\r\n"), "{response}");
    assert!(response.ends_with("\r\n\r\nwho?"), "{response}");
    drop(client);
    rejecting.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_given_becomes_500() {
    let acceptance = || Acceptance::default().subprotocol(Subprotocol::new("other").unwrap());
    let (mut client, server) = duplex(4096);
    client.write_all(REQUEST).await.unwrap();
    client.shutdown().await.unwrap();
    let incoming = accept(server, config()).await.unwrap();
    let error = incoming.accept(acceptance()).await.err().unwrap();
    assert!(matches!(error, OpenError::Misuse(ApiMisuse::SubprotocolNotOffered)), "{error:?}");
    let mut response = String::new();
    client.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 500 "), "{response}");
}

#[tokio::test(start_paused = true)]
async fn an_acceptance_that_cannot_be_written_times_out() {
    let (mut client, server) = duplex(REQUEST.len());
    client.write_all(REQUEST).await.unwrap();
    let incoming = accept(server, config()).await.unwrap();
    let filler = HeaderValue::from_bytes(&[b'x'; 1000]).unwrap();
    let acceptance = Acceptance::default().header(HeaderName::from_static("x-filler"), filler);
    let began = Instant::now();
    let error = incoming.accept(acceptance).await.err().unwrap();
    assert!(matches!(error, OpenError::Handshake(HandshakeError::Timeout)), "{error:?}");
    assert_eq!(began.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn the_client_tells_a_refusal_with_its_response() {
    let (near, mut far) = duplex(4096);
    let client = tokio::spawn(connect(near, request(), config()));
    read_head(&mut far).await;
    far.write_all(b"HTTP/1.1 403 Forbidden\r\nX-Reason: because\r\n\r\n").await.unwrap();
    let Err(OpenError::Handshake(HandshakeError::Refused(response))) = client.await.unwrap() else {
        panic!("accepted")
    };
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.headers()["x-reason"], "because");
}

#[tokio::test(start_paused = true)]
async fn the_client_waits_for_its_handshake_timeout_only() {
    // Also where the request itself cannot be written.
    for capacity in [16, 4096] {
        let (near, _far) = duplex(capacity);
        let began = Instant::now();
        let error = connect(near, request(), config()).await.err().unwrap();
        assert!(matches!(error, OpenError::Handshake(HandshakeError::Timeout)), "{error:?}");
        assert_eq!(began.elapsed(), Duration::from_secs(10));
    }
}

#[tokio::test(start_paused = true)]
async fn the_client_tells_the_end_of_the_stream_and_its_errors() {
    let (near, far) = duplex(4096);
    drop(far);
    let error = connect(near, request(), config()).await.err().unwrap();
    assert!(matches!(&error, OpenError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe), "{error:?}");

    let (near, mut far) = duplex(4096);
    let client = tokio::spawn(connect(near, request(), config()));
    read_head(&mut far).await;
    far.write_all(b"HTTP/1.1 101 ").await.unwrap();
    drop(far);
    let error = client.await.unwrap().err().unwrap();
    assert!(matches!(error, OpenError::Handshake(HandshakeError::EndOfStream)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_sent_is_misuse_and_writes_nothing() {
    let (near, mut far) = duplex(4096);
    let error = connect(near, Request::get("/chat").body(()).unwrap(), config()).await.err().unwrap();
    assert!(matches!(error, OpenError::Misuse(ApiMisuse::UnusableUri)), "{error:?}");
    assert_eq!(far.read_u8().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test(start_paused = true)]
async fn streams_that_buffer_are_flushed() {
    let (near, far) = duplex(4096);
    let server = tokio::spawn(async {
        let incoming = accept(Buffering::new(far), config()).await.unwrap();
        incoming.accept(Acceptance::default()).await.unwrap()
    });
    connect(Buffering::new(near), request(), config()).await.unwrap();
    server.await.unwrap();
}

#[test]
fn errors_are_small() {
    assert!(size_of::<OpenError>() <= 32);
    assert!(size_of::<Incoming<DuplexStream>>() <= 8);
}

/// Reads the request of a client.
async fn read_head(stream: &mut DuplexStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
}

/// Settings by which the client's key is that of RFC 6455 §1.3.
fn sample_key() -> Config {
    let nonce = |buf: &mut [u8]| {
        buf.iter_mut().zip(b"the sample nonce".iter().cycle()).for_each(|(to, from)| *to = *from)
    };
    Config::builder().entropy(Entropy::from_fn(nonce)).build().unwrap()
}

/// The response that accepts that key.
const ACCEPTING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Holds back what is written until it is flushed, as TLS may.
struct Buffering {
    stream: DuplexStream,
    held: Vec<u8>,
}

impl Buffering {
    fn new(stream: DuplexStream) -> Self {
        Self { stream, held: Vec::new() }
    }
}

impl AsyncRead for Buffering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Buffering {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.held.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, held } = &mut *self;
        while !held.is_empty() {
            let written = std::task::ready!(Pin::new(&mut *stream).poll_write(cx, held))?;
            held.drain(..written);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
