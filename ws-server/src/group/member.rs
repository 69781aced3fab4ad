//! One connection, as groups speak to it.

use super::queue::{Admission, Queue, Waiting};
use super::stats::{Counts, MemberStats, observe_loss};
use crate::{QueueLimits, SlowConsumer, Stream};
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use ws_proto::{CloseCode, Message, Prepared};
use ws_tokio::{Closer, SendHalf};

/// The sending half of a socket, shared by the groups that it is in and by whoever speaks to it alone.
///
/// Messages leave in the order in which they were sent to it, from wherever. A message is written at once, by the task that sends it, while
/// nothing waits; what the network does not take waits in a queue with [limits](QueueLimits), and a small task of its own writes it, which
/// is there as long as something waits. Clones are the same member. When the last one and the last [`Membership`](crate::Membership) are
/// gone, the socket's sending half is dropped, with what waits as far as its own queue has room.
pub struct Member<S = Stream>(pub(crate) Arc<Shared<S>>);

/// Tells members apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemberId(u64);

/// The connection takes no more messages: it has ended, or was ended for being slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Member<S> {
    /// With the default [limits](QueueLimits).
    #[must_use]
    pub fn new(says: SendHalf<S>) -> Self {
        Self::with_limits(says, QueueLimits::default())
    }

    /// With these limits of what waits for it.
    #[must_use]
    pub fn with_limits(says: SendHalf<S>, limits: QueueLimits) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let id = MemberId(LAST.fetch_add(1, Ordering::Relaxed) + 1);
        let state = State {
            says,
            queue: Queue::new(limits),
            draining: false,
            gone: false,
            delivered: 0,
            dropped: 0,
            coalesced: 0,
            hand_over,
        };
        Self(Arc::new(Shared { id, state: Mutex::new(state), room: Notify::new() }))
    }

    /// Sends to this member alone, waiting until there is room. To send without waiting, by the policy of a group, see
    /// [`GroupMessage::only`](crate::GroupMessage::only).
    ///
    /// # Errors
    /// [`Gone`].
    ///
    /// # Cancel safety
    /// Cancel safe: dropped while it waits, the message was not sent.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Gone> {
        let message = Waiting { message: Prepared::new(message), group: None, key: None };
        let len = message.message.message().len();
        loop {
            self.0.has_room(len, None, || {}).await;
            let mut state = self.0.lock();
            if state.gone {
                return Err(Gone);
            }
            // Another may have been faster.
            if state.queue.has_room(len) {
                let taken = self.0.offer(&mut state, std::iter::once(&message), SlowConsumer::Wait, None);
                return if taken { Ok(()) } else { Err(Gone) };
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Member<S> {
    /// A handle that closes its socket.
    #[must_use]
    pub fn closer(&self) -> Closer<S> {
        self.0.lock().says.closer()
    }
}

impl<S> Member<S> {
    /// Tells it apart from others.
    #[must_use]
    pub fn id(&self) -> MemberId {
        self.0.id
    }

    /// How it stands.
    #[must_use]
    pub fn stats(&self) -> MemberStats {
        let state = self.0.lock();
        MemberStats {
            waiting_messages: state.queue.len(),
            waiting_bytes: state.queue.bytes(),
            delivered: state.delivered,
            dropped: state.dropped,
            coalesced: state.coalesced,
            gone: state.gone,
        }
    }
}

/// What the clones of a member, its groups and the task that drains its queue share.
pub(crate) struct Shared<S> {
    pub(crate) id: MemberId,
    state: Mutex<State<S>>,
    /// Something has left the queue, or nothing will any more, or nobody need wait for it.
    room: Notify,
}

pub(crate) struct State<S> {
    says: SendHalf<S>,
    queue: Queue,
    /// Is there a task that writes what waits? Then nobody else writes.
    draining: bool,
    gone: bool,
    delivered: u64,
    dropped: u64,
    coalesced: u64,
    /// What [`hand_over`] is, without its bounds.
    hand_over: fn(&mut SendHalf<S>, &[Prepared]),
}

impl<S> Shared<S> {
    /// Held within one write at most.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a message of so many bytes has room, or the member is gone or `left`. `waits` is called when there is none at first.
    pub(crate) async fn has_room(&self, len: usize, left: Option<&AtomicBool>, waits: impl FnOnce()) {
        let mut waits = Some(waits);
        loop {
            let mut room = pin!(self.room.notified());
            // Before looking, so that no notice is missed between.
            room.as_mut().enable();
            {
                let state = self.lock();
                let left = left.is_some_and(|left| left.load(Ordering::Relaxed));
                if state.gone || left || state.queue.has_room(len) {
                    return;
                }
            }
            if let Some(waits) = waits.take() {
                waits();
            }
            room.await;
        }
    }

    /// It leaves a group; from here on nothing of that group comes.
    pub(crate) fn leave(&self, left: &AtomicBool) {
        let _no_write_now = self.lock();
        left.store(true, Ordering::Relaxed);
        self.room.notify_waiters();
    }

    /// It is over: nothing is sent any more.
    fn end(&self, state: &mut State<S>) -> usize {
        state.gone = true;
        let lost = state.queue.clear();
        state.dropped += lost as u64;
        self.room.notify_waiters();
        lost
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Shared<S> {
    /// Writes `messages`, or queues them by `policy`. False when the member takes none any more.
    pub(crate) fn offer<'m, M>(
        self: &Arc<Self>,
        state: &mut State<S>,
        mut messages: M,
        policy: SlowConsumer,
        counts: Option<&Counts>,
    ) -> bool
    where
        M: Iterator<Item = &'m Waiting> + Clone,
    {
        if state.gone {
            return false;
        }
        if !state.draining && state.queue.is_empty() && state.says.unsent_bytes() == 0 {
            let mut left = WRITE_BYTES;
            let first = messages.clone().map(|waiting| &waiting.message).enumerate();
            let first = first.take_while(|(index, message)| {
                let len = message.message().len();
                let fits = *index == 0 || len <= left;
                left = left.saturating_sub(len);
                fits
            });
            let Ok(written) = state.says.write_prepared(first.map(|(_, message)| message)) else {
                self.end(state);
                return false;
            };
            state.delivered += written as u64;
            if let Some(counts) = counts {
                counts.delivered.fetch_add(written as u64, Ordering::Relaxed);
            }
            for _ in 0..written {
                messages.next();
            }
        }
        for message in messages {
            let admission = state.queue.admit(message.clone(), policy);
            if !self.admitted(state, admission, policy, counts) {
                return false;
            }
        }
        if !state.queue.is_empty() && !state.draining && self.start_draining() {
            state.draining = true;
        }
        true
    }

    /// Counts what became of a message; false when the member's connection is ended by it.
    fn admitted(
        &self,
        state: &mut State<S>,
        admission: Admission,
        policy: SlowConsumer,
        counts: Option<&Counts>,
    ) -> bool {
        let (delivered, lost) = match admission {
            Admission::Queued => (1, 0),
            Admission::Replaced => (1, 1),
            Admission::QueuedFor(dropped) => (1, dropped),
            Admission::Dropped => (0, 1),
            Admission::Overflow => {
                // Behind what the connection has queued; so the client knows, when it reads again.
                let _sendable = state.says.closer().close(CloseCode::TRY_AGAIN_LATER, "too slow");
                let lost = self.end(state) as u64 + 1;
                state.dropped += 1;
                if let Some(counts) = counts {
                    counts.lost(SlowConsumer::Disconnect, 1);
                }
                observe_loss(SlowConsumer::Disconnect, lost);
                return false;
            }
        };
        state.delivered += delivered;
        if let Some(counts) = counts {
            counts.delivered.fetch_add(delivered, Ordering::Relaxed);
        }
        if lost > 0 {
            if admission == Admission::Replaced {
                state.coalesced += lost;
            } else {
                state.dropped += lost;
            }
            if let Some(counts) = counts {
                counts.lost(policy, lost);
            }
            observe_loss(policy, lost);
        }
        true
    }

    /// False where no task can be had for it: then the next message tries again.
    fn start_draining(self: &Arc<Self>) -> bool {
        let Ok(runtime) = Handle::try_current() else { return false };
        // It does not keep the member: the last handle to go takes what waits with it.
        let member = Arc::downgrade(self);
        runtime.spawn(drain(member));
        true
    }

    fn poll_drain(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut guard = self.lock();
        let state = &mut *guard;
        loop {
            if state.gone {
                state.draining = false;
                return Poll::Ready(());
            }
            let mut written = ready!(pin!(state.says.flush()).poll(cx)).is_ok();
            if written && state.queue.is_empty() {
                state.draining = false;
                return Poll::Ready(());
            }
            if written {
                let batch = state.queue.take(WRITE_BYTES);
                match state.says.write_prepared(&batch) {
                    Ok(queued) => state.queue.put_back(batch.into_iter().skip(queued)),
                    Err(_) => written = false,
                }
                self.room.notify_waiters();
            }
            if !written {
                self.end(state);
            }
        }
    }
}

/// Writes what waits for a member, until nothing does.
async fn drain<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(member: Weak<Shared<S>>) {
    poll_fn(|cx| member.upgrade().map_or(Poll::Ready(()), |member| member.poll_drain(cx))).await;
}

/// The last handle is gone: the socket sees to it that what it has queued leaves.
fn hand_over<S: AsyncRead + AsyncWrite + Unpin>(says: &mut SendHalf<S>, rest: &[Prepared]) {
    let _queued = says.write_prepared(rest);
}

impl<S> Drop for Shared<S> {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !state.gone && !state.queue.is_empty() {
            let rest = state.queue.take(usize::MAX);
            (state.hand_over)(&mut state.says, &rest);
        }
    }
}

impl<S> Clone for Member<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for Member<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("id", &self.0.id).field("stats", &self.stats()).finish()
    }
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection takes no more messages")
    }
}

impl std::error::Error for Gone {}

/// A connection is given so many bytes at once, or one message: what it has is beyond every policy.
const WRITE_BYTES: usize = 64 << 10;
