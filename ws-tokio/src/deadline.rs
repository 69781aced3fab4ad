//! One timer for a connection, which is armed anew only when it has to be.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::time::{Sleep, sleep_until};

/// The timer of one connection.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    /// Made with the first deadline, for an idle socket without timers is to own none.
    sleep: Option<Pin<Box<Sleep>>>,
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
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if sleep.deadline() >= at {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(at);
        }
        Poll::Pending
    }
}
