//! What goes out, and what is not taken: every queue is bounded.

use super::*;
use std::cell::Cell;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_proto::{Message, SendRefusal};
use ws_tokio::WebSocket;

#[test]
fn a_peer_that_does_not_read_costs_the_mark_and_one_message() {
    for role in ROLES {
        for len in [100, 10_000] {
            let mark = 256 << 10;
            let mut connection = connection(role, config().max_send_queue_bytes(mark));
            let held = peak(|| {
                let refused = loop {
                    if let Err(refused) = connection.send(Message::binary(vec![7; len])) {
                        break refused;
                    }
                };
                assert_eq!(refused.refusal(), SendRefusal::QueueFull);
            });
            let most = (mark + len) as u64;
            assert!(held <= 3 * most + 4 * KIB, "{role:?}: {held} bytes for messages of {len}, mark {mark}");
        }
    }
}

#[test]
fn a_flood_of_pings_from_a_peer_that_does_not_read_is_answered_with_a_bounded_queue() {
    for role in ROLES {
        let mut connection = connection(role, config().max_control_frames(u32::MAX));
        let mut bytes = bytes_for(role, (0..20_000_u32).map(|i| RawFrame::ping(i.to_be_bytes().repeat(31))));
        let held = peak(|| assert!(!feed(&mut connection, &mut bytes, 64 << 10)));
        assert!(held <= 16 * KIB, "{role:?}: {held} bytes for 20,000 pings");
        let sent = ws_testkit::wire(&mut connection, &mut Default::default());
        let frames = ws_testkit::raw::read_all(&sent).unwrap();
        assert_eq!(
            frames.last().map(|frame| frame.payload.clone()),
            Some(19_999_u32.to_be_bytes().repeat(31))
        );
    }
}

#[test]
fn pings_and_sends_together_stay_bounded() {
    for role in ROLES {
        let mark = 64 << 10;
        let limits = config().max_control_frames(u32::MAX).max_send_queue_bytes(mark);
        let mut connection = connection(role, limits);
        let mut bytes = bytes_for(role, [RawFrame::ping([7; 125])]);
        let original = bytes.clone();
        let held = peak(|| {
            for _ in 0..10_000 {
                bytes.copy_from_slice(&original);
                feed(&mut connection, &mut bytes, usize::MAX);
                let _refused = connection.send(Message::binary(vec![7; 1000]));
            }
        });
        assert!(held <= 3 * (mark as u64 + KIB) + 16 * KIB, "{role:?}: {held} bytes");
    }
}

/// A peer that always has more to say, and reads nothing.
struct Firehose {
    frame: Vec<u8>,
    at: usize,
    read: Rc<Cell<usize>>,
}

impl AsyncRead for Firehose {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.read.set(self.read.get() + buf.remaining());
        while buf.remaining() > 0 {
            let rest = &self.frame[self.at..];
            let n = rest.len().min(buf.remaining());
            buf.put_slice(&rest[..n]);
            self.at = (self.at + n) % self.frame.len();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Firehose {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn firehose(config: ws_proto::ConfigBuilder) -> (WebSocket<Firehose>, Rc<Cell<usize>>) {
    let read = Rc::new(Cell::new(0));
    let frame = bytes_for(Role::Server, [RawFrame::binary(vec![7; 1000])]);
    let stream = Firehose { frame, at: 0, read: Rc::clone(&read) };
    let config = config.build().unwrap();
    (WebSocket::from_local_parts(stream, Default::default(), Negotiated::new(Role::Server), config), read)
}

fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn the_socket_is_not_read_while_the_application_does_not_take_messages() {
    let (mut socket, read) = firehose(config());
    let held = peak(|| {
        assert!(matches!(poll_once(socket.recv()), Poll::Ready(Ok(Some(_)))));
        let read_once = read.get();
        assert!(read_once <= 256 << 10, "{read_once} bytes for one message");
        // The application does other things now; what it does with the socket does not read either.
        for _ in 0..100 {
            let _not_writable = poll_once(socket.flush());
        }
        assert_eq!(read.get(), read_once);
        // Nor do the messages that are there already.
        assert!(matches!(poll_once(socket.recv()), Poll::Ready(Ok(Some(_)))));
        assert_eq!(read.get(), read_once);
    });
    assert!(held <= 262 * KIB, "{held} bytes: one receive buffer");
}

#[test]
fn an_echo_to_a_peer_that_does_not_read_stops_reading_too() {
    let mark = 32 << 10;
    let (mut socket, read) = firehose(config().max_send_queue_bytes(mark));
    let mut echoed = 0;
    let held = peak(|| {
        loop {
            let Poll::Ready(Ok(Some(message))) = poll_once(socket.recv()) else {
                panic!("there is always more")
            };
            // Without a runtime a send waits until it is written, and so does the next.
            if poll_once(socket.send(message)).is_pending() {
                echoed += 1;
            }
            if socket_is_full(&mut socket) {
                break;
            }
        }
        let before = read.get();
        for _ in 0..100 {
            assert!(poll_once(socket.send("more")).is_pending());
        }
        assert_eq!(read.get(), before, "a send that waits does not read");
    });
    assert!(echoed <= mark / 1000 + 2, "{echoed} messages of 1,000 bytes were taken, the mark is {mark}");
    assert!(held <= 3 * (mark as u64 + KIB) + 262 * KIB, "{held} bytes");
}

/// Would the next send wait for room?
fn socket_is_full(socket: &mut WebSocket<Firehose>) -> bool {
    use futures_util::SinkExt;
    poll_once(futures_util::future::poll_fn(|cx| socket.poll_ready_unpin(cx))).is_pending()
}
