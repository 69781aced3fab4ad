//! The sending half for many tasks.

use crate::driver::Leave;
use crate::outgoing::Outgoing;
use crate::socket::Handle;
use crate::wakers::Slot;
use crate::{Closer, Error};
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use ws_proto::{CloseCode, ControlPayload, Message, Prepared, SendRefusal};

/// The sending half of a socket, for many tasks: clones send over the same connection. See [`into_sender`](crate::SendHalf::into_sender).
///
/// Messages leave in the order in which their `send` completed. The queue is bounded by `max_send_queue_bytes` plus one message: beyond that mark `send` waits, all that wait in
/// the order in which they came, so that none starves. Nobody overtakes those who wait, not even [`try_send`](Self::try_send).
///
/// When the last clone and the receiving half are gone, the socket is closed as if it were [dropped](crate#dropping).
///
/// # Example
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use ws_proto::{Config, Negotiated, Role};
/// # use ws_tokio::{CloseCode, WebSocket};
/// # let (near, far) = tokio::io::duplex(4096);
/// # let of = |stream, role| WebSocket::from_parts(stream, Default::default(), Negotiated::new(role), Config::default());
/// # let (socket, mut peer) = (of(near, Role::Server), of(far, Role::Client));
/// let (mut receiver, sender) = socket.split();
/// let sender = sender.into_sender();
/// for name in ["one", "two", "three"] {
///     let sender = sender.clone();
///     tokio::spawn(async move { sender.send(name).await });
/// }
/// # let mut names = Vec::new();
/// # for _ in 0..3 {
/// #     names.push(peer.recv().await?.unwrap());
/// # }
/// # assert_eq!(names, ["one", "two", "three"].map(ws_tokio::Message::from));
/// # tokio::spawn(async move { peer.close(CloseCode::NORMAL, "").await });
/// while let Some(message) = receiver.recv().await? {
///     sender.send(message).await?;
/// }
/// # Ok(()) }
/// ```
pub struct Sender<S>(Arc<Inner<S>>);

struct Inner<S> {
    handle: Handle<S>,
    /// One at a time waits for room; the others wait for their turn, first come, first served. Never closed.
    turn: Semaphore,
    /// The same for those who wait until all was written: they hold up nobody who sends.
    flush_turn: Semaphore,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sender<S> {
    /// Sends a message. It waits while `max_send_queue_bytes` are queued, or others wait for that already.
    ///
    /// # Errors
    /// [`Error::Refused`] gives the message back: the connection is closed for sending, also because the stream has failed.
    /// [`Error::Io`]: the stream failed with this write, and what arrived of it is not known.
    ///
    /// # Cancel safety
    /// Cancel safe: a call that is dropped before it is ready has not queued the message, and gives up its place among those who wait.
    /// (With a stream that is not `Send` it may have queued it: see [`WebSocket::send`](crate::WebSocket::send).)
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.send_outgoing::<Message>(message.into()).await
    }

    /// Sends a message that was made ready for many connections.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn send_prepared(&self, message: &Prepared) -> Result<(), Error> {
        self.send_outgoing(message).await
    }

    /// Sends a message if that needs no waiting.
    ///
    /// # Errors
    /// As [`send`](Self::send); with [`SendRefusal::QueueFull`] the message is given back because `max_send_queue_bytes` are queued, or
    /// others wait for room.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), Error> {
        let mut message = Some(message.into());
        let sent = self.send_now(&mut message);
        if message.is_some() {
            return Err(Error::Refused { refusal: SendRefusal::QueueFull, message });
        }
        sent
    }

    /// Sends a ping, as [`WebSocket::ping`](crate::WebSocket::ping) does.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn ping(&self, payload: ControlPayload) -> Result<(), Error> {
        self.send_outgoing(payload).await
    }

    /// Waits until everything queued was handed to the stream, and the stream was flushed.
    ///
    /// # Errors
    /// [`Error::Io`]: the stream failed.
    ///
    /// # Cancel safety
    /// Cancel safe: what was not written stays queued.
    pub async fn flush(&self) -> Result<(), Error> {
        let _turn = self.0.flush_turn.acquire().await;
        poll_fn(|cx| self.0.handle.0.poll_flush(Slot::Flusher, cx)).await
    }

    /// Starts the closing handshake, as [`SendHalf::close`](crate::SendHalf::close) does. Those who wait for room get their messages
    /// back.
    ///
    /// # Errors
    /// [`Error::Io`]: the stream failed. [`Error::Misuse`]: the code must not be sent.
    ///
    /// # Cancel safety
    /// Cancel safe: the Close frame is queued by the first poll, and leaves.
    pub async fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.0.handle.0.start_closing(code, reason)?;
        self.flush().await
    }

    /// A handle that closes this socket from another task, and does not keep it alive.
    #[must_use]
    pub fn closer(&self) -> Closer<S> {
        Closer::new(&self.0.handle.0)
    }

    async fn send_outgoing<O: Outgoing>(&self, outgoing: O) -> Result<(), Error> {
        let mut outgoing = Some(outgoing);
        let sent = self.send_now(&mut outgoing);
        if outgoing.is_none() {
            return sent;
        }
        let _turn = self.0.turn.acquire().await;
        poll_fn(|cx| self.0.handle.0.poll_send(&mut outgoing, None, cx, Leave::Soon)).await
    }

    /// Sends if there is room and nobody waits for it.
    fn send_now<O: Outgoing>(&self, outgoing: &mut Option<O>) -> Result<(), Error> {
        if self.0.turn.available_permits() == 0 {
            return Ok(());
        }
        self.0.handle.0.send_now(outgoing)
    }
}

impl<S> Sender<S> {
    pub(crate) fn new(handle: Handle<S>) -> Self {
        Self(Arc::new(Inner { handle, turn: Semaphore::new(1), flush_turn: Semaphore::new(1) }))
    }

    /// May messages still be sent? False from our Close frame on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.handle.0.lock().connection.is_open()
    }
}

impl<S> Clone for Sender<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for Sender<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}
