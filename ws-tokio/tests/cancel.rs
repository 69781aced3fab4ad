//! Futures dropped after every number of polls, over a stream that is interrupted at every byte: nothing is lost, doubled or reordered.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_proto::{CloseCode, Config, Message, Negotiated, Role};
use ws_tokio::{Error, WebSocket};

/// A stream that brings its input in given pieces, takes output in pieces of given size, and is not ready in between.
#[derive(Debug)]
struct Choppy {
    pieces: VecDeque<Vec<u8>>,
    most_out: usize,
    /// The other half of all polls: not ready.
    read_ready: bool,
    write_ready: bool,
    written: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for Choppy {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.read_ready = !self.read_ready;
        if !self.read_ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(mut piece) = self.pieces.pop_front() {
            let rest = piece.split_off(piece.len().min(buf.remaining()));
            buf.put_slice(&piece);
            if !rest.is_empty() {
                self.pieces.push_front(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Choppy {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.write_ready = !self.write_ready;
        if !self.write_ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let n = buf.len().min(self.most_out);
        self.written.lock().unwrap().extend_from_slice(&buf[..n]);
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Polls `future` at most `polls` times, then drops it.
fn within<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Some(output);
        }
    }
    None
}

/// Calls `again` until one of its futures is ready within `polls`.
fn insist<T>(polls: usize, mut again: impl AsyncFnMut() -> T) -> T {
    for _ in 0..1_000_000 {
        if let Some(output) = within(polls, again()) {
            return output;
        }
    }
    panic!("no progress within a million calls");
}

/// A masked client's frame of up to 65,535 bytes.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let len = match payload.len() {
        len @ 0..126 => vec![0x80 | u8::try_from(len).unwrap()],
        len => [&[0x80 | 126], &u16::try_from(len).unwrap().to_be_bytes()[..]].concat(),
    };
    let key = [0x12, 0x34, 0x56, 0x78];
    let masked = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
    [&[first][..], &len, &key].concat().into_iter().chain(masked).collect()
}

/// What a client sends: messages whole and in fragments, a ping in between, and a Close frame.
fn client_bytes(large: usize) -> Vec<u8> {
    [
        frame(0x81, "κόσμε".as_bytes()),
        frame(0x02, b"frag"),
        frame(0x89, b"ping"),
        frame(0x80, b"ment"),
        frame(0x82, &vec![7; large]),
        frame(0x81, b""),
        frame(0x88, &[0x03, 0xE8]),
    ]
    .concat()
}

/// What an echo answers.
fn server_bytes(large: usize) -> Vec<u8> {
    let large_header = [&[0x82, 126], &u16::try_from(large).unwrap().to_be_bytes()[..]].concat();
    [
        b"\x81\x0A",
        "κόσμε".as_bytes(),
        b"\x8A\x04ping",
        b"\x82\x08fragment",
        &large_header,
        &vec![7; large],
        b"\x81\x00",
        &[0x88, 2, 0x03, 0xE8],
    ]
    .concat()
}

/// Runs an echo whose every future is dropped after `polls` polls, and returns what it wrote.
fn echo(pieces: Vec<Vec<u8>>, most_out: usize, polls: usize) -> Vec<u8> {
    let written = Arc::new(Mutex::new(Vec::new()));
    let stream = Choppy {
        pieces: pieces.into(),
        most_out,
        read_ready: false,
        write_ready: false,
        written: Arc::clone(&written),
    };
    let negotiated = Negotiated::new(Role::Server);
    let mut ws = WebSocket::from_parts(stream, Default::default(), negotiated, Config::default());
    while let Some(message) = insist(polls, async || ws.recv().await).unwrap() {
        // Without a runtime each send writes through: dropped behind the queueing, it leaves with the next call.
        if within(polls, ws.send(message)).is_none() {
            insist(polls, async || ws.flush().await).unwrap();
        }
    }
    drop(ws);
    Arc::into_inner(written).unwrap().into_inner().unwrap()
}

#[test]
fn a_loop_of_dropped_futures_loses_nothing_wherever_the_input_is_cut() {
    const LARGE: usize = 300;
    let (input, expected) = (client_bytes(LARGE), server_bytes(LARGE));
    for cut in 1..input.len() {
        let (front, back) = input.split_at(cut);
        for polls in 1..=3 {
            let written = echo(vec![front.to_vec(), back.to_vec()], usize::MAX, polls);
            assert_eq!(written, expected, "cut at {cut}, {polls} polls");
        }
    }
}

#[test]
fn a_loop_of_dropped_futures_loses_nothing_wherever_the_output_stalls() {
    const LARGE: usize = 300;
    let (input, expected) = (client_bytes(LARGE), server_bytes(LARGE));
    for most_out in 1..expected.len() {
        for polls in 1..=3 {
            assert_eq!(
                echo(vec![input.clone()], most_out, polls),
                expected,
                "{most_out} bytes a write, {polls} polls"
            );
        }
    }
}

#[test]
fn a_loop_of_dropped_futures_loses_nothing_byte_by_byte() {
    // Long enough to be read straight into the message's own memory.
    const LARGE: usize = 40_000;
    let (input, expected) = (client_bytes(LARGE), server_bytes(LARGE));
    for polls in 1..=2 {
        let pieces = input.iter().map(|byte| vec![*byte]).collect();
        assert_eq!(echo(pieces, 1, polls), expected);
    }
}

#[tokio::test]
async fn with_a_runtime_too_a_dropped_receive_loses_nothing() {
    let (near, far) = tokio::io::duplex(7);
    let mut ws =
        WebSocket::from_parts(near, Default::default(), Negotiated::new(Role::Server), Config::default());
    let mut client =
        WebSocket::from_parts(far, Default::default(), Negotiated::new(Role::Client), Config::default());
    let client = tokio::spawn(async move {
        for i in 0..100_u8 {
            client.send(vec![i; usize::from(i)]).await?;
            assert_eq!(client.recv().await?, Some(Message::from(vec![i; usize::from(i)])));
        }
        client.close(CloseCode::NORMAL, "").await.map(|_| ())
    });
    loop {
        // Whatever else is ready first wins, and the receive is dropped in the middle.
        let received = tokio::select! {
            biased;
            () = tokio::task::yield_now() => continue,
            received = ws.recv() => received,
        };
        let Some(message) = received.unwrap() else { break };
        ws.send(message).await.unwrap();
    }
    client.await.unwrap().unwrap();
    assert!(matches!(ws.send("more").await, Err(Error::Refused { .. })));
}
