//! A socket as its handles and its background task share it. Here and in `core` is the only code that touches wakers.

use crate::background::Background;
use crate::core::Core;
use crate::deadline::Deadline;
use crate::input::Input;
use crate::locked::Locked;
use crate::outgoing::Outgoing;
use crate::sync::Mutex;
use crate::wakers::Slot;
use crate::{Error, pool};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_proto::owned::Event;
use ws_proto::{ApiMisuse, CloseCode, Connection, Message, Prepared, ReceiveBuffer};

/// A socket as its handles and its background task share it. The lock is held within one poll only.
#[derive(Debug)]
pub(crate) struct Shared<S> {
    core: Mutex<Core<S>>,
    /// Outside of the lock, because a runtime that shuts down drops a task while it is being spawned.
    pub(crate) background: Background,
}

/// What handles ask for that have no bounds on their stream.
#[derive(Debug)]
pub(crate) struct Ops<S>(pub(crate) fn(&Arc<Shared<S>>, Asked) -> bool);

/// Which of these.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked {
    /// Start the background task; false where none can be had.
    Spawn,
    /// The last handle is gone.
    Abandon,
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
    pub(crate) input: Input,
    pub(crate) deadline: Deadline,
}

impl<S> Shared<S> {
    pub(crate) fn new(stream: S, connection: Connection, ops: Ops<S>) -> Arc<Self> {
        let core = Core::new(stream, connection, ops);
        Arc::new(Self { core: Mutex::new(core), background: Background::default() })
    }

    #[inline]
    pub(crate) fn lock(&self) -> Locked<'_, S> {
        Locked(self.core.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The receiving end goes. As the last handle it takes in what was read and not handed out, so that a Close frame among that is not
    /// lost. Behind a message that nobody took no ping is answered: its pong would say that the message was received.
    pub(crate) fn leave(&self, reader: &mut Reader) {
        if reader.input.memory_bytes() == 0 {
            return;
        }
        let mut core = self.lock();
        if let Some(account) = &mut core.account {
            account.input = 0;
        }
        if core.handles == 1 && !reader.input.is_empty() {
            let now = core.connection.last_input();
            lend_for(&mut core.connection, reader.input.buffer());
            while let Some(event) = core.connection.poll_event(reader.input.buffer(), now) {
                if let ws_proto::Event::Message(_) | ws_proto::Event::Fragment(_) = event {
                    core.connection.stop_pongs();
                }
            }
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
        if let Some(input) = reader.input.unread() {
            ready!(core.poll_budget(cx));
            let now = core.connection.last_input();
            if let Some(message) = core.connection.poll_message(input, now) {
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
        let mut core = self.lock();
        if !reader.input.is_empty() {
            ready!(core.poll_budget(cx));
        }
        self.poll_parsed(core, reader, cx, |connection, input, now| {
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
        mut core: Locked<'_, S>,
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
        mut core: Locked<'_, S>,
        outgoing: &mut Option<O>,
        mut reader: Option<&mut Reader>,
        cx: &mut Context<'_>,
        when: Leave,
    ) -> Poll<Result<(), Error>> {
        if outgoing.is_some() {
            ready!(core.poll_room(reader.as_deref_mut(), cx));
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
        Poll::Ready(core.wire.check_writable())
    }

    /// Waits until everything queued was written and the stream was flushed.
    pub(crate) fn poll_flush(self: &Arc<Self>, slot: Slot, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut core = self.lock();
        let waker = core.waiting.enter(slot, cx.waker());
        let outcome = core.poll_write_out(&mut stream_context(waker.as_ref(), cx));
        if outcome.is_pending() {
            core.continue_in_background(self);
        }
        pool::reclaim(&mut core.connection);
        ready!(outcome);
        Poll::Ready(core.wire.check_writable())
    }

    /// Waits for room in the queue. `reader` is the receiving end, where it is here: then timers run meanwhile.
    pub(crate) fn poll_room(
        self: &Arc<Self>,
        reader: Option<&mut Reader>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        let mut core = self.lock();
        ready!(core.poll_room(reader, cx));
        Poll::Ready(core.wire.check_writable())
    }

    /// Queues `outgoing` if there is room, and lets what the stream takes leave at once. Without room `outgoing` stays where it is.
    pub(crate) fn send_now<O: Outgoing>(self: &Arc<Self>, outgoing: &mut Option<O>) -> Result<(), Error> {
        let mut core = self.lock();
        if !core.has_room() {
            return Ok(());
        }
        if let Some(outgoing) = outgoing.take() {
            core.queue(outgoing)?;
        }
        if core.write_unattended().is_pending() {
            core.continue_in_background(self);
        }
        pool::reclaim(&mut core.connection);
        core.wire.check_writable()
    }

    /// Queues `outgoing` without waiting, for the next flush.
    pub(crate) fn feed(self: &Arc<Self>, outgoing: impl Outgoing) -> Result<(), Error> {
        let mut core = self.lock();
        core.queue(outgoing)?;
        if !core.puts_off(self, None, Leave::Later) && core.write_unattended().is_pending() {
            core.continue_in_background(self);
        }
        Ok(())
    }

    /// Queues `messages` while there is room, and writes once. Tells how many were queued.
    pub(crate) fn write_prepared<'m>(
        self: &Arc<Self>,
        messages: impl IntoIterator<Item = &'m Prepared>,
    ) -> Result<usize, Error> {
        let mut core = self.lock();
        core.wire.check_writable()?;
        let mut queued = 0;
        for message in messages {
            if !core.has_room() {
                break;
            }
            core.queue(message)?;
            queued += 1;
        }
        if core.write_unattended().is_pending() {
            core.continue_in_background(self);
        }
        pool::reclaim(&mut core.connection);
        core.wire.check_writable().map(|()| queued)
    }

    /// Queues `outgoing`; whoever calls it sees to it that it leaves.
    #[inline]
    pub(crate) fn feed_unattended<O: Outgoing>(&self, outgoing: O) -> Result<(), Error> {
        self.lock().queue(outgoing)
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
        core.tell();
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

/// To poll the stream with: the waker that [`Waiting`](crate::wakers::Waiting) tells, or the task's own.
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

/// The time, as tokio's clock has it: paused in tests that pause it.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
