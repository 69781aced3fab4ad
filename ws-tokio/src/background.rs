//! The task that writes what nobody waits for.

use crate::driver::{Ops, Reader, Shared};
use crate::wakers::Slot;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use ws_proto::CloseCode;

impl<S: AsyncRead + AsyncWrite + Unpin> Ops<S> {
    /// For streams that may move to a task of their own.
    pub(crate) fn spawning() -> Self
    where
        S: Send + 'static,
    {
        Self { spawn: spawn::<S>, abandon: abandon::<S> }
    }

    /// For streams that may not.
    pub(crate) fn local() -> Self {
        Self { spawn: |_| false, abandon: abandon::<S> }
    }
}

fn spawn<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(shared: &Arc<Shared<S>>) -> bool {
    let Ok(runtime) = Handle::try_current() else { return false };
    let task = Task { shared: Arc::clone(shared), reader: Reader::default(), done: false };
    runtime.spawn(task.run());
    true
}

/// Writes until nothing is left; behind the last handle it also sees the connection to its end.
struct Task<S> {
    shared: Arc<Shared<S>>,
    reader: Reader,
    done: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Task<S> {
    async fn run(mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut core = self.shared.lock();
        core.wakers.register(Slot::Background, cx.waker());
        if core.handles > 0 {
            ready!(core.poll_write_out());
            crate::pool::reclaim(&mut core.connection);
            self.shared.in_background.store(false, Ordering::Relaxed);
            self.done = true;
            return Poll::Ready(());
        }
        ready!(core.poll_linger(&mut self.reader, cx));
        let stream = core.stream.take();
        self.done = true;
        // The stream may run code of the user when it is dropped, so not under the lock.
        drop(core);
        drop(stream);
        Poll::Ready(())
    }
}

impl<S> Drop for Task<S> {
    /// A runtime that shuts down drops its tasks: what they left is anybody's again.
    fn drop(&mut self) {
        if !self.done {
            self.shared.in_background.store(false, Ordering::Relaxed);
        }
    }
}

/// The last handle is gone: ends the connection politely, as far as that goes without waiting, and leaves the rest to the task.
fn abandon<S: AsyncRead + AsyncWrite + Unpin>(shared: &Arc<Shared<S>>) {
    let mut core = shared.lock();
    let code = if std::thread::panicking() { CloseCode::INTERNAL_ERROR } else { CloseCode::GOING_AWAY };
    // Only codes that cannot be sent are refused.
    let _sendable = core.connection.close(code, "", crate::driver::now());
    let written = core.poll_write_out();
    let over = written.is_ready() && core.connection.transport() == ws_proto::Transport::Close;
    let stream = if !over && core.continue_in_background(shared) { None } else { core.stream.take() };
    core.wakers.wake_all();
    drop(core);
    drop(stream);
}
