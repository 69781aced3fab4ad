//! What waits to be sent, and what was sent and not acknowledged.

use super::sender::{NotQueued, SessionSendError};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use ws_proto::{CloseCode, Message, Pong};

/// What happens to messages that were not acknowledged when there is no connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resend {
    /// They are dropped, and while there is no connection nothing is queued: for what is stale when it is late, such as positions.
    Drop,
    /// The newest so many are kept, and sent again with the next connection. While there is none, `send` never waits: older ones go.
    Keep(usize),
    /// All are kept, and sent again in order: each arrives at least once. When the outbox is full, `send` waits.
    #[default]
    KeepUnsent,
}

/// The messages of a session on their way out, between those who send and the one task that has the connection.
#[derive(Debug)]
pub(super) struct Outbox {
    policy: Resend,
    max_messages: usize,
    max_bytes: usize,
    state: Mutex<State>,
    /// The task of the session has something to do.
    work: Notify,
    /// Somebody asked for the end.
    closing: Notify,
    /// The one who waits for room may look again.
    room: Notify,
    /// The outbox is empty, or the session has ended.
    settled: Notify,
    /// One at a time waits for room; the others wait for their turn, first come, first served. Never closed.
    turn: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Message>,
    bytes: usize,
    /// Number of the message at the front, counted from the beginning of the session.
    front: u64,
    /// How many from the front were handed to this connection. Invariant: at most the length of `queue`.
    handed: usize,
    /// Number of the first message that was never handed to any connection.
    fresh: u64,
    /// The ping under way proves that all before this number were read.
    ping: Option<u64>,
    connected: bool,
    ended: bool,
    /// Did it end with messages that were not acknowledged?
    gave_back: bool,
    close: Option<(CloseCode, String)>,
    round_trip: Option<Duration>,
}

impl Outbox {
    pub(super) fn new(policy: Resend, max_messages: usize, max_bytes: usize) -> Self {
        Self {
            policy,
            max_messages,
            max_bytes,
            state: Mutex::default(),
            work: Notify::new(),
            closing: Notify::new(),
            room: Notify::new(),
            settled: Notify::new(),
            turn: Semaphore::new(1),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For those who send.
impl Outbox {
    pub(super) async fn send(&self, message: Message) -> Result<(), SessionSendError> {
        let message = match self.try_send(message) {
            Err(SessionSendError { why: NotQueued::Full, message }) => message,
            outcome => return outcome,
        };
        let _turn = self.turn.acquire().await;
        let mut message = message;
        loop {
            message = match self.push(message) {
                Err(SessionSendError { why: NotQueued::Full, message }) => message,
                outcome => return outcome,
            };
            self.room.notified().await;
        }
    }

    pub(super) fn try_send(&self, message: Message) -> Result<(), SessionSendError> {
        if self.turn.available_permits() == 0 {
            return Err(SessionSendError { why: NotQueued::Full, message });
        }
        self.push(message)
    }

    fn push(&self, message: Message) -> Result<(), SessionSendError> {
        let mut state = self.lock();
        let refused = |why, message| Err(SessionSendError { why, message });
        if state.ended || state.close.is_some() {
            return refused(NotQueued::Ended, message);
        }
        if !state.connected && self.policy == Resend::Drop {
            return refused(NotQueued::NotConnected, message);
        }
        let renews = !state.connected && matches!(self.policy, Resend::Keep(_));
        if !renews && (state.queue.len() >= self.max_messages || state.bytes >= self.max_bytes) {
            return refused(NotQueued::Full, message);
        }
        state.bytes += message.len();
        state.queue.push_back(message);
        if renews {
            self.trim(&mut state);
        }
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    /// Waits until all is acknowledged; false where the session ended before.
    pub(super) async fn acknowledged(&self) -> bool {
        loop {
            let settled = self.settled.notified();
            {
                let state = self.lock();
                if state.queue.is_empty() && !state.gave_back {
                    return true;
                }
                if state.ended {
                    return false;
                }
            }
            settled.await;
        }
    }

    /// The session is to end; only the first word counts.
    pub(super) fn close(&self, code: CloseCode, reason: &str) {
        self.lock().close.get_or_insert_with(|| (code, reason.to_owned()));
        self.closing.notify_waiters();
        self.work.notify_one();
        self.room.notify_one();
    }

    pub(super) fn is_connected(&self) -> bool {
        self.lock().connected
    }

    pub(super) fn len(&self) -> usize {
        self.lock().queue.len()
    }

    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.lock().round_trip
    }

    /// Lets the oldest go where the policy keeps only some; tells how many went.
    fn trim(&self, state: &mut State) -> usize {
        let most = match self.policy {
            Resend::Drop => 0,
            Resend::Keep(most) => most.min(self.max_messages),
            Resend::KeepUnsent => return 0,
        };
        let before = state.queue.len();
        while state.queue.len() > most || (state.queue.len() > 1 && state.bytes > self.max_bytes) {
            state.pop();
        }
        before - state.queue.len()
    }
}

/// For the one task that has the connection.
impl Outbox {
    /// A connection is there; tells how many messages will be sent over it that an earlier one had been handed.
    pub(super) fn connect(&self) -> usize {
        let mut state = self.lock();
        state.connected = true;
        usize::try_from(state.fresh.saturating_sub(state.front)).unwrap_or(usize::MAX)
    }

    /// The next message that was not handed to this connection.
    pub(super) fn next(&self) -> Option<Message> {
        let state = self.lock();
        state.queue.get(state.handed).cloned()
    }

    /// It was.
    pub(super) fn note_handed(&self) {
        let mut state = self.lock();
        state.handed += 1;
        state.fresh = state.fresh.max(state.front + state.handed as u64);
        if self.policy == Resend::Drop {
            state.pop();
            self.made_room(state);
        }
    }

    /// Whoever waits for room, or for the end of it, may look again.
    fn made_room(&self, state: MutexGuard<'_, State>) {
        let settled = state.queue.is_empty() || state.ended;
        drop(state);
        self.room.notify_one();
        if settled {
            self.settled.notify_waiters();
        }
    }

    /// A ping that is sent now proves that all before this number were read; `None` where there is nothing to prove, or one is under way.
    pub(super) fn unproved(&self) -> Option<u64> {
        let state = self.lock();
        (state.ping.is_none() && state.handed > 0).then(|| state.front + state.handed as u64)
    }

    /// The ping for this number is under way.
    pub(super) fn note_ping(&self, number: u64) {
        self.lock().ping = Some(number);
    }

    pub(super) fn note_pong(&self, pong: &Pong) {
        let mut state = self.lock();
        if pong.round_trip.is_some() {
            state.round_trip = pong.round_trip;
        }
        let Some(number) = state.ping else { return };
        if *pong.payload == number.to_be_bytes() {
            state.ping = None;
            while state.front < number && state.handed > 0 {
                state.pop();
            }
        } else if pong.round_trip.is_some() {
            // §5.5.3: a peer may answer only the newest ping, and that was not ours. Ask again.
            state.ping = None;
        }
        self.made_room(state);
        self.work.notify_one();
    }

    /// The peer answered our Close frame, which stood behind all that was handed over.
    pub(super) fn acknowledge_handed(&self) {
        let mut state = self.lock();
        while state.handed > 0 {
            state.pop();
        }
        self.made_room(state);
    }

    /// There is no connection; tells how many messages will not be sent because of it.
    pub(super) fn disconnect(&self) -> usize {
        let mut state = self.lock();
        (state.connected, state.handed, state.ping) = (false, 0, None);
        let dropped = self.trim(&mut state);
        self.made_room(state);
        dropped
    }

    /// The session has ended; gives what was not acknowledged.
    pub(super) fn end(&self) -> Vec<Message> {
        let mut state = self.lock();
        (state.connected, state.ended) = (false, true);
        let unsent: Vec<Message> = std::mem::take(&mut state.queue).into();
        state.gave_back |= !unsent.is_empty();
        self.made_room(state);
        unsent
    }

    /// Waits until there may be something to do.
    pub(super) async fn work(&self) {
        self.work.notified().await;
    }

    /// What was asked for, if the session is to end.
    pub(super) fn close_request(&self) -> Option<(CloseCode, String)> {
        self.lock().close.clone()
    }

    /// Waits until the session is to end.
    pub(super) async fn closing(&self) {
        loop {
            let closing = self.closing.notified();
            if self.lock().close.is_some() {
                return;
            }
            closing.await;
        }
    }
}

impl State {
    /// The front is done with.
    fn pop(&mut self) {
        if let Some(message) = self.queue.pop_front() {
            self.bytes -= message.len();
            self.front += 1;
            self.handed = self.handed.saturating_sub(1);
        }
    }
}
