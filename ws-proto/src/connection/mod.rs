//! One WebSocket after the opening handshake, either role: the state machine.

mod closing;
#[cfg(feature = "deflate")]
mod contexts;
mod control;
mod counts;
mod data;
mod event;
mod held;
mod inflate;
mod observer;
mod pongs;
mod receive;
mod send;
mod state;
mod timers;
mod whole;

pub use counts::{Compressed, Counts};
pub use event::{CloseFrame, CloseInfo, Event, Fragment, Initiator, Pong};
pub use observer::Direction;

use crate::entropy::MaskingKeys;
use crate::frame::Decoder;
use crate::message::Memory;
use crate::{Config, Failure, Negotiated, Pool, Role, Transmit};
use control::PartialControl;
use counts::Counters;
use observer::{Observer, ShortWays};
use pongs::Pongs;
use receive::{OpenFrame, OpenMessage};
use send::OutgoingMessage;
use state::{Drain, State};
use std::sync::Arc;
use std::time::Instant;
use timers::Timers;

/// One WebSocket after the opening handshake, either role, without IO.
///
/// Whoever drives it does five things, and nothing else is ever needed:
///
/// 1. Bytes arrived, in any buffer of yours: hand them to [`poll_event`](Self::poll_event) as a `&mut [u8]` or a `BytesMut`.
/// 2. Call it until it returns `None`, and handle the events; you may send, ping or close in between.
/// 3. Write what [`transmit`](Self::transmit) holds; partial writes are welcome.
/// 4. Read; where nothing comes, wait with one timer for [`poll_timeout`](Self::poll_timeout), and when it fires call
///    [`handle_timeout`](Self::handle_timeout). When the peer ended its side call [`handle_eof`](Self::handle_eof). After either go on
///    with 2. Reading comes before the timer: a pong that lies unread in the kernel counts only when it is found.
/// 5. Obey [`transport`](Self::transport).
///
/// No method fails because of what the peer sent: a violation becomes state, an event, and a Close frame in `transmit`.
#[derive(Debug)]
pub struct Connection {
    negotiated: Negotiated,
    config: Arc<Config>,
    state: State,
    decoder: Decoder,
    /// The frame whose payload is being read.
    frame: Option<OpenFrame>,
    /// The message whose fragments are being read; in a box, as all that an idle connection does without.
    message: Option<Box<OpenMessage>>,
    /// What has come of the payload of a control frame that comes in pieces.
    control: Option<Box<PartialControl>>,
    /// For large messages, while they go on.
    memory: Option<Box<Memory>>,
    transmit: Transmit,
    pongs: Pongs,
    /// Invariant: `Some` in the client role.
    masking_keys: Option<Box<MaskingKeys>>,
    /// The message that is being sent piece by piece.
    outgoing: Option<Box<OutgoingMessage>>,
    #[cfg(feature = "deflate")]
    deflate: Option<Box<contexts::Contexts>>,
    timers: Timers,
    counters: Counters,
    observer: Option<Box<Observer>>,
    short_ways: ShortWays,
}

impl Connection {
    /// A connection whose opening handshake ended with `negotiated`. Bytes that came behind the head of the handshake are its first input.
    pub fn new(negotiated: Negotiated, config: impl Into<Arc<Config>>, now: Instant) -> Self {
        let config = config.into();
        let role = negotiated.role();
        #[cfg(feature = "deflate")]
        let deflate = negotiated.deflate().map(|params| {
            let own = config.deflate().cloned().unwrap_or_default();
            Box::new(contexts::Contexts::new(role, params, &own))
        });
        Self {
            masking_keys: (role == Role::Client)
                .then(|| Box::new(MaskingKeys::new(config.entropy().clone()))),
            short_ways: ShortWays::of(&config, role),
            negotiated,
            config,
            state: State::Open,
            decoder: Decoder::new(),
            frame: None,
            message: None,
            control: None,
            memory: None,
            transmit: Transmit::default(),
            pongs: Pongs::default(),
            outgoing: None,
            #[cfg(feature = "deflate")]
            deflate,
            timers: Timers::new(now),
            counters: Counters::default(),
            observer: None,
        }
    }

    /// Borrows spare buffers and deflate contexts from the pool of the driver's thread, for the time in which the connection is
    /// driven. Then give them back with [`reclaim`](Self::reclaim).
    #[inline]
    pub fn lend(&mut self, pool: &mut Pool) {
        pool.note_loan();
        self.transmit.lend(|| pool.take_buffer());
        if let Some(memory) = &mut self.memory {
            let busy = self.message.is_some() || !self.transmit.is_empty();
            memory.lend(busy, |least, most| pool.take_spare(least, most));
            if !memory.is_of_use() {
                self.memory = None;
            }
        }
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &mut self.deflate {
            deflate.lend(pool);
        }
    }

    /// Gives back what [`lend`](Self::lend) borrowed and the connection does not need any more: buffers that are empty, contexts
    /// that no message is in the middle of.
    #[inline]
    pub fn reclaim(&mut self, pool: &mut Pool) {
        if let Some(buffer) = self.transmit.reclaim() {
            pool.give_buffer(buffer);
        }
        if let Some(spare) = self.memory.as_deref_mut().and_then(Memory::reclaim) {
            pool.give_spare(spare);
        }
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &mut self.deflate {
            deflate.reclaim(pool);
        }
    }

    /// Keeps of permessage-deflate's contexts only what the peer may still refer to: nothing of what was sent (the next message begins a
    /// fresh window), and at most a window of what was received. It costs some microseconds and, with context takeover, the first message
    /// that follows is compressed worse; so it is for connections that idle. A keepalive ping does it, because nothing came for
    /// `ping_interval`. In the middle of a message nothing happens. Then give back with [`reclaim`](Self::reclaim) what is spare.
    pub fn release_contexts(&mut self) {
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &mut self.deflate {
            if self.outgoing.is_none() {
                deflate.forget_compressor();
            }
            if self.message.is_none() {
                deflate.forget_decompressor();
            }
        }
    }

    /// What is to be written, in order. Write as much as the transport takes, and then ask [`transport`](Self::transport).
    #[inline]
    pub fn transmit(&mut self) -> &mut Transmit {
        if self.pongs.is_waiting()
            && self.state.is_open()
            && let Some(payload) = self.pongs.take_waiting(&self.transmit)
        {
            self.queue_pong(&payload);
        }
        &mut self.transmit
    }

    /// Would [`lend`](Self::lend) lend anything?
    #[inline]
    #[must_use]
    pub fn wants_loan(&self) -> bool {
        self.transmit.wants_buffer() || self.wants_memory() || self.negotiated_deflate()
    }

    /// Would [`reclaim`](Self::reclaim) get anything back?
    #[inline]
    #[must_use]
    pub fn has_loan(&self) -> bool {
        self.transmit.has_spare_buffer()
            || self.negotiated_deflate()
            || self.memory.as_ref().is_some_and(|memory| memory.has_spare())
    }

    /// Would [`lend`](Self::lend) lend memory for a large message, of which nothing has come? A driver that lends only when it has
    /// read something asks this before it reads.
    #[inline]
    #[must_use]
    pub fn wants_memory(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.wants_loan() && self.message.is_none())
    }

    /// Was permessage-deflate agreed on?
    #[cfg(feature = "deflate")]
    #[inline]
    pub(super) const fn negotiated_deflate(&self) -> bool {
        self.deflate.is_some()
    }

    /// Without the feature it never was.
    #[cfg(not(feature = "deflate"))]
    #[inline]
    pub(super) const fn negotiated_deflate(&self) -> bool {
        false
    }

    /// The end that we are.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.negotiated.role()
    }

    /// What the opening handshake settled.
    #[must_use]
    pub const fn negotiated(&self) -> &Negotiated {
        &self.negotiated
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// May messages still be sent? False from our Close frame on.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.state.is_open()
    }

    /// Is it over: closed by both, or failed? Then no event follows the one that told it.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.state.is_over()
    }

    /// Why the connection failed; `None` while it did not.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match &self.state {
            State::Failed { failure, .. } => Some(failure),
            State::Open | State::Closing(_) | State::Closed { .. } => None,
        }
    }

    /// How the closing handshake went; `None` while it is not complete.
    #[must_use]
    pub const fn close_info(&self) -> Option<&CloseInfo> {
        match &self.state {
            State::Closed { info, .. } => Some(info),
            State::Open | State::Closing(_) | State::Failed { .. } => None,
        }
    }

    /// When bytes last came, as [`poll_event`](Self::poll_event) was told; before any did, when the connection was made. What a driver
    /// has read and not parsed yet came then.
    #[inline]
    #[must_use]
    pub const fn last_input(&self) -> Instant {
        self.timers.last_input()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called; it changes with almost every call, so ask again after each.
    /// A driver may be late by as much as it likes, and early calls do nothing.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.state.is_open() { self.timers.deadline(&self.config) } else { self.state.deadline() }
    }
}
