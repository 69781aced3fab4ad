//! What hostile or careless peers do to a socket.

mod support;

use bytes::BytesMut;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use support::{masked_text, server};
use tokio::io::{AsyncRead, AsyncWriteExt, Join, ReadBuf, Sink, join, sink};
use tokio::task::coop;
use ws_proto::handshake::HandshakeError;
use ws_proto::{Config, Failure, LimitError, Message, Negotiated, Role};
use ws_tokio::{Error, OpenError, WebSocket};

/// A client that asks for nothing sensible and never stops sending; a stream of the system's could not give more.
#[derive(Debug)]
struct Flood;

impl AsyncRead for Flood {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(pin!(coop::consume_budget()).poll(cx));
        buf.initialize_unfilled();
        buf.advance(buf.remaining());
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_client_that_never_stops_sending_behind_its_refusal_is_not_listened_to_for_ever() {
    let config = Config::builder().close_timeout(Duration::from_millis(2)).build().unwrap();
    let refused =
        tokio::time::timeout(Duration::from_secs(60), ws_tokio::accept(join(Flood, sink()), config));
    let error = refused.await.expect("it is given up").unwrap_err();
    assert!(matches!(error, OpenError::Handshake(HandshakeError::ControlCharacter)), "{error}");
}

/// A stream with some bytes, and then an end that TLS calls unexpected: no `close_notify` came.
#[derive(Debug)]
struct Truncated(&'static [u8]);

impl AsyncRead for Truncated {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.0.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        let (front, rest) = self.0.split_at(self.0.len().min(buf.remaining()));
        buf.put_slice(front);
        self.0 = rest;
        Poll::Ready(Ok(()))
    }
}

fn truncated(bytes: &'static [u8], role: Role) -> WebSocket<Join<Truncated, Sink>> {
    let stream = join(Truncated(bytes), sink());
    WebSocket::from_parts(stream, BytesMut::new(), Negotiated::new(role), Config::default())
}

#[tokio::test]
async fn an_end_of_tls_without_close_notify_is_clean_behind_a_close_frame_and_a_failure_without() {
    let mut client = truncated(&[0x88, 2, 0x03, 0xE8], Role::Client);
    assert_eq!(client.recv().await.unwrap(), None);
    let mut server = truncated(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8], Role::Server);
    assert_eq!(server.recv().await.unwrap(), None);
    // A message that was cut off by an attacker is never taken for a whole one.
    let mut client = truncated(&[0x81, 5, b'h', b'a', b'l', b'f'], Role::Client);
    assert!(matches!(client.recv().await, Err(Error::Failed(Failure::EndOfStream))));
}

#[tokio::test]
async fn a_flood_of_fragments_byte_by_byte_ends_at_the_limit_with_1008() {
    let config = Config::builder().max_fragments(100).build().unwrap();
    let (mut ws, mut peer, _) = server(64, config);
    let flood = tokio::spawn(async move {
        peer.write_all(&[0x02, 0x80, 0, 0, 0, 0]).await.unwrap();
        // The other end stops reading at some time.
        while peer.write_all(&[0x00, 0x81, 0, 0, 0, 0, 7]).await.is_ok() {}
    });
    let error = ws.recv().await.unwrap_err();
    let limit = LimitError::TooManyFragments { limit: 100, actual: 101 };
    assert!(matches!(error, Error::Failed(Failure::Limit(told)) if told == limit), "{error:?}");
    drop(ws);
    flood.abort();
}

#[tokio::test(start_paused = true)]
async fn an_application_that_does_not_receive_stops_the_reading() {
    // The pipe takes as much as its capacity and the receive buffer; then the peer waits, and no memory grows.
    let (mut ws, mut peer, _) = server(1 << 10, Config::default());
    let frame = masked_text("a message of some bytes");
    let mut written = 0;
    while tokio::time::timeout(Duration::from_millis(20), peer.write_all(&frame)).await.is_ok() {
        written += 1;
        assert!(written < 10_000, "nobody reads, and all is taken");
    }
    assert_eq!(ws.recv().await.unwrap(), Some(Message::from("a message of some bytes")));
}

#[tokio::test(start_paused = true)]
async fn an_application_that_waits_to_send_reads_nothing_meanwhile() {
    // The peer takes nothing and sends all the time: what it sends waits in the pipe, not with us.
    let config = Config::builder().max_send_queue_bytes(1 << 10).build().unwrap();
    let (mut ws, mut peer, _) = server(1 << 10, config);
    let sends = async {
        loop {
            ws.send(Message::from("a".repeat(1 << 10))).await.unwrap();
        }
    };
    let floods = async {
        let frame = masked_text("a message of some bytes");
        let mut written = 0;
        while tokio::time::timeout(Duration::from_millis(20), peer.write_all(&frame)).await.is_ok() {
            written += 1;
            assert!(written < 10_000, "nobody receives, and all is taken");
        }
    };
    tokio::select! {
        () = sends => {}
        () = floods => {}
    }
}
