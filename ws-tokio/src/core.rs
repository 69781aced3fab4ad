//! What the lock of a socket guards: a connection, its stream, and whoever waits for them.

use crate::budget::Account;
use crate::deadline::Deadline;
use crate::driver::{Asked, Leave, Ops, Reader, Shared, now, stream_context};
use crate::outgoing::Outgoing;
use crate::trace::{self, Told};
use crate::wakers::{Slot, Waiting};
use crate::{Error, pool};
use bytes::{Buf, BufMut};
use std::io::{self, IoSlice};
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use ws_proto::{Connection, Failure, ReceiveBuffer, Transport};

/// What the lock guards.
#[derive(Debug)]
pub(crate) struct Core<S> {
    /// `None` once it was taken out, or dropped behind the end of the connection.
    pub(crate) stream: Option<S>,
    pub(crate) connection: Connection,
    pub(crate) waiting: Waiting,
    /// The background task, where it rests.
    pub(crate) resting: Option<Waker>,
    /// Was something written that the stream may hold in a buffer of its own?
    unflushed: bool,
    /// Was the write side shut down?
    shut: bool,
    /// Did the peer end its side? Then nothing is read any more.
    ended: bool,
    /// Handles of the user.
    pub(crate) handles: u8,
    /// Why nothing can be written any more. What can still be read is read.
    write_error: Option<io::Error>,
    read_error: Option<io::Error>,
    /// What it holds of a memory budget, where there is one; in a box, as others do without.
    pub(crate) account: Option<Box<Account>>,
    pub(crate) ops: Ops<S>,
    pub(crate) told: Told,
}

impl<S> Core<S> {
    pub(crate) fn new(stream: S, connection: Connection, ops: Ops<S>) -> Self {
        Self {
            told: Told::opened(&connection),
            stream: Some(stream),
            connection,
            waiting: Waiting::default(),
            resting: None,
            unflushed: false,
            shut: false,
            ended: false,
            handles: 1,
            write_error: None,
            read_error: None,
            account: None,
            ops,
        }
    }

    /// Counts what is held, where there is a budget.
    #[inline]
    pub(crate) fn settle(&mut self) {
        if let Some(account) = &mut self.account {
            account.settle(self.connection.memory_bytes());
        }
    }

    /// Is anything left that should be on its way?
    #[inline]
    pub(crate) fn has_unsent(&mut self) -> bool {
        self.unflushed || !self.connection.transmit().is_empty()
    }

    /// Sees to it that what is queued leaves without anybody's help; false where no task can be had for that.
    #[inline]
    pub(crate) fn continue_in_background(&mut self, shared: &Arc<Shared<S>>) -> bool {
        shared.background.is_busy() || self.start_background(shared)
    }

    #[inline(never)]
    fn start_background(&mut self, shared: &Arc<Shared<S>>) -> bool {
        if shared.background.take_up() {
            if let Some(resting) = &self.resting {
                resting.wake_by_ref();
            }
        } else if shared.background.begin() && !(self.ops.0)(shared, Asked::Spawn) {
            shared.background.end();
        }
        shared.background.is_busy()
    }

    /// Does what is queued not need to leave at once, and is somebody there who sees to it later?
    #[inline]
    pub(crate) fn puts_off(&mut self, shared: &Arc<Shared<S>>, reader: Option<&Reader>, when: Leave) -> bool {
        let more_to_read = || {
            reader.is_some_and(|reader| {
                !reader.input.is_empty() && self.connection.has_frame(reader.input.as_slice())
            })
        };
        (when == Leave::Later || more_to_read())
            && self.connection.transmit().len() < WRITE_FROM
            && self.continue_in_background(shared)
    }

    #[inline]
    pub(crate) fn queue(&mut self, outgoing: impl Outgoing) -> Result<(), Error> {
        pool::lend(&mut self.connection);
        let queued = outgoing.queue(&mut self.connection, now);
        if queued.is_err() {
            pool::reclaim(&mut self.connection);
        }
        queued
    }

    /// Can something be queued without waiting?
    #[inline]
    pub(crate) fn has_room(&mut self) -> bool {
        let mark = self.connection.config().max_send_queue_bytes();
        self.write_error.is_none() && (self.connection.transmit().len() < mark || !self.connection.is_open())
    }

    /// The error of the stream, if it cannot be written to any more.
    pub(crate) fn check_writable(&self) -> Result<(), Error> {
        self.write_error.as_ref().map_or(Ok(()), |error| Err(Error::Io(again(error))))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Core<S> {
    pub(crate) fn poll_parsed<T>(
        &mut self,
        reader: &mut Reader,
        cx: &mut Context<'_>,
        mut parse: impl FnMut(&mut Connection, &mut ReceiveBuffer, Instant) -> Option<Result<T, Error>>,
    ) -> Poll<Result<Option<T>, Error>> {
        let mut now = self.connection.last_input();
        loop {
            if (!reader.input.is_empty() || self.connection.has_work())
                && let Some(item) = parse(&mut self.connection, reader.input.buffer(), now)
            {
                return Poll::Ready(item.map(Some));
            }
            match ready!(self.poll_more(reader, cx)) {
                ControlFlow::Continue(read_at) => now = read_at,
                ControlFlow::Break(ended) => return Poll::Ready(ended.map(|()| None)),
            }
        }
    }

    /// Writes what is queued, and waits for more to parse: input, the end of the stream, a deadline. Tells when that came, or how a
    /// connection that is over ended.
    #[inline]
    pub(crate) fn poll_more(
        &mut self,
        reader: &mut Reader,
        cx: &mut Context<'_>,
    ) -> Poll<ControlFlow<Result<(), Error>, Instant>> {
        let waker = self.waiting.enter(Slot::Receiver, cx.waker());
        let stream_cx = &mut stream_context(waker.as_ref(), cx);
        let written = if self.has_unsent() { self.poll_write_out(stream_cx) } else { Poll::Ready(()) };
        self.tell();
        if self.connection.is_over() {
            let given_up = self.connection.transport() == Transport::Close;
            if written.is_ready() || given_up {
                let _in_time = self.poll_shutdown(stream_cx);
                return Poll::Ready(ControlFlow::Break(self.outcome()));
            }
        }
        if self.account.is_some() && self.gives_way(reader) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        // Also behind the end: a peer that waits for us to read does not read our Close frame.
        if let Poll::Ready(now) = self.poll_read(reader, stream_cx) {
            return Poll::Ready(ControlFlow::Continue(now));
        }
        self.poll_timers(&mut reader.deadline, cx).map(ControlFlow::Continue)
    }

    /// Waits until the queue is below its mark. Timers run meanwhile.
    pub(crate) fn poll_room(&mut self, mut reader: Option<&mut Reader>, cx: &mut Context<'_>) -> Poll<()> {
        let mark = self.connection.config().max_send_queue_bytes();
        while self.connection.is_open() && self.connection.transmit().len() >= mark {
            let waker = self.waiting.enter(Slot::Sender, cx.waker());
            let written = self.poll_write_out(&mut stream_context(waker.as_ref(), cx));
            if written.is_ready() || self.connection.transmit().len() < mark {
                break;
            }
            match &mut reader {
                Some(reader) => {
                    // Whoever sends may be another task than the one that received.
                    self.waiting.moved = true;
                    let fired = self.poll_timers(&mut reader.deadline, cx);
                    self.waiting.moved = true;
                    ready!(fired);
                }
                None => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    /// Waits for the connection's deadline, and tells it. Ready with the time.
    fn poll_timers(&mut self, deadline: &mut Deadline, cx: &mut Context<'_>) -> Poll<Instant> {
        if !self.waiting.moved && self.connection.is_open() && deadline.runs() {
            return Poll::Pending;
        }
        let at = self.connection.poll_timeout();
        let moved = std::mem::take(&mut self.waiting.moved);
        ready!(deadline.poll(at, self.earliest_next(), moved, cx));
        let now = now();
        self.connection.handle_timeout(now);
        self.tell();
        if let Some(resting) = self.resting.take() {
            // Not told anything, the background task ends: an idle socket is to own none.
            resting.wake();
        }
        Poll::Ready(now)
    }

    /// While the connection is open, what is read and sent moves its deadline to this time at the earliest.
    fn earliest_next(&self) -> Option<Instant> {
        let config = self.connection.config();
        let soonest = config.ping_interval().into_iter().chain(config.idle_timeout()).min()?;
        self.connection.last_input().checked_add(soonest)
    }

    /// Writes what is queued; ready when all of it was written and flushed, or when nothing can be written any more.
    pub(crate) fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(()) };
        let mut stream = Pin::new(stream);
        loop {
            let transmit = self.connection.transmit();
            if transmit.is_empty() {
                break;
            }
            let written = if self.write_error.is_some() {
                Ok(transmit.len())
            } else if transmit.chunk().len() == transmit.len() || !stream.is_write_vectored() {
                ready!(stream.as_mut().poll_write(cx, transmit.chunk()))
            } else {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let filled = transmit.chunks_vectored(&mut slices);
                ready!(stream.as_mut().poll_write_vectored(cx, slices.get(..filled).unwrap_or_default()))
            };
            match written {
                Ok(0) => self.write_error = Some(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    transmit.advance(n);
                    self.unflushed = true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    trace::stream_failed("write", &error);
                    self.write_error = Some(error);
                }
            }
        }
        if self.unflushed {
            if let Err(error) = ready!(stream.poll_flush(cx)) {
                trace::stream_failed("flush", &error);
                self.write_error.get_or_insert(error);
            }
            self.unflushed = false;
        }
        Poll::Ready(())
    }

    /// As [`poll_write_out`](Self::poll_write_out), where no task is there to be woken.
    pub(crate) fn write_unattended(&mut self) -> Poll<()> {
        let waker = self.waiting.nobody();
        self.poll_write_out(&mut Context::from_waker(&waker))
    }

    /// Reads once, to where the bytes belong; ready with the time. An end or error of the stream becomes state of the connection. Where
    /// nothing can be read, the receive buffer goes back to the thread.
    fn poll_read(&mut self, reader: &mut Reader, cx: &mut Context<'_>) -> Poll<Instant> {
        let read = self.poll_read_once(reader, cx);
        if read.is_pending() {
            self.release_input(reader);
        } else if let Some(account) = &mut self.account {
            account.input = reader.input.memory_bytes();
        }
        read
    }

    /// Gives the receive buffer back to the thread when it is empty.
    fn release_input(&mut self, reader: &mut Reader) {
        reader.input.release();
        if let Some(account) = &mut self.account {
            account.input = reader.input.memory_bytes();
        }
    }

    /// The memory budget is reached: are others to run before more is read?
    fn gives_way(&mut self, reader: &mut Reader) -> bool {
        let held = self.connection.memory_bytes();
        let gives_way = self.account.as_mut().is_some_and(|account| account.gives_way(held));
        if gives_way {
            self.release_input(reader);
        }
        gives_way
    }

    fn poll_read_once(&mut self, reader: &mut Reader, cx: &mut Context<'_>) -> Poll<Instant> {
        let Some(stream) = self.stream.as_mut().filter(|_| !self.ended) else { return Poll::Pending };
        let read = if let Some(buf) = self.connection.recv_buf() {
            let mut buf = ReadBuf::new(buf);
            ready!(Pin::new(stream).poll_read(cx, &mut buf)).map(|()| (buf.filled().len(), true))
        } else {
            let limit = self.connection.recv_limit();
            let buf = &mut reader.input.room().limit(limit);
            ready!(pin!(stream.read_buf(buf)).poll(cx)).map(|n| (n, false))
        };
        let now = now();
        match read {
            Ok((0, _)) => {
                self.ended = true;
                self.connection.handle_eof(now);
            }
            Ok((n, true)) => self.connection.received(n, now),
            Ok((_, false)) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                trace::stream_failed("read", &error);
                self.ended = true;
                self.read_error = Some(error);
                self.connection.handle_eof(now);
            }
        }
        Poll::Ready(now)
    }

    /// Does with the stream what the connection's end asks for.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.connection.transport() == Transport::KeepOpen || self.shut {
            return Poll::Ready(());
        }
        if let Some(stream) = &mut self.stream {
            // A peer that is gone has nothing to be told.
            let _gone = ready!(Pin::new(stream).poll_shutdown(cx));
        }
        self.shut = true;
        Poll::Ready(())
    }

    /// How a connection that is over ended.
    fn outcome(&self) -> Result<(), Error> {
        let Some(failure) = self.connection.failure() else { return Ok(()) };
        if *failure == Failure::EndOfStream
            && let Some(error) = self.read_error.as_ref().or(self.write_error.as_ref())
            && error.kind() != io::ErrorKind::UnexpectedEof
        {
            return Err(Error::Io(again(error)));
        }
        Err(Error::Failed(failure.clone()))
    }

    /// Fails the connection to make room for others. What is queued is let go too where the stream does not take it at once, because
    /// the peer does not read: then the stream is cut, and is what comes back.
    pub(crate) fn give_up_memory(&mut self, limit: usize, used: usize) -> Option<S> {
        self.connection.give_up_memory(limit as u64, used as u64, now());
        let cut = if self.write_unattended().is_pending() {
            self.write_error.get_or_insert_with(|| io::ErrorKind::ConnectionAborted.into());
            // Nothing can be written any more, so this discards it.
            let _discarded = self.write_unattended();
            self.stream.take()
        } else {
            None
        };
        pool::reclaim(&mut self.connection);
        self.waiting.wake_all();
        cut
    }

    /// Behind the last handle: writes what is queued, then reads and discards what the peer still sends, until it has ended its side or
    /// the close timeout fires. Ready when the stream can be dropped.
    pub(crate) fn poll_linger(&mut self, reader: &mut Reader, cx: &mut Context<'_>) -> Poll<()> {
        let mut now = self.connection.last_input();
        loop {
            while self.connection.poll_event(reader.input.buffer(), now).is_some() {}
            self.tell();
            let waker = self.waiting.enter_background(cx.waker());
            let stream_cx = &mut Context::from_waker(&waker);
            let written = self.poll_write_out(stream_cx);
            if self.write_error.is_some() && written.is_ready() {
                return Poll::Ready(());
            }
            let shut = self.poll_shutdown(stream_cx);
            if self.connection.transport() == Transport::Close {
                if shut.is_ready() || self.connection.poll_timeout().is_none() {
                    return Poll::Ready(());
                }
            } else if let Poll::Ready(read_at) = self.poll_read(reader, stream_cx) {
                now = read_at;
                continue;
            }
            now = ready!(self.poll_timers(&mut reader.deadline, cx));
        }
    }
}

/// The same error for one more caller.
fn again(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

/// Queued bytes from which on a write is not put off any more: as much as one read brings, so that a burst is answered with one write.
pub(crate) const WRITE_FROM: usize = 256 << 10;
/// Most slices of one gathered write.
const SLICES: usize = 64;
