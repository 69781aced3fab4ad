//! The socket.

use crate::error::again;
use crate::input::Input;
use crate::wire::Wire;
use crate::{Error, Event, SendError, Stream, Wait, pool};
use bytes::{BufMut, Bytes, BytesMut};
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use ws_proto::frame::Header;
use ws_proto::{
    ApiMisuse, CloseCode, CloseInfo, Config, Connection, ControlPayload, Counts, Delivery, Direction,
    Failure, Message, MessageKind, MessageRef, Negotiated, Prepared, SendRefusal,
};

/// A WebSocket over a byte stream, after the opening handshake: blocking or non-blocking, as the stream is.
///
/// [`accept`](crate::accept), [`connect`](crate::connect) and their non-blocking forms make one. How it behaves over the two kinds of
/// streams, when bytes leave and when timers run, the [crate documentation](crate) says.
///
/// **Dropping** it closes the stream and writes nothing, so that it never blocks: messages that were fed and not flushed, or that a
/// non-blocking stream has not taken yet, are lost, and the peer finds the end of the stream without a Close frame. To end well,
/// [`close`](Self::close) it.
#[derive(Debug)]
pub struct WebSocket<S> {
    pub(crate) wire: Wire<S>,
    pub(crate) connection: Connection,
    pub(crate) input: Input,
    /// When the stream was last read.
    pub(crate) now: Instant,
    /// Did bytes come since the timers were last looked at?
    pub(crate) unchecked: bool,
    /// Did the peer end its side of the stream, or reading fail?
    pub(crate) peer_ended: bool,
    /// Since when has a non-blocking stream taken nothing of what is queued?
    pub(crate) stalled: Option<Instant>,
    /// Why the stream cannot be written to or read from any more.
    pub(crate) broken: Option<io::Error>,
    /// Is all done that was to be done with the stream?
    pub(crate) ended: bool,
    /// How long a blocking call that receives may take.
    recv_timeout: Option<Duration>,
}

impl<S: Stream> WebSocket<S> {
    /// A socket over `stream`, whose opening handshake ended with `negotiated`; `leftover` came behind its head.
    ///
    /// The stream is taken as it is: "would block" is handed to the caller, and its timeouts are left alone. This fits streams that do
    /// not block. Over a stream that does, call [`set_nonblocking(false)`](Self::set_nonblocking) next, so that timers fire in time.
    pub fn from_parts(
        stream: S,
        leftover: impl Into<Bytes>,
        negotiated: Negotiated,
        config: impl Into<Arc<Config>>,
    ) -> Self {
        Self::new(Wire::new(stream), leftover.into(), negotiated, config.into())
    }

    pub(crate) fn new(wire: Wire<S>, leftover: Bytes, negotiated: Negotiated, config: Arc<Config>) -> Self {
        let now = Instant::now();
        Self {
            wire,
            connection: Connection::new(negotiated, config, now),
            input: Input::new(leftover),
            now,
            unchecked: false,
            peer_ended: false,
            stalled: None,
            broken: None,
            ended: false,
            recv_timeout: None,
        }
    }

    /// Makes the socket non-blocking, or blocking: the stream, and what the socket does when it would block. Call this instead of the
    /// stream's own method.
    ///
    /// A blocking socket owns the timeouts of its stream, and bounds every read and write by the next timer.
    ///
    /// # Errors
    /// What the stream says.
    pub fn set_nonblocking(&mut self, nonblocking: bool) -> io::Result<()> {
        self.wire.set_nonblocking(nonblocking)
    }

    /// How long [`recv`](Self::recv), [`recv_with`](Self::recv_with) and [`recv_event`](Self::recv_event) wait on a blocking socket: behind it
    /// they return [`Error::WouldBlock`], nothing is lost, and the same call goes on. `None`, the default, waits for as long as the peer lives.
    ///
    /// It is kept about as well as the system keeps timeouts, a message that has begun does not prolong it, and one that was read already is
    /// handed out however short it is. Writing comes before and is not bounded by it: what was [fed](Self::feed) and not flushed, and pongs. Over a
    /// stream that knows no timeouts ([`Plain`](crate::Plain)) it is looked at when a read returns.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # fn example(ws: &mut ws_sync::WebSocket<std::net::TcpStream>) -> Result<(), Box<dyn std::error::Error>> {
    /// ws.set_recv_timeout(Some(Duration::from_millis(200)));
    /// match ws.recv() {
    ///     Ok(Some(message)) => println!("{message:?}"),
    ///     Ok(None) => println!("closed"),
    ///     Err(error) if error.would_block().is_some() => println!("nothing came"),
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub const fn set_recv_timeout(&mut self, timeout: Option<Duration>) {
        self.recv_timeout = timeout;
    }

    /// The next message; `None` after a clean close, of which [`close_info`](Self::close_info) tells more. Pings are answered; pings and
    /// pongs pass by, [`recv_event`](Self::recv_event) shows them.
    ///
    /// Messages that were read already are handed out without touching the stream. Before it reads, it writes what is queued. It ends
    /// only after the Close frame was written and the stream ended the way RFC 6455 §7.1.1 wants it (the server first; bounded by
    /// `close_timeout`), or that failed: then the socket can be dropped. From then on it returns the same end.
    ///
    /// # Errors
    /// - [`Error::WouldBlock`] over a non-blocking stream: call again when it is ready; nothing is lost. Over a blocking one: the
    ///   [time for it](Self::set_recv_timeout) is over
    /// - [`Error::Failed`]: the peer broke a rule, passed a limit or kept silent
    /// - [`Error::Io`]: the stream failed
    /// - [`Error::Misuse`]: with [`Delivery::Streaming`] messages come in pieces, through `recv_event`
    pub fn recv(&mut self) -> Result<Option<Message>, Error> {
        self.recv_with(|message| message.into_message())
    }

    /// The next message, lent to `use_it` where it lies: what arrived whole is not copied. Otherwise as [`recv`](Self::recv).
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_with<R>(&mut self, use_it: impl FnOnce(MessageRef<'_>) -> R) -> Result<Option<R>, Error> {
        if self.connection.config().delivery() == Delivery::Streaming {
            return Err(ApiMisuse::DeliveryIsStreaming.into());
        }
        let mut use_it = Some(use_it);
        let until = self.recv_until();
        self.next(until, |event| match event {
            ws_proto::Event::Message(message) => use_it.take().map(|use_it| use_it(message)),
            _ => None,
        })
    }

    /// The next event: a message, or with [`Delivery::Streaming`] a piece of one; a ping, whose pong is queued already; a pong. `None`
    /// after a clean close. Otherwise as [`recv`](Self::recv).
    ///
    /// # Errors
    /// As [`recv`](Self::recv), without misuse.
    pub fn recv_event(&mut self) -> Result<Option<Event>, Error> {
        let until = self.recv_until();
        self.next(until, Event::from_borrowed)
    }

    /// Sends a message: a blocking stream has taken all of it when this returns.
    ///
    /// A non-blocking stream takes what it takes; the rest stays queued, and leaves with the next call on the socket
    /// ([`progress`](Self::progress) tells that it waits for that). Either way `Ok` means that the message is the socket's, and an
    /// error that it is not: never send it again after `Ok`.
    ///
    /// # Errors
    /// - [`SendError::Refused`] gives the message back: the connection is closed for sending, a fragmented message is open, or (over a
    ///   non-blocking stream) `max_send_queue_bytes` wait already and the stream takes none of them; wait until it is writable then
    /// - [`SendError::Io`]: the stream failed, or the peer [takes nothing](crate#peers-that-stall)
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError<Message>> {
        self.submit(message.into(), Leave::Now, Connection::send)
    }

    /// Sends a message uncompressed: for what is compressed already, and for secrets beside text that an attacker chooses.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_uncompressed(&mut self, message: impl Into<Message>) -> Result<(), SendError<Message>> {
        self.submit(message.into(), Leave::Now, Connection::send_uncompressed)
    }

    /// Sends a message that was made ready for many connections.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_prepared(&mut self, message: &Prepared) -> Result<(), SendError<()>> {
        self.submit((), Leave::Now, |connection, ()| connection.send_prepared(message))
    }

    /// Sends a piece of a message as a fragment (RFC 6455 §5.4); `fin` tells that it is the last. Until then no other message can be sent.
    ///
    /// # Errors
    /// As [`send`](Self::send); also where the piece is of another kind than its message, or a text is not UTF-8 with it.
    pub fn send_fragment(
        &mut self,
        kind: MessageKind,
        payload: impl Into<Bytes>,
        fin: bool,
    ) -> Result<(), SendError<Bytes>> {
        self.submit(payload.into(), Leave::Now, |connection, payload| {
            connection.send_fragment(kind, payload, fin)
        })
    }

    /// Queues a message, to leave together with others: with the next [`flush`](Self::flush) or `send`, when `recv` has handed out all
    /// that was read, or when 64 KiB are queued.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn feed(&mut self, message: impl Into<Message>) -> Result<(), SendError<Message>> {
        self.submit(message.into(), Leave::Later, Connection::send)
    }

    /// Sends a ping; the pong comes through [`recv_event`](Self::recv_event), with the round trip. Keepalive pings are sent without this.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn ping(&mut self, payload: ControlPayload) -> Result<(), SendError<ControlPayload>> {
        let now = Instant::now();
        self.submit(payload, Leave::Now, |connection, payload| connection.ping(payload, now))
    }

    /// Writes what is queued, and flushes the stream.
    ///
    /// # Errors
    /// [`Error::WouldBlock`]: a non-blocking stream did not take all of it, and the rest stays queued. [`Error::Io`]: the stream failed.
    pub fn flush(&mut self) -> Result<(), Error> {
        pool::lend(&mut self.connection);
        let all = self.write_out_in_time();
        pool::reclaim(&mut self.connection);
        match &self.broken {
            Some(error) => Err(Error::Io(again(error))),
            None if all => Ok(()),
            None => Err(Error::WouldBlock(self.wait())),
        }
    }

    /// Sends a Close frame with this code and reason (RFC 6455 §7.1.2), and does not wait for the peer's: go on receiving until `None`.
    /// [`CloseCode::NO_STATUS`] sends an empty one; a reason longer than 123 bytes is cut. When one was sent before, this does nothing.
    ///
    /// # Errors
    /// [`Error::Misuse`]: the code must not be sent. [`Error::Io`]: the stream failed.
    pub fn start_closing(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.connection.close(code, reason, Instant::now())?;
        match self.flush() {
            Err(Error::WouldBlock(_)) => Ok(()),
            flushed => flushed,
        }
    }

    /// Completes the closing handshake: sends a Close frame, unless one was sent, and waits for the peer's at most `close_timeout`.
    /// Messages that still come are discarded; where they matter, [`start_closing`](Self::start_closing) and receive until `None`.
    ///
    /// # Errors
    /// [`Error::WouldBlock`] over a non-blocking stream: call it again, which sends nothing twice. The others as
    /// [`recv`](Self::recv), and [`Error::Misuse`]: the code must not be sent.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseInfo, Error> {
        self.connection.close(code, reason, Instant::now())?;
        self.next(None, |_| None::<Infallible>)?;
        // `None` is a clean close, and that has its info.
        self.close_info().cloned().ok_or(Error::Failed(Failure::EndOfStream))
    }

    /// What the socket waits for, at any time: what [`Error::WouldBlock`] would say.
    pub fn progress(&mut self) -> Wait {
        self.wait()
    }

    /// Until when a call that begins now may wait for something to be received.
    fn recv_until(&self) -> Option<Instant> {
        Instant::now().checked_add(self.recv_timeout?)
    }

    /// Queues `item`, and writes what is queued if it is time to.
    fn submit<T>(
        &mut self,
        item: T,
        leave: Leave,
        queue: impl Fn(&mut Connection, T) -> Result<(), ws_proto::SendError<T>>,
    ) -> Result<(), SendError<T>> {
        if self.broken.is_none() {
            pool::lend(&mut self.connection);
            let mut queued = queue(&mut self.connection, item);
            if let Err(refused) = queued {
                queued = if refused.refusal() == SendRefusal::QueueFull {
                    self.write_out_in_time();
                    queue(&mut self.connection, refused.into_rejected())
                } else {
                    Err(refused)
                };
            }
            if queued.is_ok() && (leave == Leave::Now || self.connection.transmit().len() >= WRITE_FROM) {
                self.write_out_in_time();
            }
            pool::reclaim(&mut self.connection);
            queued.map_err(SendError::Refused)?;
        }
        self.broken.as_ref().map_or(Ok(()), |error| Err(SendError::Io(again(error))))
    }
}

impl<S> WebSocket<S> {
    /// What the opening handshake settled.
    #[must_use]
    pub const fn negotiated(&self) -> &Negotiated {
        self.connection.negotiated()
    }

    /// How the closing handshake went; `None` while it is not complete.
    #[must_use]
    pub const fn close_info(&self) -> Option<&CloseInfo> {
        self.connection.close_info()
    }

    /// What the connection has carried so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.connection.counts()
    }

    /// Shows `observer` the header of every frame from now on, to look into one connection; see [`Connection::observe_frames`].
    pub fn observe_frames(&mut self, observer: impl FnMut(Direction, &Header) + Send + Sync + 'static) {
        self.connection.observe_frames(observer);
    }

    /// Ends what [`observe_frames`](Self::observe_frames) began.
    pub fn stop_observing(&mut self) {
        self.connection.stop_observing();
    }

    /// Why the connection failed; `None` while it did not.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        self.connection.failure()
    }

    /// May messages still be sent? False from our Close frame on.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.connection.is_open()
    }

    /// The stream.
    #[must_use]
    pub const fn get_ref(&self) -> &S {
        &self.wire.stream
    }

    /// The stream. What is read or written past the socket breaks the connection.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.wire.stream
    }

    /// Takes the socket apart, wherever it stands: nothing is sent or closed, and the part of a frame or message that has come is lost.
    #[must_use]
    pub fn into_parts(mut self) -> Parts<S> {
        let mut unsent = BytesMut::from(self.wire.take_unsent());
        unsent.put(self.connection.transmit());
        Parts { leftover: self.input.take(), unsent: unsent.freeze(), stream: self.wire.stream }
    }
}

/// What [`WebSocket::into_parts`] takes a socket apart into.
#[derive(Debug)]
pub struct Parts<S> {
    /// The stream.
    pub stream: S,
    /// What was read from it and not parsed; it begins with a frame, if there is any.
    pub leftover: Bytes,
    /// Encoded frames that were queued and not written; write them first.
    pub unsent: Bytes,
}

/// When what is queued is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leave {
    Now,
    Later,
}

/// Queued bytes from which on a write is not put off any more.
const WRITE_FROM: usize = 64 << 10;
