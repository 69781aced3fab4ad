//! Who is to be woken when the stream can be read or written.
//!
//! A stream keeps one waker for each direction, but up to three tasks may wait on a socket: the one that receives, the one that sends, and
//! the background task. The stream is always polled with one waker of ours, which wakes all that wait; so none can displace another,
//! also on streams that read in order to write (TLS).

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

/// The tasks that wait on one socket.
#[derive(Debug, Default)]
pub(crate) struct Wakers(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    receiver: Option<Waker>,
    sender: Option<Waker>,
    background: Option<Waker>,
}

/// Which of them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slot {
    Receiver,
    Sender,
    Background,
}

impl Wakers {
    /// This task waits: wake it with the next event.
    #[inline]
    pub(crate) fn register(&self, slot: Slot, waker: &Waker) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = match slot {
            Slot::Receiver => &mut waiting.receiver,
            Slot::Sender => &mut waiting.sender,
            Slot::Background => &mut waiting.background,
        };
        match slot {
            Some(registered) => registered.clone_from(waker),
            None => *slot = Some(waker.clone()),
        }
    }

    /// Wakes all that wait.
    pub(crate) fn wake_all(&self) {
        let waiting = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for waker in [waiting.receiver, waiting.sender, waiting.background].into_iter().flatten() {
            waker.wake();
        }
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_all();
    }
}
