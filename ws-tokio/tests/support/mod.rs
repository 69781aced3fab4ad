//! Streams that show what reaches them, and frames written by hand.
#![allow(dead_code, unreachable_pub, clippy::allow_attributes, reason = "each test file uses what it needs")]

use bytes::BytesMut;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, ReadBuf};
use ws_proto::{Config, Negotiated, Role};
use ws_tokio::WebSocket;

/// A stream that counts the writes it takes.
#[derive(Debug)]
pub struct Counted<S> {
    pub stream: S,
    pub writes: Arc<AtomicUsize>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        if written.is_ready() {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A server over a pipe of `capacity` bytes, the raw other end, and the number of writes so far.
pub fn server(
    capacity: usize,
    config: Config,
) -> (WebSocket<Counted<DuplexStream>>, DuplexStream, Arc<AtomicUsize>) {
    let (near, far) = tokio::io::duplex(capacity);
    let writes = Arc::new(AtomicUsize::new(0));
    let stream = Counted { stream: near, writes: Arc::clone(&writes) };
    let ws = WebSocket::from_parts(stream, BytesMut::new(), Negotiated::new(Role::Server), config);
    (ws, far, writes)
}

/// A server and a client over a pipe of `capacity` bytes.
pub fn pair(capacity: usize) -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (near, far) = tokio::io::duplex(capacity);
    let of = |stream, role| {
        WebSocket::from_parts(stream, BytesMut::new(), Negotiated::new(role), Config::default())
    };
    (of(near, Role::Server), of(far, Role::Client))
}

/// A client's text frame of at most 125 bytes, masked with zeros.
pub fn masked_text(text: &str) -> Vec<u8> {
    let len = u8::try_from(text.len()).unwrap();
    [&[0x81, 0x80 | len, 0, 0, 0, 0], text.as_bytes()].concat()
}

/// A server's text frame of at most 125 bytes.
pub fn text(text: &str) -> Vec<u8> {
    [&[0x81, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

/// Reads exactly as many bytes as are expected, and compares.
pub async fn expect(stream: &mut DuplexStream, expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    stream.read_exact(&mut got).await.unwrap();
    assert_eq!(got, expected);
}
