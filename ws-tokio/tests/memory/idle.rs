//! What a connection owns that waits.

use super::*;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf, join, sink};
use tokio::task::coop::unconstrained;
use ws_proto::deflate::DeflateParams;
use ws_proto::{Config, Pool};
use ws_tokio::WebSocket;

/// Brings its input once, and owns nothing.
struct Quiet(&'static [u8]);

impl AsyncRead for Quiet {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (now, later) = self.0.split_at(self.0.len().min(buf.remaining()));
        if now.is_empty() {
            return Poll::Pending;
        }
        buf.put_slice(now);
        self.0 = later;
        Poll::Ready(Ok(()))
    }
}

/// What each of many sockets owns that got a message, sent it back, and waits for the next.
fn idle_bytes(negotiated: &Negotiated, config: Config) -> i64 {
    const SOCKETS: i64 = 200;
    let config = std::sync::Arc::new(config);
    let message = bytes_for(Role::Server, [RawFrame::text("a".repeat(1000))]).leak();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut sockets = Vec::with_capacity(usize::try_from(SOCKETS).unwrap());
    let mut round = |count: i64| {
        kept(|| {
            // All within one poll: its budget does not suffice, and what the sink does not take waits in a queue.
            runtime.block_on(unconstrained(async {
                for _ in 0..count {
                    let stream = join(Quiet(message), sink());
                    let mut socket = WebSocket::from_parts(
                        stream,
                        Default::default(),
                        negotiated.clone(),
                        std::sync::Arc::clone(&config),
                    );
                    let echoed = socket.recv().await.unwrap().unwrap();
                    socket.send(echoed).await.unwrap();
                    let wait = |cx: &mut Context<'_>| {
                        assert!(std::pin::pin!(socket.recv()).poll(cx).is_pending());
                        Poll::Ready(())
                    };
                    std::future::poll_fn(wait).await;
                    sockets.push(socket);
                }
            }));
        })
    };
    // What the thread and the runtime need once is no cost of a socket.
    round(10);
    round(SOCKETS - 10) / (SOCKETS - 10)
}

#[test]
fn an_idle_socket_owns_no_buffer() {
    let bytes = idle_bytes(&Negotiated::new(Role::Server), config().build().unwrap());
    println!("an idle socket: {bytes} bytes");
    assert!(bytes <= 608, "{bytes} bytes");
}

#[test]
fn an_idle_socket_without_context_takeover_owns_no_context() {
    let params = DeflateParams {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        ..Default::default()
    };
    let negotiated = Negotiated::new(Role::Server).with_deflate(params);
    let bytes = idle_bytes(&negotiated, config().build().unwrap());
    println!("an idle socket with deflate: {bytes} bytes");
    assert!(bytes <= 1000, "{bytes} bytes");
}

#[test]
fn a_connection_of_the_core_gives_everything_back() {
    for role in ROLES {
        let settings = config().entropy(entropy(1));
        let mut connection = connection(role, settings);
        let mut pool = Pool::new();
        let bytes = bytes_for(role, [RawFrame::text("a".repeat(5000)), RawFrame::ping("are you there?")]);
        // Once for what the pool keeps.
        for round in 0..2 {
            let mut bytes = bytes.clone();
            let kept = kept(|| {
                connection.lend(&mut pool);
                feed(&mut connection, &mut bytes, 700);
                connection.send("Hello".into()).unwrap();
                let transmit = connection.transmit();
                bytes::Buf::advance(transmit, transmit.len());
                connection.reclaim(&mut pool);
            });
            assert!(round == 0 || kept == 0, "{role:?}: {kept} bytes are kept");
        }
    }
}
