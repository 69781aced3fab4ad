//! Who is to be woken when the stream can be read or written.
//!
//! A stream keeps one waker for each direction, but several tasks may wait on a socket: the one that receives, the one that sends, one
//! that waits until all was written, and the background task. Of the many that share a `Sender` one waits here, and the others for it. While only one waits, the stream is polled with its own waker. From where there may be several, the stream is
//! polled with one waker of ours, which wakes all that wait; so none can displace another, also on streams that read in order to write
//! (TLS).

use crate::sync::{Mutex, MutexGuard};
use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};

/// Who waits on one socket.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// The one task that waited last while no other could.
    alone: Option<Waker>,
    /// Made when a second one comes.
    several: Option<Arc<Wakers>>,
    /// May the halves of a socket, or users of its `Sink` and `Stream`, be in two tasks?
    divided: bool,
    /// Did the background task poll the stream, and is not done?
    in_background: bool,
    /// May the task that receives be another than the one that the timer wakes?
    pub(crate) moved: bool,
}

impl Waiting {
    /// The task of `waker` is about to poll the stream, and waits if it gets nothing: the waker to poll with, `None` for its own.
    #[inline]
    pub(crate) fn enter(&mut self, slot: Slot, waker: &Waker) -> Option<Waker> {
        if self.divided || self.in_background {
            return Some(self.enter_several(slot, waker));
        }
        if !self.alone.as_ref().is_some_and(|alone| alone.will_wake(waker)) {
            self.alone = Some(waker.clone());
            self.moved = true;
        }
        None
    }

    /// The background task is about to poll the stream, and so one more may wait until it [is done](Self::leave_background).
    pub(crate) fn enter_background(&mut self, waker: &Waker) -> Waker {
        self.in_background = true;
        self.enter_several(Slot::Background, waker)
    }

    /// The background task has nothing to wait for any more.
    pub(crate) fn leave_background(&mut self) {
        if std::mem::take(&mut self.in_background)
            && let Some(several) = &self.several
        {
            several.lock().background = None;
        }
    }

    /// From now on two tasks of the user's may wait.
    pub(crate) fn divide(&mut self) {
        self.divided = true;
        self.keep_alone();
    }

    /// The waker to poll the stream with where nobody waits for what comes of it: it displaces none.
    pub(crate) fn nobody(&mut self) -> Waker {
        Waker::from(Arc::clone(self.keep_alone()))
    }

    /// Wakes all that wait.
    pub(crate) fn wake_all(&mut self) {
        if let Some(alone) = self.alone.take() {
            alone.wake();
        }
        if let Some(several) = &self.several {
            several.wake_all();
        }
    }

    #[cold]
    fn enter_several(&mut self, slot: Slot, waker: &Waker) -> Waker {
        let several = self.keep_alone();
        let moved = several.register(slot, waker);
        let several = Waker::from(Arc::clone(several));
        self.moved |= moved;
        several
    }

    /// The task that waited alone, with its own waker, is one of several now.
    fn keep_alone(&mut self) -> &Arc<Wakers> {
        let several = self.several.get_or_insert_default();
        if let Some(alone) = self.alone.take() {
            several.register(Slot::Receiver, &alone);
            self.moved = true;
        }
        several
    }
}

/// The tasks that wait on one socket, as one waker.
#[derive(Debug, Default)]
pub(crate) struct Wakers(Mutex<Registered>);

#[derive(Debug, Default)]
struct Registered {
    receiver: Option<Waker>,
    sender: Option<Waker>,
    flusher: Option<Waker>,
    background: Option<Waker>,
}

/// Which of them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slot {
    Receiver,
    Sender,
    /// Waits until all was written, while another sends.
    Flusher,
    Background,
}

impl Wakers {
    fn lock(&self) -> MutexGuard<'_, Registered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This task waits: wake it with the next event. Is it another than the one that waited there?
    fn register(&self, slot: Slot, waker: &Waker) -> bool {
        let mut registered = self.lock();
        let slot = match slot {
            Slot::Receiver => &mut registered.receiver,
            Slot::Sender => &mut registered.sender,
            Slot::Flusher => &mut registered.flusher,
            Slot::Background => &mut registered.background,
        };
        let moved = !slot.as_ref().is_some_and(|registered| registered.will_wake(waker));
        if moved {
            *slot = Some(waker.clone());
        }
        moved
    }

    fn wake_all(&self) {
        let Registered { receiver, sender, flusher, background } = std::mem::take(&mut *self.lock());
        for waker in [receiver, sender, flusher, background].into_iter().flatten() {
            waker.wake();
        }
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        Self::wake_all(self);
    }
}
