//! Sending a message as a byte stream.

use crate::Error;
use crate::driver::{Reader, Shared};
use crate::outgoing::Piece;
use crate::wakers::Slot;
use bytes::BytesMut;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite};
use ws_proto::{CloseCode, MessageKind, SendRefusal};

/// One message to send, as a byte stream: for messages that do not fit in memory. See [`send_writer`](crate::WebSocket::send_writer).
///
/// What is written leaves in fragments (RFC 6455 §5.4) of `fragment_bytes`, where the [`Config`](ws_proto::Config) sets it, else of
/// 64 KiB; `flush` sends what has come of the next one. Writing waits while `max_send_queue_bytes` are queued, so the writer is no faster
/// than the peer. Control frames may leave in between, other messages may not. Compressed it is where that was negotiated.
///
/// **[`finish`](Self::finish) ends the message**, and gives the socket back. For code that knows an [`AsyncWrite`] only, `shutdown` ends it
/// too; nothing can be written behind it, and the writer stays until it is dropped.
///
/// # Dropping it unfinished
/// As long as no fragment was queued, there was no message: what was written is forgotten, and the socket is as before. Else the peer has
/// a part of a message that nothing can take back, so the connection is closed with 1011.
///
/// # Errors
/// The [`Error`] lies inside of the [`io::Error`], whose kind is `BrokenPipe` where the connection is closed for sending, `InvalidData`
/// where a text is not UTF-8, and the stream's own where that failed. After an error the message cannot be finished: it goes as if the
/// writer had been dropped then.
///
/// # Cancel safety
/// Writes are cancel safe, as far as the method that is used is (`write` is, `write_all` is not). `flush` and `shutdown` are: call them
/// again. `finish` has the writer, so a cancelled one has ended: see there.
///
/// # Example
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ws_tokio::MessageKind;
///
/// # let (near, far) = tokio::io::duplex(4096);
/// # let of = |stream, role| {
/// #     ws_tokio::WebSocket::from_parts(stream, Default::default(), ws_proto::Negotiated::new(role), ws_proto::Config::default())
/// # };
/// # let (mut socket, mut peer) = (of(near, ws_proto::Role::Server), of(far, ws_proto::Role::Client));
/// # let receiving = tokio::spawn(async move { peer.recv().await });
/// # let mut file = &[7; 1_000_000][..];
/// let mut message = socket.send_writer(MessageKind::Binary);
/// tokio::io::copy(&mut file, &mut message).await?;
/// message.finish().await?;
/// socket.send("that was all").await?;
/// # assert_eq!(receiving.await??.unwrap().len(), 1_000_000);
/// # Ok(()) }
/// ```
pub struct MessageWriter<'a, S: AsyncRead + AsyncWrite + Unpin> {
    shared: &'a Arc<Shared<S>>,
    reader: Option<&'a mut Reader>,
    kind: MessageKind,
    fragment_bytes: usize,
    /// What was written and not queued. Invariant: at most `fragment_bytes` long.
    buf: BytesMut,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing of the message was queued.
    Fresh,
    /// A part of it was.
    Open,
    /// All of it was.
    Finished,
    /// It cannot be finished.
    Failed,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> MessageWriter<'a, S> {
    pub(crate) fn new(shared: &'a Arc<Shared<S>>, reader: Option<&'a mut Reader>, kind: MessageKind) -> Self {
        let fragment_bytes = shared.lock().connection.config().fragment_bytes().unwrap_or(FRAGMENT_BYTES);
        Self { shared, reader, kind, fragment_bytes, buf: BytesMut::new(), state: State::Fresh }
    }

    /// Ends the message: sends what is left as its last fragment, an empty one if nothing is, and waits until it was handed to the stream.
    ///
    /// # Errors
    /// As writing ([`MessageWriter`]). The message has not arrived as a whole then, unless the stream failed behind it.
    ///
    /// # Cancel safety
    /// Not safe while it waits for room in the queue: the writer is dropped with it, unfinished. Once the last fragment is queued, the message
    /// leaves without it, as after a cancelled `flush`.
    pub async fn finish(mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_finish(cx)).await
    }

    /// Queues the last fragment, and waits until it was handed to the stream.
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.state {
            State::Fresh | State::Open => ready!(self.poll_queue(cx, true))?,
            State::Finished => {}
            State::Failed => return Poll::Ready(Err(ended())),
        }
        self.shared.poll_flush(Slot::Sender, cx).map_err(into_io)
    }

    /// Waits for room, and queues what was written as a fragment.
    fn poll_queue(&mut self, cx: &mut Context<'_>, fin: bool) -> Poll<io::Result<()>> {
        let room = ready!(self.shared.poll_room(self.reader.as_deref_mut(), cx));
        let payload = self.buf.split().freeze();
        let queued = room.and_then(|()| self.shared.feed(Piece { kind: self.kind, payload, fin }));
        if queued.is_ok() {
            self.state = if fin { State::Finished } else { State::Open };
        } else {
            self.give_up();
        }
        Poll::Ready(queued.map_err(into_io))
    }

    /// The message will not be finished.
    fn give_up(&mut self) {
        if self.state == State::Open {
            // 1011 may be sent.
            let _sendable =
                self.shared.start_closing(CloseCode::INTERNAL_ERROR, "a message was left unfinished");
        }
        self.state = State::Failed;
    }

    fn is_ended(&self) -> bool {
        matches!(self.state, State::Finished | State::Failed)
    }
}

fn ended() -> io::Error {
    io::Error::new(ErrorKind::BrokenPipe, "the message has ended")
}

fn into_io(error: Error) -> io::Error {
    let kind = match &error {
        Error::Io(error) => error.kind(),
        Error::Refused { refusal: SendRefusal::Closed, .. } => ErrorKind::BrokenPipe,
        Error::Refused { refusal: SendRefusal::InvalidUtf8, .. } => ErrorKind::InvalidData,
        _ => ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for MessageWriter<'_, S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.is_ended() {
            return Poll::Ready(Err(ended()));
        }
        if this.buf.len() == this.fragment_bytes {
            ready!(this.poll_queue(cx, false))?;
        }
        let n = buf.len().min(this.fragment_bytes - this.buf.len());
        this.buf.extend_from_slice(buf.get(..n).unwrap_or(buf));
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.buf.is_empty() {
            ready!(this.poll_queue(cx, false))?;
        }
        this.shared.poll_flush(Slot::Sender, cx).map_err(into_io)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_finish(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Drop for MessageWriter<'_, S> {
    fn drop(&mut self) {
        if !self.is_ended() {
            self.give_up();
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> fmt::Debug for MessageWriter<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageWriter").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Bytes of a fragment where nothing else is said: large enough that its header and its write cost nothing beside it.
const FRAGMENT_BYTES: usize = 64 << 10;
