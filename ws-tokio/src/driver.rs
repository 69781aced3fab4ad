//! A connection and its stream, polled together: the only code that touches wakers.

use crate::deadline::Deadline;
use crate::outgoing::Outgoing;
use crate::wakers::{Slot, Wakers};
use crate::{Error, pool};
use bytes::Buf;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use ws_proto::owned::Event;
use ws_proto::{ApiMisuse, CloseCode, Connection, Failure, ReceiveBuffer, Transport};

/// A socket as its handles and its background task share it. The lock is held within one poll only.
#[derive(Debug)]
pub(crate) struct Shared<S> {
    core: Mutex<Core<S>>,
    /// Is a background task there to write what is queued? Outside of the lock, because a runtime that shuts down drops a task while it
    /// is being spawned.
    pub(crate) in_background: AtomicBool,
}

/// What the lock guards.
#[derive(Debug)]
pub(crate) struct Core<S> {
    /// `None` once it was taken out, or dropped behind the end of the connection.
    pub(crate) stream: Option<S>,
    pub(crate) connection: Connection,
    pub(crate) wakers: Arc<Wakers>,
    /// The waker that `wakers` is.
    waker: Waker,
    /// When bytes were last read.
    pub(crate) now: Instant,
    /// Was something written that the stream may hold in a buffer of its own?
    unflushed: bool,
    /// Was the write side shut down?
    shut: bool,
    /// Did the peer end its side? Then nothing is read any more.
    ended: bool,
    /// Why nothing can be written any more. What can still be read is read.
    write_error: Option<io::Error>,
    read_error: Option<io::Error>,
    /// Handles of the user.
    pub(crate) handles: usize,
    pub(crate) ops: Ops<S>,
}

/// What handles do that have no bounds on their stream.
#[derive(Debug)]
pub(crate) struct Ops<S> {
    /// Starts the background task; false where none can be had.
    pub(crate) spawn: fn(&Arc<Shared<S>>) -> bool,
    /// The last handle is gone.
    pub(crate) abandon: fn(&Arc<Shared<S>>),
}

impl<S> Clone for Ops<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Ops<S> {}

/// What only the receiving end has.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// What was read and not parsed yet.
    pub(crate) input: ReceiveBuffer,
    pub(crate) deadline: Deadline,
    /// Was the end told through `Stream`?
    pub(crate) told: bool,
    /// Messages handed out since the stream was last read.
    pub(crate) buffered: u8,
}

impl<S> Shared<S> {
    pub(crate) fn new(stream: S, connection: Connection, now: Instant, ops: Ops<S>) -> Arc<Self> {
        let wakers = Arc::new(Wakers::default());
        let core = Core {
            stream: Some(stream),
            connection,
            waker: Waker::from(Arc::clone(&wakers)),
            wakers,
            now,
            unflushed: false,
            shut: false,
            ended: false,
            write_error: None,
            read_error: None,
            handles: 1,
            ops,
        };
        Arc::new(Self { core: Mutex::new(core), in_background: AtomicBool::new(false) })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Core<S>> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Shared<S> {
    /// The next event; `None` after a clean close. Ends only after the Close frame was written, or could not be.
    pub(crate) fn poll_event(
        self: &Arc<Self>,
        reader: &mut Reader,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Event>, Error>> {
        let mut core = self.lock();
        if !reader.input.is_empty() {
            pool::lend(&mut core.connection);
        }
        let was_open = core.connection.is_open();
        let outcome = core.poll_event(reader, cx);
        if was_open && !core.connection.is_open() {
            // Whoever waits for room in the queue waits in vain.
            core.wakers.wake_all();
        }
        if outcome.is_pending() && core.has_unsent() {
            core.continue_in_background(self);
        }
        pool::reclaim(&mut core.connection);
        outcome
    }

    /// Queues `outgoing`, when there is room; then lets it leave by the flush contract. `reader` is the receiving end, where it is here.
    pub(crate) fn poll_send(
        self: &Arc<Self>,
        outgoing: &mut Option<Outgoing>,
        reader: Option<&mut Reader>,
        cx: &mut Context<'_>,
        when: Leave,
    ) -> Poll<Result<(), Error>> {
        let mut core = self.lock();
        pool::lend(&mut core.connection);
        let outcome = core.poll_send(self, outgoing, reader, cx, when);
        pool::reclaim(&mut core.connection);
        outcome
    }

    /// Waits until everything queued was written and the stream was flushed.
    pub(crate) fn poll_flush(self: &Arc<Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut core = self.lock();
        core.wakers.register(Slot::Sender, cx.waker());
        let outcome = core.poll_write_out();
        if outcome.is_pending() {
            core.continue_in_background(self);
        }
        pool::reclaim(&mut core.connection);
        ready!(outcome);
        Poll::Ready(core.check_writable())
    }

    /// Waits for room in the queue.
    pub(crate) fn poll_room(self: &Arc<Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut core = self.lock();
        ready!(core.poll_room(None, cx));
        Poll::Ready(core.check_writable())
    }

    /// Queues `outgoing` without waiting, for the next flush.
    pub(crate) fn feed(self: &Arc<Self>, outgoing: Outgoing) -> Result<(), Error> {
        let mut core = self.lock();
        core.check_writable()?;
        pool::lend(&mut core.connection);
        outgoing.queue(&mut core.connection, now)?;
        let put_off = core.connection.transmit().len() < WRITE_FROM;
        if !(put_off && core.continue_in_background(self)) && core.poll_write_out().is_pending() {
            core.continue_in_background(self);
        }
        Ok(())
    }

    /// Queues a Close frame and writes what can be written at once.
    pub(crate) fn start_closing(self: &Arc<Self>, code: CloseCode, reason: &str) -> Result<(), ApiMisuse> {
        let mut core = self.lock();
        let was_open = core.connection.is_open();
        core.connection.close(code, reason, now())?;
        if !was_open {
            return Ok(());
        }
        if core.poll_write_out().is_pending() {
            core.continue_in_background(self);
        }
        // Whoever waits has another deadline now.
        core.wakers.wake_all();
        Ok(())
    }
}

/// When what was queued is to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// As soon as nothing is left to read.
    Soon,
    /// With the next flush, or when the task yields.
    Later,
}

impl<S> Core<S> {
    /// Is anything left that should be on its way?
    pub(crate) fn has_unsent(&mut self) -> bool {
        self.unflushed || !self.connection.transmit().is_empty()
    }

    /// Sees to it that what is queued leaves without anybody's help; false where no task can be had for that.
    pub(crate) fn continue_in_background(&self, shared: &Arc<Shared<S>>) -> bool {
        if !shared.in_background.swap(true, Ordering::Relaxed) && !(self.ops.spawn)(shared) {
            shared.in_background.store(false, Ordering::Relaxed);
        }
        shared.in_background.load(Ordering::Relaxed)
    }

    /// The error of the stream, if it cannot be written to any more.
    fn check_writable(&self) -> Result<(), Error> {
        self.write_error.as_ref().map_or(Ok(()), |error| Err(Error::Io(again(error))))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Core<S> {
    fn poll_event(
        &mut self,
        reader: &mut Reader,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Event>, Error>> {
        if !reader.input.is_empty() {
            // Messages from the buffer cost no system call, so some of them together count against the task's budget.
            reader.buffered = (reader.buffered + 1) % BUDGET_FOR;
            if reader.buffered == 0 {
                ready!(pin!(tokio::task::coop::consume_budget()).poll(cx));
            }
        }
        let mut registered = false;
        loop {
            // To the end: what follows the end of a connection is taken and discarded too.
            while let Some(event) = self.connection.poll_event(&mut reader.input, self.now) {
                if let Some(event) = Event::from_borrowed(event) {
                    return Poll::Ready(Ok(Some(event)));
                }
            }
            if !registered {
                self.wakers.register(Slot::Receiver, cx.waker());
                registered = true;
            }
            let written = self.poll_write_out();
            if self.connection.is_over() {
                let given_up = self.connection.transport() == Transport::Close;
                if written.is_ready() || given_up {
                    let _in_time = self.poll_shutdown();
                    return Poll::Ready(self.outcome());
                }
            }
            // Also behind the end: a peer that waits for us to read does not read our Close frame.
            if self.poll_read(reader).is_ready() {
                continue;
            }
            if let Some(spare) = reader.input.release() {
                pool::give_receive_buffer(spare);
            }
            ready!(self.poll_timers(&mut reader.deadline, cx));
        }
    }

    fn poll_send(
        &mut self,
        shared: &Arc<Shared<S>>,
        outgoing: &mut Option<Outgoing>,
        mut reader: Option<&mut Reader>,
        cx: &mut Context<'_>,
        when: Leave,
    ) -> Poll<Result<(), Error>> {
        if outgoing.is_some() {
            ready!(self.poll_room(reader.as_deref_mut(), cx));
            self.check_writable()?;
        }
        if let Some(outgoing) = outgoing.take() {
            outgoing.queue(&mut self.connection, now)?;
        }
        let more_to_read = reader.is_some_and(|reader| {
            !reader.input.is_empty() && self.connection.has_frame(reader.input.as_slice())
        });
        let may_wait = when == Leave::Later || more_to_read;
        if may_wait && self.connection.transmit().len() < WRITE_FROM && self.continue_in_background(shared) {
            return Poll::Ready(Ok(()));
        }
        if self.poll_write_out().is_pending() && !self.continue_in_background(shared) {
            // Nobody else can write it: wait here.
            self.wakers.register(Slot::Sender, cx.waker());
            ready!(self.poll_write_out());
        }
        Poll::Ready(self.check_writable())
    }

    /// Waits until the queue is below its mark. Timers run meanwhile.
    fn poll_room(&mut self, mut reader: Option<&mut Reader>, cx: &mut Context<'_>) -> Poll<()> {
        let mark = self.connection.config().max_send_queue_bytes();
        while self.connection.is_open() && self.connection.transmit().len() >= mark {
            self.wakers.register(Slot::Sender, cx.waker());
            if self.poll_write_out().is_ready() || self.connection.transmit().len() < mark {
                break;
            }
            match &mut reader {
                Some(reader) => ready!(self.poll_timers(&mut reader.deadline, cx)),
                None => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    /// Waits for the connection's deadline, and tells it.
    fn poll_timers(&mut self, deadline: &mut Deadline, cx: &mut Context<'_>) -> Poll<()> {
        ready!(deadline.poll(self.connection.poll_timeout(), cx));
        self.connection.handle_timeout(now());
        Poll::Ready(())
    }

    /// Writes what is queued; ready when all of it was written and flushed, or when nothing can be written any more.
    pub(crate) fn poll_write_out(&mut self) -> Poll<()> {
        let cx = &mut Context::from_waker(&self.waker);
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
                Err(error) => self.write_error = Some(error),
            }
        }
        if self.unflushed {
            if let Err(error) = ready!(stream.poll_flush(cx)) {
                self.write_error.get_or_insert(error);
            }
            self.unflushed = false;
        }
        Poll::Ready(())
    }

    /// Reads once, to where the bytes belong. An end or error of the stream becomes state of the connection.
    fn poll_read(&mut self, reader: &mut Reader) -> Poll<()> {
        let cx = &mut Context::from_waker(&self.waker);
        let Some(stream) = self.stream.as_mut().filter(|_| !self.ended) else { return Poll::Pending };
        let read = if let Some(buf) = self.connection.recv_buf() {
            let mut buf = ReadBuf::new(buf);
            ready!(Pin::new(stream).poll_read(cx, &mut buf)).map(|()| (buf.filled().len(), true))
        } else {
            ready!(pin!(stream.read_buf(reader.input.refill(pool::take_receive_buffer))).poll(cx))
                .map(|n| (n, false))
        };
        self.now = now();
        match read {
            Ok((0, _)) => {
                self.ended = true;
                self.connection.handle_eof(self.now);
            }
            Ok((n, true)) => self.connection.received(n, self.now),
            Ok((_, false)) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.ended = true;
                self.read_error = Some(error);
                self.connection.handle_eof(self.now);
            }
        }
        Poll::Ready(())
    }

    /// Does with the stream what the connection's end asks for.
    fn poll_shutdown(&mut self) -> Poll<()> {
        let cx = &mut Context::from_waker(&self.waker);
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
    fn outcome(&mut self) -> Result<Option<Event>, Error> {
        let Some(failure) = self.connection.failure() else { return Ok(None) };
        if *failure == Failure::EndOfStream
            && let Some(error) = self.read_error.as_ref().or(self.write_error.as_ref())
            && error.kind() != io::ErrorKind::UnexpectedEof
        {
            return Err(Error::Io(again(error)));
        }
        Err(Error::Failed(failure.clone()))
    }

    /// Behind the last handle: writes what is queued, then reads and discards what the peer still sends, until it has ended its side or
    /// the close timeout fires. Ready when the stream can be dropped.
    pub(crate) fn poll_linger(&mut self, reader: &mut Reader, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            while self.connection.poll_event(&mut reader.input, self.now).is_some() {}
            let written = self.poll_write_out();
            if self.write_error.is_some() && written.is_ready() {
                return Poll::Ready(());
            }
            let shut = self.poll_shutdown();
            if self.connection.transport() == Transport::Close {
                if shut.is_ready() || self.connection.poll_timeout().is_none() {
                    return Poll::Ready(());
                }
            } else if self.poll_read(reader).is_ready() {
                continue;
            }
            ready!(self.poll_timers(&mut reader.deadline, cx));
        }
    }
}

/// The time, as tokio's clock has it: paused in tests that pause it.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The same error for one more caller.
fn again(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

/// Queued bytes from which on a write is not put off any more.
const WRITE_FROM: usize = 64 << 10;
/// So many messages from the buffer count as one operation of the task's budget, which is 128.
const BUDGET_FOR: u8 = 8;
/// Most slices of one gathered write.
const SLICES: usize = 64;
