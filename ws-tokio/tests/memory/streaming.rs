//! A message that is never in memory as a whole, in both directions.

use super::*;
use bytes::BytesMut;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncBufReadExt, AsyncRead, ReadBuf};
use ws_proto::{Config, ConfigBuilder, Delivery, MessageKind};
use ws_tokio::WebSocket;

/// So many bytes, without memory for them.
struct Zeros(u64);

impl AsyncRead for Zeros {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let n = usize::try_from(self.0).unwrap().min(buf.remaining());
        buf.initialize_unfilled_to(n);
        buf.advance(n);
        self.0 -= n as u64;
        Poll::Ready(Ok(()))
    }
}

/// Sends a message of `len` bytes and answers it with one of `back` bytes, through a pipe of 64 KiB; both ends and the pipe are in what is
/// counted.
fn exchange(len: u64, back: u64, negotiated: impl Fn(Role) -> Negotiated, config: ConfigBuilder) -> u64 {
    let config = config.delivery(Delivery::Streaming).max_message_bytes(usize::MAX).build().unwrap();
    peak(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (near, far) = tokio::io::duplex(64 << 10);
            let end = |stream, config: &Config, role| {
                WebSocket::from_parts(stream, BytesMut::new(), negotiated(role), config.clone())
            };
            let mut client = end(near, &config, Role::Client);
            let (mut receiving, mut sending) = end(far, &config, Role::Server).split();
            let there = async {
                let mut message = client.send_writer(MessageKind::Binary);
                tokio::io::copy(&mut Zeros(len), &mut message).await.unwrap();
                message.finish().await.unwrap();
                count(&mut client.recv_reader().await.unwrap().unwrap()).await
            };
            let answer = async {
                let there = count(&mut receiving.recv_reader().await.unwrap().unwrap()).await;
                let mut message = sending.send_writer(MessageKind::Binary);
                tokio::io::copy(&mut Zeros(back), &mut message).await.unwrap();
                message.finish().await.unwrap();
                there
            };
            assert_eq!(tokio::join!(there, answer), (back, len));
        });
    })
}

/// Reads to the end, and counts.
async fn count(message: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> u64 {
    let mut len = 0;
    loop {
        let piece = message.fill_buf().await.unwrap();
        if piece.is_empty() {
            return len;
        }
        assert_eq!(piece.iter().max(), Some(&0));
        let n = piece.len();
        message.consume(n);
        len += n as u64;
    }
}

#[test]
fn a_message_of_200_mib_takes_the_queue_and_the_buffers() {
    let held = exchange(200 << 20, 20 << 20, Negotiated::new, config());
    // The queue of 1 MiB, receive buffers of 256 KiB at both ends, and the pipe.
    assert!(held <= 3 * 1024 * KIB, "{held} bytes");
}

#[test]
fn a_compressed_message_of_16_mib_takes_no_more_than_its_contexts_beside_that() {
    let params = ws_proto::deflate::DeflateParams::default();
    let negotiated = |role| Negotiated::new(role).with_deflate(params);
    let deflate = ws_proto::deflate::DeflateConfig { max_ratio: u32::MAX, ..Default::default() };
    let held = exchange(16 << 20, 16 << 20, negotiated, config().deflate(deflate));
    assert!(held <= 4 * 1024 * KIB, "{held} bytes");
}
