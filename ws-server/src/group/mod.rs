//! Groups: what is sent to one, all its members get.

mod delivery;
mod member;
mod message;
mod policy;
mod queue;
mod stats;

pub use member::{Gone, Member, MemberId};
pub use message::GroupMessage;
pub use policy::{QueueLimits, SlowConsumer};
pub use stats::{GroupStats, MemberStats};

use crate::Stream;
use delivery::{Delivery, Everyone, Pending, first_of_same};
use message::Audience;
use queue::Waiting;
use stats::Counts;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;

/// Some sockets, to which a message is sent together: a room, a subject, everybody.
///
/// ```
/// use ws_server::{Acceptance, BoxError, Group, GroupMessage, Incoming, Member};
///
/// async fn handle(incoming: Incoming, room: Group) -> Result<(), BoxError> {
///     let (mut hears, says) = incoming.accept(Acceptance::default()).await?.split();
///     let me = Member::new(says);
///     let _membership = room.join(&me); // leaves when it is dropped
///     me.send("welcome").await?;
///     while let Some(message) = hears.recv().await? {
///         room.send(GroupMessage::new(message).except(&me)).await;
///     }
///     Ok(())
/// }
/// ```
///
/// A message is framed once, and compressed once for each window size in use, for all members. It is written at once, from the task that
/// sends it, for members for whom nothing waits. Senders do not wait for each other: who comes while another's message is being handed out
/// leaves its own to that one, and each member gets what has gathered in one write. All members see the messages of a group in one order.
///
/// A member gets what is sent after [`join`](Self::join) has returned and nothing that is sent after its [`Membership`] was dropped.
///
/// # Slow members
///
/// What the network does not take for a member waits in the member's queue, and [`SlowConsumer`] says what becomes of more than
/// [fits](QueueLimits). Nobody waits for a slow member but by [`SlowConsumer::Wait`]. A member may be in several groups, by different
/// policies; none of them drops the messages of another.
///
/// Clones are the same group. Members keep it, and it keeps them. Idle members own no task and no memory for messages. `S` is the stream of
/// the sockets: that of this server by default, beside hyper and axum too.
pub struct Group<S = Stream>(Arc<Inner<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Group<S> {
    /// An empty one, by a policy for its slow members.
    #[must_use]
    pub fn new(policy: SlowConsumer) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(Arc::new(Inner {
            id: LAST.fetch_add(1, Ordering::Relaxed) + 1,
            policy,
            turn: tokio::sync::Mutex::new(()),
            state: Mutex::new(State {
                seats: BTreeMap::new(),
                everyone: None,
                waits_for: 0,
                pending: VecDeque::new(),
                delivering: false,
            }),
            handed_out: Notify::new(),
            counts: Counts::default(),
        }))
    }

    /// Lets `member` in, by the group's policy, until the membership is dropped. Who is in already is in once, by the newest membership.
    pub fn join(&self, member: &Member<S>) -> Membership<S> {
        self.join_by(member, self.0.policy)
    }

    /// As [`join`](Self::join), by a policy for this member.
    pub fn join_by(&self, member: &Member<S>, policy: SlowConsumer) -> Membership<S> {
        let seat = Seat { member: Arc::clone(&member.0), policy, left: AtomicBool::new(false) };
        let seat = Arc::new(seat);
        let mut state = self.0.lock();
        state.waits_for += usize::from(policy == SlowConsumer::Wait);
        state.everyone = None;
        if let Some(replaced) = state.seats.insert(member.id(), Arc::clone(&seat)) {
            // Its message under way comes by the old seat.
            state.waits_for -= usize::from(replaced.policy == SlowConsumer::Wait);
        }
        drop(state);
        Membership { group: Arc::clone(&self.0), seat }
    }

    /// Sends to the members. Returns when the message was written or queued for all, or was left to the task that is handing out
    /// another's; waits for members by [`SlowConsumer::Wait`] alone, and while so many messages are under way already that memory would
    /// not be bounded.
    ///
    /// # Cancel safety
    /// Dropped while it waits, the message was sent to nobody. Later it goes to all, by a task of its own where need be.
    pub async fn send(&self, message: impl Into<GroupMessage>) {
        let GroupMessage { message, key, audience } = message.into();
        let message = Waiting { message, group: Some(self.0.id), key };
        let turn = match self.0.turn.try_lock() {
            Ok(turn) => turn,
            Err(_) => self.0.turn.lock().await,
        };
        self.0.has_room(message.message.message().len(), audience).await;
        let begins = self.0.push(message, audience);
        drop(turn);
        if begins {
            Delivery::new(Arc::clone(&self.0)).run().await;
        }
    }

    /// What it has done.
    #[must_use]
    pub fn stats(&self) -> GroupStats {
        let members = self.0.lock().seats.len();
        self.0.counts.stats(members)
    }
}

/// Being in a [`Group`]. Dropping it is leaving.
#[must_use = "dropping it is leaving"]
pub struct Membership<S = Stream> {
    group: Arc<Inner<S>>,
    seat: Arc<Seat<S>>,
}

impl<S> Membership<S> {
    /// Leaves, as dropping does.
    pub fn leave(self) {}
}

impl<S> Drop for Membership<S> {
    fn drop(&mut self) {
        self.seat.member.leave(&self.seat.left);
        self.group.left(std::iter::once(Arc::clone(&self.seat)));
    }
}

/// A member's place in a group.
pub(crate) struct Seat<S> {
    pub(crate) member: Arc<member::Shared<S>>,
    pub(crate) policy: SlowConsumer,
    pub(crate) left: AtomicBool,
}

/// What the clones of a group and its memberships share.
pub(crate) struct Inner<S> {
    id: u64,
    policy: SlowConsumer,
    /// Who has it may look whether there is room, and send.
    turn: tokio::sync::Mutex<()>,
    /// Never held while something is written.
    state: Mutex<State<S>>,
    /// Messages that were under way are not any more.
    handed_out: Notify,
    pub(crate) counts: Counts,
}

struct State<S> {
    seats: BTreeMap<MemberId, Arc<Seat<S>>>,
    /// The same as a list that messages under way share; made when it is needed after a change.
    everyone: Option<Everyone<S>>,
    /// Members that are waited for. Invariant: the seats with that policy.
    waits_for: usize,
    /// Invariant: at most [`MAX_PENDING`].
    pending: VecDeque<Pending<S>>,
    /// Does somebody hand out?
    delivering: bool,
}

impl<S> State<S> {
    fn everyone(&mut self) -> Everyone<S> {
        let seats = &self.seats;
        Arc::clone(self.everyone.get_or_insert_with(|| seats.values().cloned().collect()))
    }
}

impl<S> Inner<S> {
    fn lock(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one more message may be under way, and those that are waited for have room for it. Only who has the turn may ask.
    async fn has_room(&self, len: usize, audience: Audience) {
        let everyone = loop {
            let mut handed_out = pin!(self.handed_out.notified());
            handed_out.as_mut().enable();
            {
                let mut state = self.lock();
                if state.waits_for == 0 && state.pending.len() < MAX_PENDING {
                    return;
                }
                // What is under way is not in the queues yet, and would come on top of what fits.
                if state.pending.is_empty() && !state.delivering {
                    break state.everyone();
                }
            }
            handed_out.await;
        };
        for seat in everyone.iter().filter(|seat| seat.policy == SlowConsumer::Wait) {
            if audience.includes(seat.member.id) {
                let waits = || _ = self.counts.waited.fetch_add(1, Ordering::Relaxed);
                seat.member.has_room(len, Some(&seat.left), waits).await;
            }
        }
    }

    /// The message is under way; is it for the caller to hand it out?
    fn push(&self, message: Waiting, audience: Audience) -> bool {
        let mut state = self.lock();
        let (to, except) = match audience {
            Audience::All => (state.everyone(), None),
            Audience::AllBut(id) => (state.everyone(), Some(id)),
            Audience::Only(id) => (state.seats.get(&id).cloned().into_iter().collect(), None),
        };
        self.counts.sent.fetch_add(1, Ordering::Relaxed);
        state.pending.push_back(Pending { message, except, to });
        !std::mem::replace(&mut state.delivering, true)
    }

    /// What to hand out next. `None`: there is nothing, and nobody hands out any more.
    fn next_round(&self) -> Option<delivery::Load<S>> {
        let mut state = self.lock();
        let round = first_of_same(&mut state.pending);
        state.delivering = round.is_some();
        drop(state);
        self.handed_out.notify_waiters();
        round
    }

    /// After a round: is there nothing more? Then nobody hands out any more.
    fn is_delivered(&self) -> bool {
        let mut state = self.lock();
        let done = state.pending.is_empty();
        state.delivering = !done;
        drop(state);
        self.handed_out.notify_waiters();
        done
    }

    /// What is under way is lost.
    fn give_up(&self) {
        let mut state = self.lock();
        let _lost = std::mem::take(&mut state.pending);
        state.delivering = false;
        drop(state);
        self.handed_out.notify_waiters();
    }

    /// These are members no more, where they have not come back meanwhile.
    fn left(&self, seats: impl Iterator<Item = Arc<Seat<S>>>) {
        let mut state = self.lock();
        let mut removed = Vec::new();
        for seat in seats {
            let id = seat.member.id;
            if state.seats.get(&id).is_some_and(|current| Arc::ptr_eq(current, &seat)) {
                state.waits_for -= usize::from(seat.policy == SlowConsumer::Wait);
                removed.extend(state.seats.remove(&id));
                removed.push(seat);
                state.everyone = None;
            }
        }
        drop(state);
        // Not under the lock: the last reference to a member drops its socket, and that may be the user's own stream.
        drop(removed);
    }
}

impl Audience {
    fn includes(self, id: MemberId) -> bool {
        match self {
            Self::All => true,
            Self::AllBut(except) => id != except,
            Self::Only(only) => id == only,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Default for Group<S> {
    /// By the default policy.
    fn default() -> Self {
        Self::new(SlowConsumer::default())
    }
}

impl<S> Clone for Group<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for Group<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.0.lock().seats.len();
        f.debug_struct("Group")
            .field("policy", &self.0.policy)
            .field("members", &members)
            .finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for Membership<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membership").field("member", &self.seat.member.id).finish_non_exhaustive()
    }
}

/// Messages under way that wait to be handed out.
const MAX_PENDING: usize = 64;
