//! One timer for a connection, which is armed anew only when it has to be.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::task::coop;
use tokio::time::{Sleep, sleep_until};

/// The timer of one connection.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    /// Made with the first deadline, for an idle socket without timers is to own none.
    sleep: Option<Pin<Box<Sleep>>>,
    /// Does it run, for the task that polled it last?
    armed: bool,
    /// Can no message move the deadline to before the time that the timer runs for?
    steady: bool,
}

impl Deadline {
    /// Does the timer run, and can it be left alone whatever came and went? Looking at it for each message is dear.
    #[inline]
    pub(crate) fn runs(&self) -> bool {
        self.steady && self.armed && self.sleep.as_ref().is_some_and(|sleep| !sleep.is_elapsed())
    }

    /// Waits for `at`; `None` waits for ever. A message moves the deadline to `earliest_next` or later. Deadlines mostly move back, with
    /// each message that comes: the timer then goes on running for the earlier time, and is armed anew when that has come. `moved` says
    /// that the task of `cx` may be another than before.
    pub(crate) fn poll(
        &mut self,
        at: Option<Instant>,
        earliest_next: Option<Instant>,
        moved: bool,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        self.steady = false;
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
            self.armed = false;
        }
        if !self.armed || moved || sleep.is_elapsed() {
            self.armed = false;
            // Whatever is left of the task's budget: without any a timer is not registered, and would be believed to run.
            while pin!(coop::unconstrained(sleep.as_mut())).poll(cx).is_ready() {
                if sleep.deadline() >= at {
                    return Poll::Ready(());
                }
                sleep.as_mut().reset(at);
            }
            self.armed = true;
        }
        self.steady = earliest_next.is_some_and(|next| sleep.deadline() <= next.into());
        Poll::Pending
    }
}
