//! The closing handshake, failure, and the end of the transport (§7).

use super::state::{State, after};
use super::timers::Keepalive;
use super::{CloseFrame, Connection, Drain};
use crate::frame::Opcode;
use crate::{ApiMisuse, CloseCode, ControlPayload, Failure, Role, Transport, Utf8Bytes};
use std::time::Instant;

impl Connection {
    /// Starts the closing handshake (§7.1.2) with this code and reason. [`CloseCode::NO_STATUS`] sends an empty Close frame; a reason
    /// longer than 123 bytes is cut at a character. Nothing can be sent afterwards, messages are received until the peer's Close frame
    /// comes. When the connection is closing or over already, nothing happens. Then write what `transmit` holds.
    ///
    /// # Errors
    /// [`ApiMisuse::UnsendableCloseCode`]: only descriptions of what happened, such as 1006, have that code.
    pub fn close(&mut self, code: CloseCode, reason: &str, now: Instant) -> Result<(), ApiMisuse> {
        if !code.is_sendable() && code != CloseCode::NO_STATUS {
            return Err(ApiMisuse::UnsendableCloseCode { code: code.get() });
        }
        if self.state.is_open() {
            let sent = self.queue_close(code, reason);
            self.state.start_closing(sent, after(now, self.config.close_timeout()));
        }
        Ok(())
    }

    /// The peer ended its side of the transport: it will send nothing more. Hand all bytes that came before to `poll_event` first.
    /// Then go on with [`poll_event`](Self::poll_event), which tells whether that was the end of a closing handshake.
    pub fn handle_eof(&mut self, now: Instant) {
        if self.state.is_over() {
            self.state.end_peer_side();
        } else {
            // §7.1.5: there is no Close frame to answer, and none is sent; what was queued still leaves.
            self.state.fail(Failure::EndOfStream, after(now, self.config.close_timeout()));
            self.forget_input();
        }
    }

    /// The time told by [`poll_timeout`](Self::poll_timeout) has come. Then go on with [`poll_event`](Self::poll_event), and read:
    /// a late pong counts if it is found.
    pub fn handle_timeout(&mut self, now: Instant) {
        if !self.state.is_open() {
            self.expire(now);
            return;
        }
        let written = self.transmit.written();
        match self.timers.keepalive(&self.config, now, written) {
            Keepalive::Wait => {}
            Keepalive::Ping(payload) => {
                self.release_contexts();
                let stands_first = self.transmit.is_empty();
                self.queue_control(Opcode::Ping, &payload);
                let end = self.transmit.end();
                self.timers.expect_pong(&self.config, now, if stands_first { end } else { written }, end);
                self.timers.note_ping(payload, now);
            }
            Keepalive::Fail => return self.fail(Failure::Timeout(crate::Timer::Pong), now),
        }
        if self.timers.is_idle(&self.config, now) {
            let sent = self.queue_close(CloseCode::GOING_AWAY, "idle for too long");
            self.state.start_closing(sent, after(now, self.config.close_timeout()));
        }
    }

    /// What to do with the transport now. `ShutdownWrite` and `Close` come only when everything was written, or when it took too long.
    #[must_use]
    pub fn transport(&self) -> Transport {
        let (drain, failed) = match &self.state {
            State::Open | State::Closing(_) => return Transport::KeepOpen,
            State::Closed { drain, .. } => (&**drain, false),
            State::Failed { drain, .. } => (&**drain, true),
        };
        match (drain, self.role()) {
            (Drain { deadline: None, .. }, _) => Transport::Close,
            _ if !self.transmit.is_empty() => Transport::KeepOpen,
            (Drain { peer_ended: true, .. }, _) => Transport::Close,
            // §7.1.1: the server closes first, and the client gives it the time to.
            (_, Role::Client) => Transport::KeepOpen,
            // The peer may be in the middle of sending: its bytes are awaited and discarded, or a reset would overtake our Close frame.
            (_, Role::Server) if failed => Transport::ShutdownWrite,
            (_, Role::Server) => Transport::Close,
        }
    }

    /// Fails the connection (§7.1.7): the Close frame with the right code, once, and then nothing.
    pub(super) fn fail(&mut self, failure: Failure, now: Instant) {
        if self.state.is_open() {
            self.queue_close(failure.close_code(), &failure.to_string());
        }
        self.state.fail(failure, after(now, self.config.close_timeout()));
        self.forget_input();
    }

    /// The peer's Close frame came: answers it, if ours was not sent before (§5.5.1).
    pub(super) fn receive_close(&mut self, received: CloseFrame, now: Instant) {
        let reply = if self.state.is_open() {
            self.queue_close(received.code, "")
        } else {
            CloseFrame { code: received.code, reason: Utf8Bytes::default() }
        };
        self.state.receive_close(received, reply, after(now, self.config.close_timeout()));
        self.forget_input();
    }

    fn queue_close(&mut self, code: CloseCode, reason: &str) -> CloseFrame {
        self.outgoing = None;
        let mut end = reason.len().min(ControlPayload::MAX_BYTES - 2);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        let reason = reason.get(..end).filter(|_| code.is_sendable()).unwrap_or_default();
        let mut payload = [0; ControlPayload::MAX_BYTES];
        let mut len = 0;
        if code.is_sendable() {
            for (slot, byte) in
                payload.iter_mut().zip(code.get().to_be_bytes().into_iter().chain(reason.bytes()))
            {
                *slot = byte;
                len += 1;
            }
        }
        self.queue_control(Opcode::Close, payload.get(..len).unwrap_or_default());
        CloseFrame { code, reason: reason.into() }
    }

    /// Goes on to the next state where the time for this one is over; tells whether it was.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let due = self.state.deadline().is_some_and(|deadline| now >= deadline);
        if due {
            self.state.expire();
            self.forget_input();
        }
        due
    }

    /// Frees what was kept of input that will never be finished.
    fn forget_input(&mut self) {
        self.frame = None;
        self.message = None;
        self.control = None;
        #[cfg(feature = "deflate")]
        {
            self.deflate = None;
        }
    }
}
