//! Bytes to and from a handshake of the core, by its timer.

use bytes::{Buf, BytesMut};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use ws_proto::handshake::{ClientHandshake, ClientHandshakeEvent, ServerHandshake, ServerHandshakeEvent};
use ws_proto::{Transmit, Transport};

/// What the two handshakes of the core have in common.
pub(super) trait Opening {
    type Event;
    fn poll_event(&mut self, input: &mut &[u8]) -> Option<Self::Event>;
    fn handle_eof(&mut self);
    fn handle_timeout(&mut self);
    fn poll_timeout(&self) -> Option<std::time::Instant>;
    fn transmit(&mut self) -> &mut Transmit;
}

macro_rules! opening {
    ($handshake:ty, $event:ty) => {
        impl Opening for $handshake {
            type Event = $event;
            fn poll_event(&mut self, input: &mut &[u8]) -> Option<$event> {
                self.poll_event(input, now())
            }
            fn handle_eof(&mut self) {
                self.handle_eof(now());
            }
            fn handle_timeout(&mut self) {
                self.handle_timeout(now());
            }
            fn poll_timeout(&self) -> Option<std::time::Instant> {
                self.poll_timeout()
            }
            fn transmit(&mut self) -> &mut Transmit {
                self.transmit()
            }
        }
    };
}

opening!(ClientHandshake, ClientHandshakeEvent);
opening!(ServerHandshake, ServerHandshakeEvent);

/// Writes and reads until the handshake has something to tell. What came behind the head is then in `input`.
pub(super) async fn drive<S, H>(
    stream: &mut S,
    handshake: &mut H,
    input: &mut BytesMut,
) -> io::Result<H::Event>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Opening,
{
    loop {
        let mut rest = &input[..];
        let event = handshake.poll_event(&mut rest);
        let taken = input.len() - rest.len();
        input.advance(taken);
        if let Some(event) = event {
            return Ok(event);
        }
        let deadline = handshake.poll_timeout();
        if !handshake.transmit().is_empty() {
            if by(deadline, write(stream, handshake.transmit())).await?.is_none() {
                handshake.handle_timeout();
            }
            continue;
        }
        input.reserve(CHUNK_BYTES);
        match by(deadline, stream.read_buf(input)).await? {
            Some(0) => handshake.handle_eof(),
            Some(_) => {}
            None => handshake.handle_timeout(),
        }
    }
}

/// Writes a refusal, shuts down the write side, and discards what the client still sends until the core says that it is time to close.
pub(super) async fn refuse<S>(stream: &mut S, handshake: &mut ServerHandshake) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let deadline = handshake.poll_timeout();
    if by(deadline, write(stream, handshake.transmit())).await?.is_none() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    // The response is out. From here on failures only mean that the client does not want it.
    if handshake.transport() == Transport::ShutdownWrite
        && !matches!(by(deadline, stream.shutdown()).await, Ok(Some(())))
    {
        return Ok(());
    }
    let mut discarded = BytesMut::with_capacity(CHUNK_BYTES);
    while handshake.transport() != Transport::Close {
        discarded.clear();
        match by(deadline, stream.read_buf(&mut discarded)).await {
            Ok(Some(0)) => handshake.handle_eof(now()),
            // Also behind bytes: a client that never stops sending uses up the task's budget, and then no timer is looked at.
            Ok(Some(_) | None) => handshake.handle_timeout(now()),
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

pub(super) async fn write<S: AsyncWrite + Unpin>(stream: &mut S, transmit: &mut Transmit) -> io::Result<()> {
    while !transmit.is_empty() {
        // A head lies in one piece: a gathered write of one piece takes longer.
        let written = stream.write(transmit.chunk()).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        transmit.advance(written);
    }
    stream.flush().await
}

/// What `io` gives, or `None` where the deadline comes first.
pub(super) async fn by<T>(
    deadline: Option<std::time::Instant>,
    io: impl Future<Output = io::Result<T>>,
) -> io::Result<Option<T>> {
    match deadline {
        None => io.await.map(Some),
        Some(deadline) => match timeout_at(deadline.into(), io).await {
            Ok(result) => result.map(Some),
            Err(_) => Ok(None),
        },
    }
}

/// The clock of the runtime, so that a test can stop it.
pub(super) fn now() -> std::time::Instant {
    Instant::now().into_std()
}

/// A usual request has 200 to 700 bytes: one read. What comes behind it is handed on, so there is no use in reading far ahead.
const CHUNK_BYTES: usize = 1024;
