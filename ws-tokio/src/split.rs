//! The two halves of a socket.

use crate::driver::{Leave, Reader};
use crate::outgoing::{Outgoing, Piece, Uncompressed};
use crate::socket::Handle;
use crate::wakers::Slot;
use crate::{Closer, Error, MessageReader, MessageWriter, Sender};
use bytes::Bytes;
use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};
use ws_proto::owned::Event;
use ws_proto::{CloseCode, CloseInfo, ControlPayload, Counts, Message, MessageKind, Prepared};

/// The receiving half of a socket. Timers run while it is awaited, and pongs leave without the other half. Where it is dropped before the
/// other one, nothing is read any more.
pub struct RecvHalf<S> {
    pub(crate) handle: Handle<S>,
    pub(crate) reader: Reader,
}

impl<S: AsyncRead + AsyncWrite + Unpin> RecvHalf<S> {
    /// As [`WebSocket::recv`](crate::WebSocket::recv).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// Cancel safe: no message and no byte is lost.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As [`WebSocket::recv_event`](crate::WebSocket::recv_event).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// Cancel safe: no event and no byte is lost.
    pub async fn recv_event(&mut self) -> Result<Option<Event>, Error> {
        poll_fn(|cx| self.handle.0.poll_event(&mut self.reader, cx)).await
    }

    /// As [`WebSocket::recv_reader`](crate::WebSocket::recv_reader).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// Cancel safe: no message is lost.
    pub async fn recv_reader(&mut self) -> Result<Option<MessageReader<'_, S>>, Error> {
        MessageReader::next(&self.handle.0, &mut self.reader).await
    }

    /// A handle that closes this socket from another task.
    #[must_use]
    pub fn closer(&self) -> Closer<S> {
        Closer::new(&self.handle.0)
    }

    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        self.handle.0.poll_message(&mut self.reader, cx)
    }
}

impl<S> RecvHalf<S> {
    /// What the connection has carried so far, both ways.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.handle.0.lock().connection.counts()
    }

    /// As [`WebSocket::close_info`](crate::WebSocket::close_info).
    #[must_use]
    pub fn close_info(&self) -> Option<CloseInfo> {
        self.handle.0.lock().connection.close_info().cloned()
    }
}

impl<S> Drop for RecvHalf<S> {
    fn drop(&mut self) {
        self.handle.0.leave(&mut self.reader);
    }
}

impl<S> fmt::Debug for RecvHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvHalf").finish_non_exhaustive()
    }
}

/// The sending half of a socket. It cannot know whether more is left to read, so `send` writes at once; `feed` and `flush` coalesce.
pub struct SendHalf<S> {
    pub(crate) handle: Handle<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> SendHalf<S> {
    /// As [`WebSocket::send`](crate::WebSocket::send).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.send_outgoing::<Message>(message.into(), Leave::Soon).await
    }

    /// As [`WebSocket::send_uncompressed`](crate::WebSocket::send_uncompressed).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn send_uncompressed(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.send_outgoing(Uncompressed(message.into()), Leave::Soon).await
    }

    /// As [`WebSocket::send_prepared`](crate::WebSocket::send_prepared).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn send_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        self.send_outgoing(message, Leave::Soon).await
    }

    /// As [`WebSocket::send_fragment`](crate::WebSocket::send_fragment).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn send_fragment(
        &mut self,
        kind: MessageKind,
        payload: impl Into<Bytes>,
        fin: bool,
    ) -> Result<(), Error> {
        self.send_outgoing(Piece { kind, payload: payload.into(), fin }, Leave::Soon).await
    }

    /// As [`WebSocket::feed`](crate::WebSocket::feed).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn feed(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.send_outgoing::<Message>(message.into(), Leave::Later).await
    }

    /// As [`WebSocket::feed_prepared`](crate::WebSocket::feed_prepared).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn feed_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        self.send_outgoing(message, Leave::Later).await
    }

    /// Queues messages that were made ready for many connections, as many as there is room for, without waiting, and writes them together as
    /// far as the stream takes them; the rest leaves by itself. Returns how many were queued.
    ///
    /// # Errors
    /// As [`send_prepared`](Self::send_prepared).
    pub fn write_prepared<'m>(
        &mut self,
        messages: impl IntoIterator<Item = &'m Prepared>,
    ) -> Result<usize, Error> {
        self.handle.0.write_prepared(messages)
    }

    /// As [`WebSocket::flush`](crate::WebSocket::flush).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// Cancel safe: what was not written stays queued.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.handle.0.poll_flush(Slot::Sender, cx)).await
    }

    /// As [`WebSocket::ping`](crate::WebSocket::ping).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn ping(&mut self, payload: ControlPayload) -> Result<(), Error> {
        self.send_outgoing(payload, Leave::Soon).await
    }

    /// As [`WebSocket::send_writer`](crate::WebSocket::send_writer).
    pub fn send_writer(&mut self, kind: MessageKind) -> MessageWriter<'_, S> {
        MessageWriter::new(&self.handle.0, None, kind)
    }

    /// The same half for many tasks: clones of it send in turns.
    #[must_use]
    pub fn into_sender(self) -> Sender<S> {
        Sender::new(self.handle)
    }

    /// Starts the closing handshake and waits until its Close frame was written. That it is complete the receiving half tells, whose
    /// `recv` then returns `None`.
    ///
    /// # Errors
    /// [`Error::Io`]: the stream failed. [`Error::Misuse`]: the code must not be sent.
    ///
    /// # Cancel safety
    /// Cancel safe: the Close frame is queued by the first poll, and leaves.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.handle.0.start_closing(code, reason)?;
        self.flush().await
    }

    /// A handle that closes this socket from another task.
    #[must_use]
    pub fn closer(&self) -> Closer<S> {
        Closer::new(&self.handle.0)
    }

    async fn send_outgoing<O: Outgoing>(&mut self, outgoing: O, when: Leave) -> Result<(), Error> {
        let mut outgoing = Some(outgoing);
        poll_fn(|cx| self.handle.0.poll_send(&mut outgoing, None, cx, when)).await
    }
}

impl<S> SendHalf<S> {
    /// What the connection has carried so far, both ways.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.handle.0.lock().connection.counts()
    }

    /// May messages still be sent? False from our Close frame on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.handle.0.lock().connection.is_open()
    }

    /// Bytes that were queued and that the stream has not taken.
    #[must_use]
    pub fn unsent_bytes(&self) -> usize {
        self.handle.0.lock().connection.transmit().len()
    }
}

impl<S> fmt::Debug for SendHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendHalf").finish_non_exhaustive()
    }
}
