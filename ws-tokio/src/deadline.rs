//! One timer for a connection, which is armed anew only when it has to be.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use tokio::time::{Sleep, sleep_until};

/// The timer of one connection.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    /// Made with the first deadline, for an idle socket without timers is to own none.
    sleep: Option<Pin<Box<Sleep>>>,
    /// The waker that it wakes.
    waker: Option<Waker>,
}

impl Deadline {
    /// Waits for `at`; `None` waits for ever. Deadlines mostly move back, with each message that comes: the timer then goes on running
    /// for the earlier time, and is armed anew when that has come.
    pub(crate) fn poll(&mut self, at: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = at else { return Poll::Pending };
        let at = at.into();
        let sleep = match &mut self.sleep {
            Some(sleep) => sleep,
            // Outside of a runtime there are no timers.
            None if tokio::runtime::Handle::try_current().is_err() => return Poll::Pending,
            slot @ None => slot.insert(Box::pin(sleep_until(at))),
        };
        if at < sleep.deadline() {
            sleep.as_mut().reset(at);
        } else if !sleep.is_elapsed() && self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            // It runs already, and wakes this task: polling it for each message is dear.
            return Poll::Pending;
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if sleep.deadline() >= at {
                self.waker = None;
                return Poll::Ready(());
            }
            sleep.as_mut().reset(at);
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
