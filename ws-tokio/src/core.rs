//! What the lock of a socket guards: a connection, its stream, and whoever waits for them.

use crate::budget::Account;
use crate::deadline::Deadline;
use crate::driver::{Asked, Leave, Ops, Reader, Shared, now, stream_context};
use crate::outgoing::Outgoing;
use crate::trace::Told;
use crate::wakers::{Slot, Waiting};
use crate::wire::Wire;
use crate::{Error, pool};
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_proto::{Connection, ReceiveBuffer, SendRefusal, Transport};

/// What the lock guards.
#[derive(Debug)]
pub(crate) struct Core<S> {
    pub(crate) wire: Wire<S>,
    pub(crate) connection: Connection,
    pub(crate) waiting: Waiting,
    /// The background task, where it rests.
    pub(crate) resting: Option<Waker>,
    /// Handles of the user.
    pub(crate) handles: u8,
    /// Was the end told through `Stream`?
    pub(crate) stream_ended: bool,
    /// Counts what was asked for while something lay in the buffer.
    buffered: u8,
    /// What it holds of a memory budget, where there is one; in a box, as others do without.
    pub(crate) account: Option<Box<Account>>,
    pub(crate) ops: Ops<S>,
    pub(crate) told: Told,
}

impl<S> Core<S> {
    pub(crate) fn new(stream: S, connection: Connection, ops: Ops<S>) -> Self {
        Self {
            told: Told::opened(&connection),
            wire: Wire::new(stream),
            connection,
            waiting: Waiting::default(),
            resting: None,
            handles: 1,
            stream_ended: false,
            buffered: 0,
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

    /// Messages from the buffer cost no system call, so some of them together count against the task's budget.
    #[inline]
    pub(crate) fn poll_budget(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.buffered = (self.buffered + 1) % BUDGET_FOR;
        if self.buffered == 0 { pin!(tokio::task::coop::consume_budget()).poll(cx) } else { Poll::Ready(()) }
    }

    /// Is anything left that should be on its way?
    #[inline]
    pub(crate) fn has_unsent(&mut self) -> bool {
        self.wire.is_unflushed() || !self.connection.transmit().is_empty()
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
            let rest = reader.map_or(&[][..], |reader| reader.input.as_slice());
            !rest.is_empty() && self.connection.has_frame(rest)
        };
        (when == Leave::Later || more_to_read())
            && self.connection.transmit().len() < WRITE_FROM
            && self.continue_in_background(shared)
    }

    #[inline]
    pub(crate) fn queue(&mut self, outgoing: impl Outgoing) -> Result<(), Error> {
        if self.wire.is_broken() {
            // Nothing can leave any more; what the stream said was told to whoever wrote, and `recv` tells it.
            return Err(Error::Refused { refusal: SendRefusal::Closed, message: outgoing.into_message() });
        }
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
        self.connection.transmit().len() < mark || !self.connection.is_open()
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
        while !self.has_room() {
            let waker = self.waiting.enter(Slot::Sender, cx.waker());
            let written = self.poll_write_out(&mut stream_context(waker.as_ref(), cx));
            if written.is_ready() || self.has_room() {
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
    #[inline]
    pub(crate) fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.wire.poll_write(self.connection.transmit(), cx)
    }

    /// As [`poll_write_out`](Self::poll_write_out), where no task is there to be woken.
    pub(crate) fn write_unattended(&mut self) -> Poll<()> {
        let waker = self.waiting.nobody();
        self.poll_write_out(&mut Context::from_waker(&waker))
    }

    /// Reads once; ready with the time. Where nothing can be read, the receive buffer goes back to the thread.
    fn poll_read(&mut self, reader: &mut Reader, cx: &mut Context<'_>) -> Poll<Instant> {
        let read = self.wire.poll_read(&mut self.connection, &mut reader.input, cx);
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

    /// Does with the stream what the connection's end asks for.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.connection.transport() {
            Transport::KeepOpen => Poll::Ready(()),
            Transport::ShutdownWrite | Transport::Close => self.wire.poll_shutdown(cx),
        }
    }

    /// How a connection that is over ended.
    fn outcome(&self) -> Result<(), Error> {
        self.connection.failure().map_or(Ok(()), |failure| Err(self.wire.error(failure)))
    }

    /// Fails the connection to make room for others. What is queued is let go too where the stream does not take it at once, because
    /// the peer does not read: then the stream is cut, and is what comes back.
    pub(crate) fn give_up_memory(&mut self, limit: usize, used: usize) -> Option<S> {
        self.connection.give_up_memory(limit as u64, used as u64, now());
        let cut = if self.write_unattended().is_pending() {
            self.wire.cut();
            // Nothing can be written any more, so this discards it.
            let _discarded = self.write_unattended();
            self.wire.stream.take()
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
            if self.wire.is_broken() && written.is_ready() {
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

/// So many messages from the buffer count as one operation of the task's budget, which is 128.
const BUDGET_FOR: u8 = 8;
/// Queued bytes from which on a write is not put off any more: as much as one read brings, so that a burst is answered with one write.
pub(crate) const WRITE_FROM: usize = 256 << 10;
