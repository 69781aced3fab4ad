//! Keepalive, idleness, round trips and the rate of control frames: everything that needs to know how late it is.

use super::state::after;
use crate::{Config, ControlPayload, LimitError};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The clocks of one connection.
#[derive(Debug)]
pub(super) struct Timers {
    /// When bytes last came, whatever they were.
    last_input: Instant,
    /// When a data frame last came, or was found to have been sent.
    last_data: Instant,
    /// Was data sent since `last_data`? Sending is not told the time, so idleness is measured to this coarseness.
    data_sent: bool,
    /// A keepalive ping that nothing has come after.
    probe: Option<Box<Probe>>,
    /// Pings that no pong has answered.
    pings: Option<Box<Pings>>,
    /// Number of the next keepalive ping.
    next_ping: u32,
    /// Control frames received since `window`.
    control_frames: u32,
    window: Instant,
}

/// Pings that no pong has answered, oldest first.
#[derive(Debug, Default)]
struct Pings(VecDeque<(ControlPayload, Instant)>);

/// A keepalive ping on its way.
#[derive(Debug)]
struct Probe {
    /// Where the ping ends in the stream of what we write.
    end: u64,
    /// How much of it was written when the deadline was set; `end` where the ping had nothing queued before it.
    written: u64,
    deadline: Instant,
    overdue: Overdue,
}

#[derive(Debug, PartialEq, Eq)]
enum Overdue {
    No,
    /// The deadline has passed, but whether a pong lies unread in the kernel is not known: the driver may not have been reading.
    Unread,
    /// The driver took what there was to read since.
    Read,
}

/// What keepalive asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Keepalive {
    Wait,
    /// Send a ping with this payload.
    Ping(ControlPayload),
    /// The peer is gone.
    Fail,
}

impl Timers {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            last_input: now,
            last_data: now,
            data_sent: false,
            probe: None,
            pings: None,
            next_ping: 0,
            control_frames: 0,
            window: now,
        }
    }

    /// The driver is reading: what it finds, or that it finds nothing, counts.
    pub(super) fn note_reading(&mut self) {
        if let Some(probe) = &mut self.probe
            && probe.overdue == Overdue::Unread
        {
            probe.overdue = Overdue::Read;
        }
    }

    /// Is a keepalive ping on its way?
    #[inline]
    pub(super) const fn is_probing(&self) -> bool {
        self.probe.is_some()
    }

    #[inline]
    pub(super) const fn last_input(&self) -> Instant {
        self.last_input
    }

    /// Bytes came: the peer lives.
    #[inline]
    pub(super) fn note_input(&mut self, now: Instant) {
        self.last_input = now;
        self.probe = None;
    }

    /// Bytes came, and they were a message.
    #[inline]
    pub(super) fn note_message(&mut self, now: Instant) {
        self.note_input(now);
        self.note_data_received(now);
    }

    #[inline]
    pub(super) const fn note_data_received(&mut self, now: Instant) {
        self.last_data = now;
    }

    #[inline]
    pub(super) const fn note_data_sent(&mut self) {
        self.data_sent = true;
    }

    /// Counts a received control frame.
    pub(super) fn count_control_frame(&mut self, config: &Config, now: Instant) -> Result<(), LimitError> {
        if now.saturating_duration_since(self.window) >= CONTROL_WINDOW {
            (self.window, self.control_frames) = (now, 0);
        }
        self.control_frames = self.control_frames.saturating_add(1);
        let (limit, actual) = (config.max_control_frames(), self.control_frames);
        if actual > limit {
            return Err(LimitError::TooManyControlFrames { limit: limit.into(), actual: actual.into() });
        }
        Ok(())
    }

    /// A ping was queued.
    pub(super) fn note_ping(&mut self, payload: ControlPayload, now: Instant) {
        let Pings(pings) = &mut **self.pings.get_or_insert_default();
        if pings.len() == PINGS {
            pings.pop_front();
        }
        pings.push_back((payload, now));
    }

    /// A pong came: how long its ping was under way. Older pings are answered with it (§5.5.3).
    pub(super) fn round_trip(&mut self, payload: &ControlPayload, now: Instant) -> Option<Duration> {
        let Pings(pings) = self.pings.as_deref_mut()?;
        let index = pings.iter().position(|(ping, _)| ping == payload)?;
        let (_, sent) = pings.drain(..=index).next_back()?;
        if pings.is_empty() {
            self.pings = None;
        }
        Some(now.saturating_duration_since(sent))
    }

    /// What keepalive asks for at `now`; `written` and `end` are how much was written ever, and how much there is to write in all.
    pub(super) fn keepalive(&mut self, config: &Config, now: Instant, written: u64) -> Keepalive {
        let Some(probe) = &mut self.probe else {
            return match config.ping_interval() {
                Some(interval) if now >= after(self.last_input, interval) => {
                    let number = self.next_ping;
                    self.next_ping = number.wrapping_add(1);
                    Keepalive::Ping(ControlPayload::from_checked(Bytes::copy_from_slice(
                        &number.to_be_bytes(),
                    )))
                }
                _ => Keepalive::Wait,
            };
        };
        if now < probe.deadline {
            return Keepalive::Wait;
        }
        if probe.written < probe.end && written > probe.written {
            // The ping stood behind other bytes, and they moved: the peer is slow, not gone.
            probe.written = written;
            probe.deadline = after(now, config.pong_timeout());
            return Keepalive::Wait;
        }
        match probe.overdue {
            Overdue::No => {
                probe.overdue = Overdue::Unread;
                Keepalive::Wait
            }
            Overdue::Unread => Keepalive::Wait,
            Overdue::Read => Keepalive::Fail,
        }
    }

    /// A keepalive ping was queued up to `end`; `written` of what stands before it was written, or all if it stands first.
    pub(super) fn expect_pong(&mut self, config: &Config, now: Instant, written: u64, end: u64) {
        let deadline = after(now, config.pong_timeout());
        self.probe = Some(Box::new(Probe { end, written, deadline, overdue: Overdue::No }));
    }

    /// Has the connection been idle for too long?
    pub(super) fn is_idle(&mut self, config: &Config, now: Instant) -> bool {
        let Some(timeout) = config.idle_timeout() else {
            return false;
        };
        if now < after(self.last_data, timeout) {
            return false;
        }
        if std::mem::take(&mut self.data_sent) {
            self.last_data = now;
            return false;
        }
        true
    }

    /// The next time at which anything here is to be done.
    pub(super) fn deadline(&self, config: &Config) -> Option<Instant> {
        let keepalive = match self.probe.as_deref() {
            Some(Probe { overdue: Overdue::Unread, .. }) => None,
            Some(probe) => Some(probe.deadline),
            None => config.ping_interval().map(|interval| after(self.last_input, interval)),
        };
        let idle = config.idle_timeout().map(|timeout| after(self.last_data, timeout));
        keepalive.into_iter().chain(idle).min()
    }
}

/// The time in which `max_control_frames` may come.
const CONTROL_WINDOW: Duration = Duration::from_secs(1);
/// How many pings are remembered for their round trip.
const PINGS: usize = 16;
