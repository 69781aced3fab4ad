//! Reading, writing and waiting for a raw endpoint.

use bytes::Buf;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, sleep_until, timeout};

use crate::peer::{Peer, PeerEvent, State, Timer};
use crate::play::Play;
use crate::run::Stream;

/// Plays a case over a stream until either end has given it up.
pub(crate) async fn drive(peer: &mut Peer, play: &mut Play, stream: &mut impl Stream) {
    let mut buffer = vec![0; 64 << 10];
    let mut wire = Wire { writable: true, unflushed: false, begun: false };
    loop {
        while let Some(event) = peer.next_event(Instant::now()) {
            if event == PeerEvent::Broken {
                // What was queued may or may not arrive.
                return;
            }
            play.event(event, peer, Instant::now());
        }
        if peer.state == State::Closed {
            return wire.give_up(peer, stream).await;
        }
        if peer.shutdown_write && peer.out.is_empty() && wire.writable {
            wire.writable = false;
            let _ = stream.shutdown().await;
        }
        if !wire.writable {
            peer.out.clear();
        }
        match wire.wait(peer, stream, &mut buffer).await {
            Woken::Read(Ok(0) | Err(_)) => {
                if !peer.closing.was_clean && peer.closing.not_clean_reason.is_none() {
                    peer.closing.not_clean_reason =
                        Some("the endpoint ended the connection without a closing handshake");
                }
                return;
            }
            Woken::Read(Ok(len)) => {
                let read = buffer.get(..len).unwrap_or_default();
                peer.input().extend_from_slice(read);
                peer.read(len);
            }
            Woken::Wrote(Ok(len)) => wire.wrote(peer, len).await,
            // What the endpoint sent before it broke the connection is still read.
            Woken::Wrote(Err(_)) => wire.writable = false,
            Woken::Deadline => {
                while let Some(timer) = peer.due(Instant::now()) {
                    match timer {
                        Timer::CloseHandshake | Timer::ServerDrop => peer.timed_out(timer),
                        _ => play.timer(timer, peer, Instant::now()),
                    }
                }
            }
        }
    }
}

enum Woken {
    Read(io::Result<usize>),
    Wrote(io::Result<usize>),
    Deadline,
}

/// How writing stands.
struct Wire {
    writable: bool,
    unflushed: bool,
    /// The chunk in front was begun.
    begun: bool,
}

impl Wire {
    /// Waits until something was read or written, or a timer is due. Reading goes first.
    async fn wait(&mut self, peer: &mut Peer, stream: &mut impl Stream, buffer: &mut [u8]) -> Woken {
        if let (false, Some(chunk)) = (self.begun, peer.out.front()) {
            self.begun = true;
            if chunk.paced {
                let piece = chunk.bytes.clone();
                peer.writing(&piece);
            }
        }
        let mut sleep = pin!(peer.next_deadline().map(sleep_until));
        poll_fn(|cx| {
            let mut read = ReadBuf::new(buffer);
            if let Poll::Ready(result) = Pin::new(&mut *stream).poll_read(cx, &mut read) {
                return Poll::Ready(Woken::Read(result.map(|()| read.filled().len())));
            }
            if let Some(chunk) = peer.out.front() {
                if let Poll::Ready(result) = Pin::new(&mut *stream).poll_write(cx, &chunk.bytes) {
                    return Poll::Ready(Woken::Wrote(result));
                }
            } else if self.unflushed && Pin::new(&mut *stream).poll_flush(cx).is_ready() {
                self.unflushed = false;
            }
            match sleep.as_mut().as_pin_mut() {
                Some(sleep) => sleep.poll(cx).map(|()| Woken::Deadline),
                None => Poll::Pending,
            }
        })
        .await
    }

    async fn wrote(&mut self, peer: &mut Peer, len: usize) {
        self.unflushed = true;
        let Some(chunk) = peer.out.front_mut() else { return };
        chunk.bytes.advance(len);
        if chunk.bytes.is_empty() {
            let paced = chunk.paced;
            peer.out.pop_front();
            self.begun = false;
            if paced {
                // The endpoint is to see the piece by itself, where it can.
                tokio::task::yield_now().await;
            }
        }
    }

    /// Ends our side: with what is still to be written, unless it is to be torn down.
    async fn give_up(&self, peer: &mut Peer, stream: &mut impl Stream) {
        let rest = async {
            if !peer.abort && self.writable {
                while let Some(chunk) = peer.out.pop_front() {
                    stream.write_all(&chunk.bytes).await?;
                }
            }
            stream.shutdown().await
        };
        // The endpoint has no claim to our patience here, and an error changes nothing any more.
        let _ = timeout(LAST_WRITE, rest).await;
    }
}

const LAST_WRITE: Duration = Duration::from_secs(1);
