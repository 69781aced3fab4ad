//! Who is to be woken when the stream can be read or written.
//!
//! A stream keeps one waker for each direction, but up to three tasks may wait on a socket: the one that receives, the one that sends, and
//! the background task. The stream is always polled with one waker of ours, which wakes all that wait; so none can displace another,
//! also on streams that read in order to write (TLS).

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

/// The tasks that wait on one socket.
#[derive(Debug, Default)]
pub(crate) struct Wakers([Mutex<Option<Waker>>; 3]);

/// Which of them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slot {
    Receiver,
    Sender,
    Background,
}

impl Wakers {
    /// This task waits: wake it with the next event.
    pub(crate) fn register(&self, slot: Slot, waker: &Waker) {
        let [receiver, sender, background] = &self.0;
        let slot = match slot {
            Slot::Receiver => receiver,
            Slot::Sender => sender,
            Slot::Background => background,
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *slot {
            Some(registered) => registered.clone_from(waker),
            None => *slot = Some(waker.clone()),
        }
    }

    /// Wakes all that wait.
    pub(crate) fn wake_all(&self) {
        for slot in &self.0 {
            let waker = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(waker) = waker {
                waker.wake();
            }
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
