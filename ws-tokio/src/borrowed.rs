//! Messages where they lie, for a synchronous closure: no memory of their own, and no copy.

use crate::core::WRITE_FROM;
use crate::driver::{Reader, Shared, stream_context};
use crate::outgoing::{Outgoing, refused};
use crate::wakers::Slot;
use crate::{Error, WebSocket, pool};
use std::fmt;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_proto::{ApiMisuse, CloseCode, Event, Input, Message, MessageRef};

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Hands each message to `on_message` where it lies in the receive buffer, until the connection has closed cleanly: for proxies,
    /// counters and echo-like work, which need no message of their own and await nothing for each. What costs an owned message its memory
    /// costs a borrowed one nothing. Pings are answered, and pongs pass by.
    ///
    /// The closure answers through [`Replies`]. They leave by the [flush contract](crate#when-bytes-leave): those to what one read brought
    /// leave together, when all of it was handed out, when 64 KiB are queued, or at the latest when the task returns to the runtime. While
    /// `max_send_queue_bytes` are queued nothing is handed out.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), ws_tokio::Error> {
    /// # use ws_tokio::{CloseCode, Message, WebSocket, proto::{Config, Negotiated, Role}};
    /// # let (near, far) = tokio::io::duplex(4096);
    /// # let of = |stream, role| WebSocket::from_parts(stream, Default::default(), Negotiated::new(role), Config::default());
    /// # let (mut server, mut client) = (of(near, Role::Server), of(far, Role::Client));
    /// let serving = tokio::spawn(async move {
    ///     let mut bytes = 0;
    ///     server.for_each_message(|message, replies| {
    ///         bytes += message.as_bytes().len();
    ///         replies.send_ref(&message)
    ///     }).await?;
    ///     Ok::<_, ws_tokio::Error>(bytes)
    /// });
    /// client.send("Hello").await?;
    /// assert_eq!(client.recv().await?, Some(Message::from("Hello")));
    /// client.close(CloseCode::NORMAL, "").await?;
    /// assert_eq!(serving.await.unwrap()?, 5);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and what the closure returns: then the socket goes on with the message behind that one. A closure that
    /// panics leaves the socket in the middle of a message: drop it.
    ///
    /// # Cancel safety
    /// Cancel safe: no message and no byte is lost, and each message was handed out once.
    pub fn for_each_message<F, E>(&mut self, mut on_message: F) -> impl Future<Output = Result<(), E>>
    where
        F: FnMut(MessageRef<'_>, &mut Replies<'_, S>) -> Result<(), E>,
        E: From<Error>,
    {
        poll_fn(move |cx| {
            let outcome = self.handle.0.poll_each(&mut self.reader, cx, &mut on_message);
            if !matches!(outcome, Poll::Ready(Ok(()))) {
                self.handle.0.leave_unsent();
            }
            outcome
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Shared<S> {
    fn poll_each<E: From<Error>>(
        self: &Arc<Self>,
        reader: &mut Reader,
        cx: &mut Context<'_>,
        on_message: &mut impl FnMut(MessageRef<'_>, &mut Replies<'_, S>) -> Result<(), E>,
    ) -> Poll<Result<(), E>> {
        let mut now = self.lock().connection.last_input();
        loop {
            while ready!(self.poll_one(reader, now, cx, on_message))? {}
            let mut core = self.lock();
            match ready!(core.poll_more(reader, cx)) {
                ControlFlow::Continue(read_at) => now = read_at,
                ControlFlow::Break(ended) => return Poll::Ready(ended.map_err(E::from)),
            }
        }
    }

    /// Hands out the next message of what was read; false where there is none.
    #[inline]
    fn poll_one<E: From<Error>>(
        self: &Arc<Self>,
        reader: &mut Reader,
        now: Instant,
        cx: &mut Context<'_>,
        on_message: &mut impl FnMut(MessageRef<'_>, &mut Replies<'_, S>) -> Result<(), E>,
    ) -> Poll<Result<bool, E>> {
        let mut guard = self.lock();
        let core = &mut *guard;
        if core.connection.transmit().len() >= WRITE_FROM || !core.has_room() {
            let waker = core.waiting.enter(Slot::Sender, cx.waker());
            let _in_part = core.poll_write_out(&mut stream_context(waker.as_ref(), cx));
            ready!(core.poll_room(Some(reader), cx));
        }
        if !reader.input.is_empty() {
            ready!(core.poll_budget(cx));
            pool::lend(&mut core.connection);
        }
        let was_open = core.connection.is_open();
        let connection = &mut core.connection;
        let mut rest = reader.input.buffer().rest();
        let before = rest.len();
        let event = match connection.poll_message(&mut rest, now) {
            Some(message) => Some(Event::Message(message)),
            None => connection.poll_event(&mut rest, now),
        };
        let taken = before - rest.len();
        if was_open && !core.connection.is_open() {
            // Whoever waits for room in the queue waits in vain.
            core.waiting.wake_all();
        }
        // The closure is not to run under the lock: it may have a `Closer`.
        drop(guard);
        let (more, outcome) = match event {
            Some(Event::Message(message)) => (true, on_message(message, &mut Replies(self))),
            Some(Event::Fragment(_)) => (true, Err(Error::from(ApiMisuse::DeliveryIsStreaming).into())),
            Some(_) => (true, Ok(())),
            None => (false, Ok(())),
        };
        reader.input.buffer().skip(taken);
        Poll::Ready(outcome.map(|()| more))
    }

    /// The task returns: sees to it that what is queued leaves, or writes what can be written where nobody else can.
    fn leave_unsent(self: &Arc<Self>) {
        let mut core = self.lock();
        if core.has_unsent() && !core.continue_in_background(self) {
            let _in_part = core.write_unattended();
        }
        pool::reclaim(&mut core.connection);
    }
}

/// Answers to messages that are handed out by [`for_each_message`](WebSocket::for_each_message).
pub struct Replies<'a, S>(&'a Arc<Shared<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> Replies<'_, S> {
    /// Sends the message that was handed out, or any other that is borrowed: one copy, into the queue.
    ///
    /// # Errors
    /// [`Error::Refused`]: the connection is closed for sending, a fragmented message is open, or with the replies to this same message
    /// `max_send_queue_bytes` are queued, or the stream has failed.
    #[inline]
    pub fn send_ref(&mut self, message: &MessageRef<'_>) -> Result<(), Error> {
        match message {
            MessageRef::Text(text) => self.send_text(text.as_str()),
            MessageRef::Binary(payload) => self.send_binary(payload),
        }
    }

    /// Sends a copy of a text.
    ///
    /// # Errors
    /// As [`send_ref`](Self::send_ref).
    #[inline]
    pub fn send_text(&mut self, text: &str) -> Result<(), Error> {
        self.0.feed_unattended(BorrowedText(text))
    }

    /// Sends a copy of binary data.
    ///
    /// # Errors
    /// As [`send_ref`](Self::send_ref).
    #[inline]
    pub fn send_binary(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.feed_unattended(BorrowedBinary(bytes))
    }

    /// Sends a message that is owned; a large one is queued without a copy.
    ///
    /// # Errors
    /// As [`send_ref`](Self::send_ref), and gives the message back.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.0.feed_unattended::<Message>(message.into())
    }

    /// Starts the closing handshake behind the replies. Messages that still come are handed out.
    ///
    /// # Errors
    /// [`Error::Misuse`]: the code must not be sent.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.0.start_closing(code, reason).map_err(Error::from)
    }
}

impl<S> fmt::Debug for Replies<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replies")
    }
}

struct BorrowedText<'a>(&'a str);

impl Outgoing for BorrowedText<'_> {
    #[inline]
    fn queue(
        self,
        connection: &mut ws_proto::Connection,
        _now: impl FnOnce() -> Instant,
    ) -> Result<(), Error> {
        connection.send_text(self.0).map_err(|error| refused(&error, None))
    }

    fn into_message(self) -> Option<Message> {
        None
    }
}

struct BorrowedBinary<'a>(&'a [u8]);

impl Outgoing for BorrowedBinary<'_> {
    #[inline]
    fn queue(
        self,
        connection: &mut ws_proto::Connection,
        _now: impl FnOnce() -> Instant,
    ) -> Result<(), Error> {
        connection.send_binary(self.0).map_err(|error| refused(&error, None))
    }

    fn into_message(self) -> Option<Message> {
        None
    }
}
