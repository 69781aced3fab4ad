//! Handing out what was sent to a group.

use super::queue::Waiting;
use super::{Inner, Seat};
use crate::MemberId;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::task::{coop, yield_now};

/// A message that was sent and not handed out.
pub(crate) struct Pending<S> {
    pub(crate) message: Waiting,
    pub(crate) except: Option<MemberId>,
    /// Who were members when it was sent.
    pub(crate) to: Everyone<S>,
}

/// The members at one moment.
pub(crate) type Everyone<S> = Arc<[Arc<Seat<S>>]>;

/// Messages, with whom each is not for, and whom they are for.
pub(crate) type Load<S> = (Vec<(Waiting, Option<MemberId>)>, Everyone<S>);

/// Hands out what was sent to a group. There is one for a group at a time, so all members see the messages in one order; senders that come
/// meanwhile leave theirs to it, and a member gets what has gathered in one write.
///
/// Dropped before its end it goes on in a task of its own.
pub(crate) struct Delivery<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> {
    /// `None` when it is done.
    group: Option<Arc<Inner<S>>>,
    round: Round<S>,
    /// Does a task run it that is there for nothing else?
    detached: bool,
}

/// Messages for the same members.
struct Round<S> {
    messages: Vec<(Waiting, Option<MemberId>)>,
    to: Everyone<S>,
    /// Those before this one have got them.
    next: usize,
    /// Who turned out to be gone.
    gone: Vec<Arc<Seat<S>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Delivery<S> {
    pub(crate) fn new(group: Arc<Inner<S>>) -> Self {
        Self { group: Some(group), round: Round::none(), detached: false }
    }

    /// Hands out what the calling task has sent, and leaves to another task what was sent meanwhile.
    pub(crate) async fn run(mut self) {
        loop {
            match self.unhindered_step().await {
                Step::Idle => return,
                Step::RoundOver => break,
                Step::More => yield_now().await,
            }
        }
    }

    /// Hands out all there is.
    async fn run_to_the_end(mut self) {
        while !matches!(self.unhindered_step().await, Step::Idle) {
            yield_now().await;
        }
    }

    /// Each write would count against the budget of the task, and from the 128th on no stream would take anything.
    async fn unhindered_step(&mut self) -> Step {
        coop::unconstrained(poll_fn(|_| Poll::Ready(self.step()))).await
    }

    /// Serves some members, so that a task which does nothing else for thousands lets others run in between.
    fn step(&mut self) -> Step {
        let Some(group) = &self.group else { return Step::Idle };
        if self.round.is_over() {
            match group.next_round() {
                Some((messages, to)) => self.round = Round { messages, to, ..Round::none() },
                None => {
                    self.group = None;
                    return Step::Idle;
                }
            }
        }
        self.round.serve(group);
        if !self.round.is_over() {
            return Step::More;
        }
        group.left(self.round.gone.drain(..));
        if group.is_delivered() {
            self.group = None;
            return Step::Idle;
        }
        Step::RoundOver
    }
}

enum Step {
    /// There are more members.
    More,
    /// There are more messages.
    RoundOver,
    /// There is nothing more.
    Idle,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Round<S> {
    fn none() -> Self {
        Self { messages: Vec::new(), to: Arc::new([]), next: 0, gone: Vec::new() }
    }

    fn is_over(&self) -> bool {
        self.next >= self.to.len()
    }

    fn serve(&mut self, group: &Inner<S>) {
        for _ in 0..MEMBERS_A_STEP {
            let Some(seat) = self.to.get(self.next) else { return };
            self.next += 1;
            let id = seat.member.id;
            let messages = self.messages.iter().filter(|(_, except)| *except != Some(id));
            let mut state = seat.member.lock();
            // Under the lock: from the moment that leaving has returned, nothing more comes.
            if seat.left.load(Ordering::Relaxed) {
                continue;
            }
            let messages = messages.map(|(message, _)| message);
            if !seat.member.offer(&mut state, messages, seat.policy, Some(&group.counts)) {
                drop(state);
                self.gone.push(Arc::clone(seat));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Drop for Delivery<S> {
    fn drop(&mut self) {
        let Some(group) = self.group.take() else { return };
        match Handle::try_current() {
            Ok(runtime) if !self.detached => {
                let round = std::mem::replace(&mut self.round, Round::none());
                let rest = Self { group: Some(group), round, detached: true };
                runtime.spawn(rest.run_to_the_end());
            }
            // The runtime shuts down, and all connections with it.
            _ => group.give_up(),
        }
    }
}

/// The first messages of those that wait, as far as they are for the same members.
pub(crate) fn first_of_same<S>(pending: &mut VecDeque<Pending<S>>) -> Option<Load<S>> {
    let first = pending.pop_front()?;
    let to = first.to;
    let mut messages = vec![(first.message, first.except)];
    while pending.front().is_some_and(|next| Arc::ptr_eq(&next.to, &to))
        && let Some(next) = pending.pop_front()
    {
        messages.push((next.message, next.except));
    }
    Some((messages, to))
}

/// About as many writes as fit in half a millisecond.
const MEMBERS_A_STEP: usize = 128;
