//! A raw endpoint: it writes what it is told to, right or wrong, and reads what comes with no more judgement than the verdict needs.
//!
//! It does no IO. What is to be written lies in [`Peer::out`], what was read is handed to [`Peer::read`], and the time is handed in.

#[cfg(any(test, fuzzing))]
mod fuzz;
mod receive;
mod send;
#[cfg(test)]
mod tests;
mod traffic;
mod utf8;

use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;
use ws_proto::{Entropy, Role};

use crate::deflate::{Inflater, Params};
use crate::timeouts::Timeouts;
use crate::wire_log::WireLog;
#[cfg(any(test, fuzzing))]
pub use fuzz::fuzz_raw_peer;
pub(crate) use receive::PeerEvent;
use receive::Receiving;
use send::Sending;
pub(crate) use traffic::Traffic;

/// The header of a frame as it was on the wire, whatever it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawHeader {
    pub(crate) fin: bool,
    /// RSV1, RSV2 and RSV3 count 4, 2 and 1.
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) masking_key: Option<[u8; 4]>,
    pub(crate) payload_len: u64,
    /// The length was in its shortest form.
    pub(crate) minimal: bool,
}

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    /// A Close frame was sent.
    Closing,
    /// The stream is given up; what comes is ignored.
    Closed,
}

/// A timer of the connection or of the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The case is to go on; with a tag, the end of the wait counts as received.
    Later(Option<&'static str>),
    /// The case wants the connection failed.
    Fail,
    /// The case wants the connection closed.
    Close,
    /// The endpoint has not answered our Close frame.
    CloseHandshake,
    /// As client: the server has not closed the TCP connection.
    ServerDrop,
}

/// How the connection ended, in the words of the report files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closing {
    /// We began the closing handshake.
    pub(crate) closed_by_me: bool,
    /// We failed the connection.
    pub(crate) failed_by_me: bool,
    /// We gave up the TCP connection.
    pub(crate) dropped_by_me: bool,
    /// Both Close frames went over the wire, and the server closed the TCP connection.
    pub(crate) was_clean: bool,
    pub(crate) not_clean_reason: Option<&'static str>,
    pub(crate) server_drop_timeout: bool,
    pub(crate) open_handshake_timeout: bool,
    pub(crate) close_handshake_timeout: bool,
    pub(crate) local_code: Option<u16>,
    pub(crate) local_reason: Option<Bytes>,
    pub(crate) remote_code: Option<u16>,
    pub(crate) remote_reason: Option<String>,
}

/// What is to be written in one write.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) bytes: BytesMut,
    /// A piece of its own: the stream is read once before the next is written.
    pub(crate) paced: bool,
}

/// One end of an open connection.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) role: Role,
    pub(crate) state: State,
    pub(crate) closing: Closing,
    pub(crate) out: VecDeque<Chunk>,
    /// The stream is to be torn down, without what is still to be written.
    pub(crate) abort: bool,
    /// After what is to be written, the write side of the stream is to be shut down.
    pub(crate) shutdown_write: bool,
    pub(crate) timers: Vec<(Instant, Timer)>,
    pub(crate) log: WireLog,
    pub(crate) traffic: Traffic,
    pub(crate) deflate: Option<Params>,
    timeouts: Timeouts,
    entropy: Entropy,
    receiving: Receiving,
    sending: Sending,
}

impl Peer {
    /// One end of a connection after its opening handshake. Bytes that came behind the head go to [`Peer::read`].
    pub(crate) fn new(
        role: Role,
        deflate: Option<Params>,
        entropy: Entropy,
        log: WireLog,
        traffic: Traffic,
        timeouts: Timeouts,
    ) -> Self {
        let inflater = deflate.map(|params| match role {
            Role::Client => Inflater::new(params.server_window_bits, params.server_no_context_takeover),
            Role::Server => Inflater::new(params.client_window_bits, params.client_no_context_takeover),
        });
        Self {
            role,
            state: State::Open,
            closing: Closing::default(),
            out: VecDeque::new(),
            abort: false,
            shutdown_write: false,
            timers: Vec::new(),
            log,
            traffic,
            deflate,
            timeouts,
            entropy,
            receiving: Receiving::new(inflater),
            sending: Sending::default(),
        }
    }

    pub(crate) fn set_timer(&mut self, at: Instant, timer: Timer) {
        self.timers.push((at, timer));
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.iter().map(|(at, _)| *at).min()
    }

    /// Takes a timer whose time has come; the earliest first.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Timer> {
        let (index, _) = self
            .timers
            .iter()
            .enumerate()
            .filter(|(_, (at, _))| *at <= now)
            .min_by_key(|(_, (at, _))| *at)?;
        Some(self.timers.remove(index).1)
    }

    /// A timer of the connection itself fired.
    pub(crate) fn timed_out(&mut self, timer: Timer) {
        if self.state == State::Closed {
            return;
        }
        self.closing.was_clean = false;
        match timer {
            Timer::CloseHandshake => {
                self.closing.close_handshake_timeout = true;
                self.closing.not_clean_reason = Some("the endpoint did not answer the Close frame in time");
            }
            _ => {
                self.closing.server_drop_timeout = true;
                self.closing.not_clean_reason = Some("the server did not close the TCP connection in time");
            }
        }
        self.give_up(true);
    }

    /// Fails the connection: begins the closing handshake, or, where that was begun, gives the stream up.
    pub(crate) fn fail(&mut self, code: u16, reason: &str, now: Instant) {
        match self.state {
            State::Open => {
                self.closing.failed_by_me = true;
                self.send_close(Some(code), Some(Bytes::copy_from_slice(reason.as_bytes())), false, now);
            }
            State::Closing => {
                self.closing.failed_by_me = true;
                self.give_up(false);
            }
            State::Closed => {}
        }
    }

    /// Sends a Close frame, unless one was sent. It is not checked.
    pub(crate) fn send_close(&mut self, code: Option<u16>, reason: Option<Bytes>, reply: bool, now: Instant) {
        if self.state != State::Open {
            return;
        }
        let mut payload = Vec::new();
        payload.extend(code.into_iter().flat_map(u16::to_be_bytes));
        payload.extend(reason.iter().flatten());
        self.send_frame(&crate::case::Frame::new(8, payload));
        self.state = State::Closing;
        self.closing.closed_by_me = !reply;
        self.closing.local_code = code;
        self.closing.local_reason = reason;
        if reply {
            // Whoever answered a Close frame waits for the server's end of the stream. There is no rule for how long.
            self.set_timer(now + PATIENCE, Timer::ServerDrop);
        } else {
            self.set_timer(now + self.timeouts.closing, Timer::CloseHandshake);
        }
    }

    /// Gives the stream up: `abort` without what is still to be written.
    pub(crate) fn give_up(&mut self, abort: bool) {
        if self.state != State::Closed {
            self.closing.dropped_by_me = true;
            self.state = State::Closed;
            self.abort = abort;
            self.out.retain(|chunk| !chunk.paced);
        }
    }

    /// A Close frame came. `Err` where the stream is to be given up on the spot.
    fn received_close(&mut self, payload: &[u8], now: Instant) -> Result<(), receive::Broken> {
        let (code, reason) = match payload {
            [high, low, reason @ ..] => (Some(u16::from_be_bytes([*high, *low])), reason),
            _ => (None, &[][..]),
        };
        self.closing.remote_code = code;
        if code.is_some_and(|code| !may_be_sent(code)) {
            self.fail(1002, "a close code that must not be sent", now);
        }
        if !reason.is_empty() {
            match std::str::from_utf8(reason) {
                Ok(text) => self.closing.remote_reason = Some(text.to_owned()),
                Err(error) => {
                    if error.error_len().is_some() {
                        self.fail(1007, "a close reason that is not UTF-8", now);
                    }
                    return Err(receive::Broken);
                }
            }
        }
        match self.state {
            State::Closing => {
                self.timers.retain(|(_, timer)| *timer != Timer::CloseHandshake);
                self.closing.was_clean = true;
                match self.role {
                    Role::Server => self.give_up(true),
                    Role::Client => self.set_timer(now + self.timeouts.server_drop, Timer::ServerDrop),
                }
            }
            State::Open => {
                self.closing.was_clean = true;
                self.send_close(Some(1000), None, true, now);
                if self.role == Role::Server {
                    self.give_up(false);
                }
            }
            State::Closed => self.closing.was_clean = false,
        }
        Ok(())
    }
}

/// Close codes that the suite takes for valid: those of RFC 6455 §7.4.1, and those that are not the RFC's to give.
const fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1011 | 3000..=4999)
}

/// How long a server has that began the closing handshake. The original suite waits for ever.
const PATIENCE: Duration = Duration::from_secs(10);
