//! A connection and its stream, polled together: the only code that touches wakers.

use crate::background::Background;
use crate::deadline::Deadline;
use crate::outgoing::Outgoing;
use crate::wakers::{Slot, Waiting};
use crate::{Error, pool};
use bytes::{Buf, BufMut};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use ws_proto::owned::Event;
use ws_proto::{ApiMisuse, CloseCode, Connection, Failure, Message, ReceiveBuffer, Transport};

/// A socket as its handles and its background task share it. The lock is held within one poll only.
#[derive(Debug)]
pub(crate) struct Shared<S> {
    core: Mutex<Core<S>>,
    /// Outside of the lock, because a runtime that shuts down drops a task while it is being spawned.
    pub(crate) background: Background,
}

/// What the lock guards.
#[derive(Debug)]
pub(crate) struct Core<S> {
    /// `None` once it was taken out, or dropped behind the end of the connection.
    pub(crate) stream: Option<S>,
    pub(crate) connection: Connection,
    pub(crate) waiting: Waiting,
    /// The background task, where it rests.
    pub(crate) resting: Option<Waker>,
    /// When bytes were last read.
    pub(crate) now: Instant,
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
    /// Counts what was asked for while something lay in the buffer.
    pub(crate) buffered: u8,
}

impl Reader {
    /// Messages from the buffer cost no system call, so some of them together count against the task's budget.
    #[inline]
    fn poll_budget(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.buffered = (self.buffered + 1) % BUDGET_FOR;
        if self.buffered == 0 { pin!(tokio::task::coop::consume_budget()).poll(cx) } else { Poll::Ready(()) }
    }
}

impl<S> Shared<S> {
    pub(crate) fn new(stream: S, connection: Connection, now: Instant, ops: Ops<S>) -> Arc<Self> {
        let core = Core {
            stream: Some(stream),
            connection,
            waiting: Waiting::default(),
            resting: None,
            now,
            unflushed: false,
            shut: false,
            ended: false,
            handles: 1,
            write_error: None,
            read_error: None,
            ops,
        };
        Arc::new(Self { core: Mutex::new(core), background: Background::default() })
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, Core<S>> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The receiving end goes. As the last handle it takes in what was read and not handed out, so that a Close frame among that is not
    /// lost.
    pub(crate) fn leave(&self, reader: &mut Reader) {
        if reader.input.is_empty() {
            return;
        }
        let mut core = self.lock();
        if core.handles == 1 {
            let now = core.now;
            lend_for(&mut core.connection, &reader.input);
            while core.connection.poll_event(&mut reader.input, now).is_some() {}
            pool::reclaim(&mut core.connection);
        }
    }

    /// Users of its `Sink` and `Stream` may be in two tasks.
    pub(crate) fn divide(&self) {
        self.lock().waiting.divide();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Shared<S> {
    /// The next whole message; `None` after a clean close. Ends only after the Close frame was written, or could not be.
    #[inline]
    pub(crate) fn poll_message(
        self: &Arc<Self>,
        reader: &mut Reader,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Message>, Error>> {
        let mut guard = self.lock();
        let core = &mut *guard;
        if !reader.input.is_empty() {
            ready!(reader.poll_budget(cx));
            if let Some(message) = core.connection.poll_message(&mut reader.input, core.now) {
                return Poll::Ready(Ok(Some(message.into_message())));
            }
        }
        self.poll_parsed(guard, reader, cx, |connection, input, now| {
            if let Some(message) = connection.poll_message(input, now) {
                return Some(Ok(message.into_message()));
            }
            lend_for(connection, input);
            while let Some(event) = connection.poll_event(input, now) {
                match Event::from_borrowed(event) {
                    Some(Event::Message(message)) => return Some(Ok(message)),
                    Some(Event::Fragment(_)) => return Some(Err(ApiMisuse::DeliveryIsStreaming.into())),
                    Some(_) | None => {}
                }
            }
            None
        })
    }

    /// The next event. Otherwise as [`poll_message`](Self::poll_message).
    pub(crate) fn poll_event(
        self: &Arc<Self>,
        reader: &mut Reader,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Event>, Error>> {
        if !reader.input.is_empty() {
            ready!(reader.poll_budget(cx));
        }
        self.poll_parsed(self.lock(), reader, cx, |connection, input, now| {
            lend_for(connection, input);
            // To the end: what follows the end of a connection is taken and discarded too.
            while let Some(event) = connection.poll_event(input, now) {
                if let Some(event) = Event::from_borrowed(event) {
                    return Some(Ok(event));
                }
            }
            None
        })
    }

    /// What `parse` makes of the input, and the upkeep around it.
    fn poll_parsed<T>(
        self: &Arc<Self>,
        mut core: MutexGuard<'_, Core<S>>,
        reader: &mut Reader,
        cx: &mut Context<'_>,
        parse: impl FnMut(&mut Connection, &mut ReceiveBuffer, Instant) -> Option<Result<T, Error>>,
    ) -> Poll<Result<Option<T>, Error>> {
        let was_open = core.connection.is_open();
        let outcome = core.poll_parsed(reader, cx, parse);
        if was_open && !core.connection.is_open() {
            // Whoever waits for room in the queue waits in vain.
            core.waiting.wake_all();
        }
        if outcome.is_pending() && core.has_unsent() {
            core.continue_in_background(self);
        }
        pool::reclaim(&mut core.connection);
        outcome
    }

    /// Queues `outgoing`, when there is room; then lets it leave by the flush contract. `reader` is the receiving end, where it is here.
    #[inline]
    pub(crate) fn poll_send<O: Outgoing>(
        self: &Arc<Self>,
        outgoing: &mut Option<O>,
        reader: Option<&mut Reader>,
        cx: &mut Context<'_>,
        when: Leave,
    ) -> Poll<Result<(), Error>> {
        let mut core = self.lock();
        if core.has_room()
            && let Some(outgoing) = outgoing.take()
        {
            core.queue(outgoing)?;
        }
        if outgoing.is_none() && core.puts_off(self, reader.as_deref(), when) {
            return Poll::Ready(Ok(()));
        }
        self.poll_send_slowly(core, outgoing, reader, cx, when)
    }

    /// Waits for room where there was none, and writes.
    fn poll_send_slowly<O: Outgoing>(
        self: &Arc<Self>,
        mut core: MutexGuard<'_, Core<S>>,
        outgoing: &mut Option<O>,
        mut reader: Option<&mut Reader>,
        cx: &mut Context<'_>,
        when: Leave,
    ) -> Poll<Result<(), Error>> {
        if outgoing.is_some() {
            ready!(core.poll_room(reader.as_deref_mut(), cx));
            core.check_writable()?;
        }
        if let Some(outgoing) = outgoing.take() {
            core.queue(outgoing)?;
            if core.puts_off(self, reader.as_deref(), when) {
                return Poll::Ready(Ok(()));
            }
        }
        self.poll_write_through(&mut core, cx)
    }

    /// Writes what was queued, or leaves it to the background task where the stream does not take it.
    #[inline]
    fn poll_write_through(
        self: &Arc<Self>,
        core: &mut Core<S>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        let waker = core.waiting.enter(Slot::Sender, cx.waker());
        let written = core.poll_write_out(&mut stream_context(waker.as_ref(), cx));
        if written.is_pending() && !core.continue_in_background(self) {
            // Nobody else can write it: wait here.
            return Poll::Pending;
        }
        pool::reclaim(&mut core.connection);
        Poll::Ready(core.check_writable())
    }

    /// Waits until everything queued was written and the stream was flushed.
    pub(crate) fn poll_flush(self: &Arc<Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut core = self.lock();
        let waker = core.waiting.enter(Slot::Sender, cx.waker());
        let outcome = core.poll_write_out(&mut stream_context(waker.as_ref(), cx));
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
    pub(crate) fn feed(self: &Arc<Self>, outgoing: impl Outgoing) -> Result<(), Error> {
        let mut core = self.lock();
        core.check_writable()?;
        core.queue(outgoing)?;
        if !core.puts_off(self, None, Leave::Later) && core.write_unattended().is_pending() {
            core.continue_in_background(self);
        }
        Ok(())
    }

    /// Queues `outgoing`; whoever calls it sees to it that it leaves.
    #[inline]
    pub(crate) fn feed_unattended<O: Outgoing>(&self, outgoing: O) -> Result<(), Error> {
        let mut core = self.lock();
        core.check_writable()?;
        core.queue(outgoing)
    }

    /// Queues a Close frame and writes what can be written at once.
    pub(crate) fn start_closing(self: &Arc<Self>, code: CloseCode, reason: &str) -> Result<(), ApiMisuse> {
        let mut core = self.lock();
        let was_open = core.connection.is_open();
        core.connection.close(code, reason, now())?;
        if !was_open {
            return Ok(());
        }
        if core.write_unattended().is_pending() {
            core.continue_in_background(self);
        }
        // Whoever waits has another deadline now.
        core.waiting.wake_all();
        Ok(())
    }
}

/// Lends the thread's buffers to a connection that is about to parse.
fn lend_for(connection: &mut Connection, input: &ReceiveBuffer) {
    if !input.is_empty() || connection.wants_memory() {
        pool::lend(connection);
    }
}

/// To poll the stream with: the waker that [`Waiting`] tells, or the task's own.
pub(crate) fn stream_context<'a>(waker: Option<&'a Waker>, cx: &'a Context<'_>) -> Context<'a> {
    Context::from_waker(waker.unwrap_or_else(|| cx.waker()))
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
        } else if shared.background.begin() && !(self.ops.spawn)(shared) {
            shared.background.end();
        }
        shared.background.is_busy()
    }

    /// Does what is queued not need to leave at once, and is somebody there who sees to it later?
    #[inline]
    fn puts_off(&mut self, shared: &Arc<Shared<S>>, reader: Option<&Reader>, when: Leave) -> bool {
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
    fn queue(&mut self, outgoing: impl Outgoing) -> Result<(), Error> {
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
    fn check_writable(&self) -> Result<(), Error> {
        self.write_error.as_ref().map_or(Ok(()), |error| Err(Error::Io(again(error))))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Core<S> {
    fn poll_parsed<T>(
        &mut self,
        reader: &mut Reader,
        cx: &mut Context<'_>,
        mut parse: impl FnMut(&mut Connection, &mut ReceiveBuffer, Instant) -> Option<Result<T, Error>>,
    ) -> Poll<Result<Option<T>, Error>> {
        loop {
            if (!reader.input.is_empty() || self.connection.has_work())
                && let Some(item) = parse(&mut self.connection, &mut reader.input, self.now)
            {
                return Poll::Ready(item.map(Some));
            }
            if let Some(ended) = ready!(self.poll_more(reader, cx)) {
                return Poll::Ready(ended.map(|()| None));
            }
        }
    }

    /// Writes what is queued, and waits for more to parse: input, the end of the stream, a deadline. Tells how a connection that is over
    /// ended.
    #[inline]
    pub(crate) fn poll_more(
        &mut self,
        reader: &mut Reader,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(), Error>>> {
        let waker = self.waiting.enter(Slot::Receiver, cx.waker());
        let stream_cx = &mut stream_context(waker.as_ref(), cx);
        let written = if self.has_unsent() { self.poll_write_out(stream_cx) } else { Poll::Ready(()) };
        if self.connection.is_over() {
            let given_up = self.connection.transport() == Transport::Close;
            if written.is_ready() || given_up {
                let _in_time = self.poll_shutdown(stream_cx);
                return Poll::Ready(Some(self.outcome()));
            }
        }
        // Also behind the end: a peer that waits for us to read does not read our Close frame.
        if self.poll_read(reader, stream_cx).is_ready() {
            return Poll::Ready(None);
        }
        if let Some(spare) = reader.input.release() {
            pool::give_receive_buffer(spare);
        }
        ready!(self.poll_timers(&mut reader.deadline, cx));
        Poll::Ready(None)
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
                Some(reader) => ready!(self.poll_timers(&mut reader.deadline, cx)),
                None => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    /// Waits for the connection's deadline, and tells it.
    fn poll_timers(&mut self, deadline: &mut Deadline, cx: &mut Context<'_>) -> Poll<()> {
        if self.connection.is_open() && deadline.runs_for(cx.waker()) {
            return Poll::Pending;
        }
        let at = self.connection.poll_timeout();
        ready!(deadline.poll(at, self.earliest_next(), cx));
        self.connection.handle_timeout(now());
        if let Some(resting) = self.resting.take() {
            // Not told anything, the background task ends: an idle socket is to own none.
            resting.wake();
        }
        Poll::Ready(())
    }

    /// While the connection is open, what is read and sent moves its deadline to this time at the earliest.
    fn earliest_next(&self) -> Option<Instant> {
        let config = self.connection.config();
        let soonest = config.ping_interval().into_iter().chain(config.idle_timeout()).min()?;
        self.now.checked_add(soonest)
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

    /// As [`poll_write_out`](Self::poll_write_out), where no task is there to be woken.
    pub(crate) fn write_unattended(&mut self) -> Poll<()> {
        let waker = self.waiting.nobody();
        self.poll_write_out(&mut Context::from_waker(&waker))
    }

    /// Reads once, to where the bytes belong. An end or error of the stream becomes state of the connection.
    fn poll_read(&mut self, reader: &mut Reader, cx: &mut Context<'_>) -> Poll<()> {
        let Some(stream) = self.stream.as_mut().filter(|_| !self.ended) else { return Poll::Pending };
        let read = if let Some(buf) = self.connection.recv_buf() {
            let mut buf = ReadBuf::new(buf);
            ready!(Pin::new(stream).poll_read(cx, &mut buf)).map(|()| (buf.filled().len(), true))
        } else {
            let limit = self.connection.recv_limit();
            let buf = reader.input.refill(pool::RECEIVE_BYTES, pool::take_receive_buffer);
            ready!(pin!(stream.read_buf(&mut buf.limit(limit))).poll(cx)).map(|n| (n, false))
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

    /// Behind the last handle: writes what is queued, then reads and discards what the peer still sends, until it has ended its side or
    /// the close timeout fires. Ready when the stream can be dropped.
    pub(crate) fn poll_linger(&mut self, reader: &mut Reader, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            while self.connection.poll_event(&mut reader.input, self.now).is_some() {}
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
            } else if self.poll_read(reader, stream_cx).is_ready() {
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

/// Queued bytes from which on a write is not put off any more: as much as one read brings, so that a burst is answered with one write.
pub(crate) const WRITE_FROM: usize = 256 << 10;
/// So many messages from the buffer count as one operation of the task's budget, which is 128.
const BUDGET_FOR: u8 = 8;
/// Most slices of one gathered write.
const SLICES: usize = 64;
