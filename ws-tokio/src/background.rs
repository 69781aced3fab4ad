//! The task that writes what nobody waits for.
//!
//! It is spawned when it is first needed. When all is written it rests, so that a burst of messages costs a wake-up and no new task, and
//! ends when the socket has been idle until its next timer.

use crate::driver::{Asked, Ops, Reader, Shared};
use crate::sync::{AtomicU8, Ordering};
use crate::trace::{self, in_current_span};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use ws_proto::CloseCode;

/// Is the task there?
#[derive(Debug, Default)]
pub(crate) struct Background(AtomicU8);

impl Background {
    /// Has it been told to see to what is queued?
    #[inline]
    pub(crate) fn is_busy(&self) -> bool {
        self.0.load(Ordering::Relaxed) == BUSY
    }

    /// Where it rests: it has been told, and is to be woken.
    pub(crate) fn take_up(&self) -> bool {
        self.change(RESTING, BUSY)
    }

    /// Where there is none: it is to be spawned.
    pub(crate) fn begin(&self) -> bool {
        self.change(NONE, BUSY)
    }

    /// It has nothing to do.
    fn rest(&self) -> bool {
        self.change(BUSY, RESTING)
    }

    /// It is not there any more: what it left is anybody's.
    pub(crate) fn end(&self) {
        self.0.store(NONE, Ordering::Relaxed);
    }

    fn change(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

const NONE: u8 = 0;
const RESTING: u8 = 1;
const BUSY: u8 = 2;

impl<S: AsyncRead + AsyncWrite + Unpin> Ops<S> {
    /// For streams that may move to a task of their own.
    pub(crate) fn spawning() -> Self
    where
        S: Send + 'static,
    {
        Self(|shared, asked| match asked {
            Asked::Spawn => spawn(shared),
            Asked::Abandon => abandon(shared),
        })
    }

    /// For streams that may not.
    pub(crate) fn local() -> Self {
        Self(|shared, asked| match asked {
            Asked::Spawn => false,
            Asked::Abandon => abandon(shared),
        })
    }
}

fn spawn<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(shared: &Arc<Shared<S>>) -> bool {
    let Ok(runtime) = Handle::try_current() else { return false };
    let task = Task { shared: Arc::clone(shared), reader: None, ended: false };
    runtime.spawn(in_current_span(task.run()));
    true
}

/// Writes until nothing is left; behind the last handle it also sees the connection to its end.
struct Task<S> {
    shared: Arc<Shared<S>>,
    /// For what comes behind the last handle.
    reader: Option<Box<Reader>>,
    /// Is it known that this task is not there any more? Then another may be.
    ended: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Task<S> {
    async fn run(mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut core = self.shared.lock();
        if core.wire.stream.is_none() {
            self.ended = true;
        } else if core.handles > 0 {
            if core.has_unsent() {
                let waker = core.waiting.enter_background(cx.waker());
                ready!(core.poll_write_out(&mut Context::from_waker(&waker)));
                core.waiting.leave_background();
            }
            crate::pool::reclaim(&mut core.connection);
            if self.shared.background.rest() {
                match &mut core.resting {
                    Some(resting) => resting.clone_from(cx.waker()),
                    resting @ None => *resting = Some(cx.waker().clone()),
                }
                return Poll::Pending;
            }
            // Woken without being told anything: it is not needed.
            self.ended = true;
        } else {
            ready!(core.poll_linger(self.reader.get_or_insert_default(), cx));
            self.ended = true;
        }
        self.shared.background.end();
        core.resting = None;
        let stream = if core.handles == 0 { core.wire.stream.take() } else { None };
        // The stream may run code of the user when it is dropped, so not under the lock.
        drop(core);
        drop(stream);
        Poll::Ready(())
    }
}

impl<S> Drop for Task<S> {
    /// A runtime that shuts down drops its tasks.
    fn drop(&mut self) {
        if !self.ended {
            self.shared.background.end();
        }
    }
}

/// The last handle is gone: ends the connection politely, as far as that goes without waiting, and leaves the rest to the task.
fn abandon<S: AsyncRead + AsyncWrite + Unpin>(shared: &Arc<Shared<S>>) -> bool {
    let mut core = shared.lock();
    let code = if std::thread::panicking() { CloseCode::INTERNAL_ERROR } else { CloseCode::GOING_AWAY };
    if core.connection.is_open() {
        trace::dropped(code);
    }
    // Only codes that cannot be sent are refused.
    let _sendable = core.connection.close(code, "", crate::driver::now());
    core.tell();
    let written = core.write_unattended();
    let over = written.is_ready() && core.connection.transport() == ws_proto::Transport::Close;
    let stream = if !over && core.continue_in_background(shared) { None } else { core.wire.stream.take() };
    if stream.is_some()
        && let Some(resting) = core.resting.take()
    {
        // The task keeps the socket, and the socket its waker: both would stay for ever.
        resting.wake();
    }
    core.waiting.wake_all();
    drop(core);
    drop(stream);
    true
}

#[cfg(all(loom, test))]
mod interleavings;
