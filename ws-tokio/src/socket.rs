//! The socket that one task has for itself.

use crate::budget::{Account, MemoryBudget};
use crate::closer::Closer;
use crate::driver::{Asked, Leave, Ops, Reader, Shared, now};
use crate::locked::Locked;
use crate::outgoing::{Outgoing, Piece, Uncompressed};
use crate::split::{RecvHalf, SendHalf};
use crate::wakers::Slot;
use crate::{Error, MessageReader, MessageWriter};
use bytes::{Buf, Bytes, BytesMut};
use std::fmt;
use std::future::poll_fn;
use std::mem::take;
use std::ops::Deref;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};
use ws_proto::owned::Event;
use ws_proto::{
    CloseCode, CloseInfo, Config, Connection, ControlPayload, Counts, Message, MessageKind, Negotiated,
    Prepared,
};

/// A WebSocket over a byte stream, after the opening handshake.
///
/// Its messages leave by the flush contract of the [crate documentation](crate#when-bytes-leave). For two tasks that receive and send
/// independently [`split`](Self::split) it.
pub struct WebSocket<S> {
    pub(crate) handle: Handle<S>,
    pub(crate) reader: Reader,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// A socket over `stream`, whose opening handshake ended with `negotiated`; `leftover` came behind its head.
    pub fn from_parts(
        stream: S,
        leftover: BytesMut,
        negotiated: Negotiated,
        config: impl Into<Arc<Config>>,
    ) -> Self
    where
        S: Send + 'static,
    {
        Self::new(stream, leftover, negotiated, config.into(), Ops::spawning())
    }

    /// As [`from_parts`](Self::from_parts), for a stream that may not move to another thread: no task can see to what is queued, so every
    /// `send` writes through, and dropping the socket makes one write.
    pub fn from_local_parts(
        stream: S,
        leftover: BytesMut,
        negotiated: Negotiated,
        config: impl Into<Arc<Config>>,
    ) -> Self {
        Self::new(stream, leftover, negotiated, config.into(), Ops::local())
    }

    fn new(stream: S, leftover: BytesMut, negotiated: Negotiated, config: Arc<Config>, ops: Ops<S>) -> Self {
        let connection = Connection::new(negotiated, config, now());
        let reader = Reader { input: leftover.into(), ..Reader::default() };
        Self { handle: Handle(Shared::new(stream, connection, ops)), reader }
    }

    /// The next message; `None` after a clean close, of which [`close_info`](Self::close_info) tells more. Pings are answered, pongs and
    /// the rest pass by: [`recv_event`](Self::recv_event) shows them.
    ///
    /// It ends only after the Close frame was written, and goes on returning what it ended with.
    ///
    /// # Errors
    /// [`Error::Failed`]: the peer broke a rule, passed a limit or kept silent. [`Error::Io`]: the stream failed.
    /// [`Error::Misuse`]: with streaming delivery messages come in pieces, through `recv_event`.
    ///
    /// # Cancel safety
    /// Cancel safe: no message and no byte is lost.
    pub fn recv(&mut self) -> impl Future<Output = Result<Option<Message>, Error>> {
        // Not an `async fn`, which would hold a state of its own around this.
        poll_fn(|cx| self.poll_recv(cx))
    }

    /// The next event: a message, or with streaming delivery a piece of one; a ping, which is answered already; a pong.
    /// `None` after a clean close. Otherwise as [`recv`](Self::recv).
    ///
    /// # Errors
    /// As [`recv`](Self::recv), without misuse.
    ///
    /// # Cancel safety
    /// Cancel safe: no event and no byte is lost.
    pub async fn recv_event(&mut self) -> Result<Option<Event>, Error> {
        poll_fn(|cx| self.handle.0.poll_event(&mut self.reader, cx)).await
    }

    /// Sends a message. It waits only while `max_send_queue_bytes` are queued already; when it leaves, the
    /// [flush contract](crate#when-bytes-leave) says.
    ///
    /// # Errors
    /// [`Error::Refused`] gives the message back: the connection is closed for sending, also because the stream has failed, or a
    /// fragmented message is open. [`Error::Io`]: the stream failed with this write, and what arrived of it is not known.
    ///
    /// # Cancel safety
    /// Cancel safe: a call that is dropped before it is ready has not queued the message. (Where every send writes through, it may have:
    /// then it is queued as a whole, and leaves with the next call.)
    pub fn send(&mut self, message: impl Into<Message>) -> impl Future<Output = Result<(), Error>> {
        // Not an `async fn`, which would hold the message once more.
        self.send_outgoing::<Message>(message.into(), Leave::Soon)
    }

    /// Sends a message uncompressed: for what is compressed already, and for secrets beside text that an attacker chooses.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn send_uncompressed(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.send_outgoing(Uncompressed(message.into()), Leave::Soon).await
    }

    /// Sends a message that was made ready for many connections.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn send_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        self.send_outgoing(message, Leave::Soon).await
    }

    /// Sends a piece of a message (RFC 6455 §5.4); `fin` tells that it is the last. Until then no other message can be sent.
    ///
    /// # Errors
    /// As [`send`](Self::send); also where the piece is of another kind than its message, or a text is not UTF-8 with it.
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn send_fragment(
        &mut self,
        kind: MessageKind,
        payload: impl Into<Bytes>,
        fin: bool,
    ) -> Result<(), Error> {
        self.send_outgoing(Piece { kind, payload: payload.into(), fin }, Leave::Soon).await
    }

    /// Queues a message to leave with the next [`flush`](Self::flush), `recv` or `close`, when 256 KiB are queued, or at the latest when
    /// the task returns to the runtime.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn feed(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.send_outgoing::<Message>(message.into(), Leave::Later).await
    }

    /// Queues a message that was made ready for many connections, to leave as [`feed`](Self::feed) tells: for a task that takes several
    /// out of its queue when it wakes up, and writes them together.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn feed_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        self.send_outgoing(message, Leave::Later).await
    }

    /// Waits until everything queued was handed to the stream, and the stream was flushed.
    ///
    /// # Errors
    /// [`Error::Io`]: the stream failed.
    ///
    /// # Cancel safety
    /// Cancel safe: what was not written stays queued.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.handle.0.poll_flush(Slot::Sender, cx)).await
    }

    /// Sends a ping; the pong comes through [`recv_event`](Self::recv_event), with the round trip.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn ping(&mut self, payload: ControlPayload) -> Result<(), Error> {
        self.send_outgoing(payload, Leave::Soon).await
    }

    /// Begins a message that is written as a byte stream, piece by piece: [`MessageWriter`] has the details.
    pub fn send_writer(&mut self, kind: MessageKind) -> MessageWriter<'_, S> {
        MessageWriter::new(&self.handle.0, Some(&mut self.reader), kind)
    }

    /// The next message as a byte stream, which is read piece by piece; `None` after a clean close. [`MessageReader`] has the details.
    /// What is left of the message before is skipped.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), without misuse.
    ///
    /// # Cancel safety
    /// Cancel safe: no message is lost.
    pub async fn recv_reader(&mut self) -> Result<Option<MessageReader<'_, S>>, Error> {
        MessageReader::next(&self.handle.0, &mut self.reader).await
    }

    /// Completes the closing handshake: sends a Close frame, unless one was sent, and waits for the peer's at most `close_timeout`.
    /// Messages that still come are discarded; receive them until `None` where they matter. A reason longer than 123 bytes is cut.
    ///
    /// # Errors
    /// [`Error::Failed`]: the connection failed before or meanwhile. [`Error::Io`]: the stream failed. [`Error::Misuse`]: the code must
    /// not be sent.
    ///
    /// # Cancel safety
    /// Cancel safe: the Close frame is queued by the first poll; call it again, or `recv`, to wait on.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseInfo, Error> {
        self.handle.0.start_closing(code, reason)?;
        while self.recv_event().await?.is_some() {}
        // `None` is a clean close, and that has its info.
        self.close_info().ok_or(Error::Failed(ws_proto::Failure::EndOfStream))
    }

    /// Two halves for two tasks, neither of which waits for the other.
    ///
    /// Keep receiving on the first, even where no message is expected: that is how pings are answered, timers run and the peer's Close frame
    /// is noticed. Without it the peer gives the connection up as dead sooner or later, and `send` goes on until then.
    #[must_use]
    pub fn split(mut self) -> (RecvHalf<S>, SendHalf<S>) {
        let reader = take(&mut self.reader);
        (RecvHalf { handle: self.handle.another(), reader }, SendHalf { handle: self.handle.another() })
    }

    /// A handle that closes this socket from another task.
    #[must_use]
    pub fn closer(&self) -> Closer<S> {
        Closer::new(&self.handle.0)
    }

    #[inline]
    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        self.handle.0.poll_message(&mut self.reader, cx)
    }

    fn send_outgoing<O: Outgoing>(
        &mut self,
        outgoing: O,
        when: Leave,
    ) -> impl Future<Output = Result<(), Error>> {
        let mut outgoing = Some(outgoing);
        poll_fn(move |cx| self.handle.0.poll_send(&mut outgoing, Some(&mut self.reader), cx, when))
    }
}

impl<S> WebSocket<S> {
    /// Counts from now on for this budget what the socket holds; for one only, the last. Default: none.
    pub fn set_memory_budget(&mut self, budget: MemoryBudget) {
        let mut account = Account::new(budget);
        account.input = self.reader.input.memory_bytes();
        self.handle.0.lock().account = Some(Box::new(account));
    }

    /// What the opening handshake settled.
    #[must_use]
    pub fn negotiated(&self) -> Negotiated {
        self.handle.0.lock().connection.negotiated().clone()
    }

    /// How the closing handshake went; `None` while it is not complete.
    #[must_use]
    pub fn close_info(&self) -> Option<CloseInfo> {
        self.handle.0.lock().connection.close_info().cloned()
    }

    /// What the connection has carried so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.handle.0.lock().connection.counts()
    }

    /// May messages still be sent? False from our Close frame on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.handle.0.lock().connection.is_open()
    }

    /// The stream, for looking at it. What is read or written past the socket breaks the connection. Do not keep it: it holds the
    /// socket's lock, and every other use of the socket waits for it.
    #[must_use]
    pub fn get_ref(&self) -> Option<StreamRef<'_, S>> {
        StreamRef::new(&self.handle)
    }

    /// Takes the socket apart, wherever it stands: nothing is sent or closed, and a message or frame that has come in part is lost.
    /// `None` when the stream is gone, because a background task ended it.
    #[must_use]
    pub fn into_parts(mut self) -> Option<Parts<S>> {
        let mut core = self.handle.0.lock();
        let stream = core.wire.stream.take()?;
        let transmit = core.connection.transmit();
        let unsent = transmit.copy_to_bytes(transmit.len());
        drop(core);
        let reader = take(&mut self.reader);
        Some(Parts { stream, leftover: reader.input.into_bytes(), unsent })
    }
}

impl<S> Drop for WebSocket<S> {
    fn drop(&mut self) {
        self.handle.0.leave(&mut self.reader);
    }
}

impl<S> fmt::Debug for WebSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").finish_non_exhaustive()
    }
}

/// What [`WebSocket::into_parts`] takes a socket apart into.
#[derive(Debug)]
pub struct Parts<S> {
    /// The stream.
    pub stream: S,
    /// Whole frames that were read from it and not handed out. The part of a frame that has come is not among them.
    pub leftover: BytesMut,
    /// Encoded frames that were queued and not written; write them first.
    pub unsent: Bytes,
}

/// The stream of a socket, behind the socket's lock.
pub struct StreamRef<'a, S>(Locked<'a, S>);

impl<'a, S> StreamRef<'a, S> {
    pub(crate) fn new(handle: &'a Handle<S>) -> Option<Self> {
        let core = handle.0.lock();
        core.wire.stream.is_some().then(|| Self(core))
    }
}

impl<S> Deref for StreamRef<'_, S> {
    type Target = S;
    fn deref(&self) -> &S {
        #[expect(
            clippy::expect_used,
            reason = "checked when the guard was made, and nobody else has the lock"
        )]
        self.0.wire.stream.as_ref().expect("a guarded stream is there")
    }
}

impl<S: fmt::Debug> fmt::Debug for StreamRef<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A reference of the user's to the shared socket; the last one to go ends it.
pub(crate) struct Handle<S>(pub(crate) Arc<Shared<S>>);

impl<S> Handle<S> {
    fn another(&self) -> Self {
        let mut core = self.0.lock();
        core.handles += 1;
        core.waiting.divide();
        drop(core);
        Self(Arc::clone(&self.0))
    }
}

impl<S> Drop for Handle<S> {
    fn drop(&mut self) {
        let mut core = self.0.lock();
        core.handles -= 1;
        if core.handles > 0 {
            return;
        }
        if core.wire.stream.is_some() {
            let Ops(ask) = core.ops;
            drop(core);
            ask(&self.0, Asked::Abandon);
        } else if let Some(resting) = core.resting.take() {
            resting.wake();
        }
    }
}
