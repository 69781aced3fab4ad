//! Where a connection stands; the only place that changes it.

use super::{CloseFrame, CloseInfo, Event, Initiator};
use crate::Failure;
use std::time::{Duration, Instant};

/// Where a connection stands after the opening handshake (§4.1, §7.1).
#[derive(Debug)]
pub(super) enum State {
    /// Data may be sent and received.
    Open,
    /// Our Close frame is sent or queued, the peer's has not come (§7.1.3).
    Closing(Box<Closing>),
    /// Both Close frames are there (§7.1.4).
    Closed { info: Box<CloseInfo>, drain: Box<Drain> },
    /// Failed (§7.1.7): what still comes is discarded.
    Failed { failure: Box<Failure>, drain: Box<Drain> },
}

/// Our Close frame, and until when the peer's is awaited.
#[derive(Debug)]
pub(super) struct Closing {
    sent: CloseFrame,
    deadline: Instant,
}

/// The end of the transport behind a connection that is over: what is queued is still written, and the peer may still send, which is
/// read and discarded so that the kernel's reset does not destroy our Close frame on its way (§7.1.1).
#[derive(Debug)]
pub(super) struct Drain {
    /// Until when; `None` when that time is over.
    pub(super) deadline: Option<Instant>,
    /// Did the peer end its side?
    pub(super) peer_ended: bool,
    /// Was the event told that the connection is over?
    reported: bool,
}

impl Drain {
    fn boxed(deadline: Option<Instant>, peer_ended: bool) -> Box<Self> {
        Box::new(Self { deadline, peer_ended, reported: false })
    }
}

impl State {
    pub(super) const fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Is what comes from the peer of no interest any more?
    pub(super) const fn is_over(&self) -> bool {
        matches!(self, Self::Closed { .. } | Self::Failed { .. })
    }

    /// Our Close frame is queued; the peer's is awaited.
    pub(super) fn start_closing(&mut self, sent: CloseFrame, deadline: Instant) {
        debug_assert!(self.is_open(), "a Close frame is sent once");
        *self = Self::Closing(Box::new(Closing { sent, deadline }));
    }

    /// The peer's Close frame came; `reply` is what we answer, if ours was not sent before.
    pub(super) fn receive_close(&mut self, received: CloseFrame, reply: CloseFrame, deadline: Instant) {
        let (initiator, sent) = match std::mem::replace(self, Self::Open) {
            Self::Closing(closing) => (Initiator::Local, closing.sent),
            Self::Open | Self::Closed { .. } | Self::Failed { .. } => (Initiator::Peer, reply),
        };
        let info = Box::new(CloseInfo { initiator, sent, received });
        *self = Self::Closed { info, drain: Drain::boxed(Some(deadline), false) };
    }

    /// The connection failed.
    pub(super) fn fail(&mut self, failure: Failure, deadline: Instant) {
        let drain = Drain::boxed(Some(deadline), failure == Failure::EndOfStream);
        *self = Self::Failed { failure: Box::new(failure), drain };
    }

    /// The event that a state tells once.
    pub(super) fn take_event(&mut self) -> Option<Event<'static>> {
        match self {
            Self::Closed { info, drain } if !drain.reported => {
                drain.reported = true;
                Some(Event::Closed((**info).clone()))
            }
            Self::Failed { failure, drain } if !drain.reported => {
                drain.reported = true;
                Some(Event::Failed((**failure).clone()))
            }
            Self::Open | Self::Closing(_) | Self::Closed { .. } | Self::Failed { .. } => None,
        }
    }

    /// The peer ended its side behind the end of the connection.
    pub(super) const fn end_peer_side(&mut self) {
        if let Self::Closed { drain, .. } | Self::Failed { drain, .. } = self {
            drain.peer_ended = true;
        }
    }

    /// When the state changes by itself.
    pub(super) const fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Open => None,
            Self::Closing(closing) => Some(closing.deadline),
            Self::Closed { drain, .. } | Self::Failed { drain, .. } => drain.deadline,
        }
    }

    /// Its deadline has passed.
    pub(super) fn expire(&mut self) {
        match self {
            Self::Open => {}
            Self::Closing(_) => {
                let failure = Box::new(Failure::Timeout(crate::Timer::Close));
                *self = Self::Failed { failure, drain: Drain::boxed(None, false) };
            }
            Self::Closed { drain, .. } | Self::Failed { drain, .. } => drain.deadline = None,
        }
    }
}

/// `now` and `timeout` later; a time out of the clock's range is as good as never.
pub(super) fn after(now: Instant, timeout: Duration) -> Instant {
    now.checked_add(timeout).or_else(|| now.checked_add(Duration::from_secs(u32::MAX.into()))).unwrap_or(now)
}
