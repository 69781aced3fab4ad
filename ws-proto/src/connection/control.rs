//! Received control frames (§5.5), and sending them.

use super::receive::Step;
use super::{CloseFrame, Connection, Event, Pong};
use crate::frame::{Header, Opcode};
use crate::utf8::is_utf8;
use crate::{CloseCode, ControlPayload, Failure, Input, ProtocolError, SendError, SendRefusal, Utf8Bytes};
use bytes::Bytes;
use std::time::Instant;

impl Connection {
    /// Queues a ping (§5.5.2). The pong with its payload comes as an event and tells the round trip; of more than 16 unanswered pings
    /// only the newest 16 are remembered for that. Then write what `transmit` holds.
    ///
    /// # Errors
    /// Gives the payload back when the connection is closed for sending, or too many bytes wait.
    pub fn ping(&mut self, payload: ControlPayload, now: Instant) -> Result<(), SendError<ControlPayload>> {
        if let Some(refusal) = self.refusal() {
            return Err(SendError::new(refusal, payload));
        }
        self.queue_control(Opcode::Ping, &payload);
        self.timers.note_ping(payload, now);
        Ok(())
    }

    /// Answers no ping from now on. For drivers that parse what nobody takes any more, to find a Close frame in it: a pong would tell the
    /// peer that the messages before its ping were received. The connection is to be closed then.
    pub const fn stop_pongs(&mut self) {
        self.pongs.stop();
    }

    /// Why nothing can be queued now.
    #[inline]
    pub(super) fn refusal(&self) -> Option<SendRefusal> {
        if !self.state.is_open() {
            Some(SendRefusal::Closed)
        } else if self.transmit.len() >= self.config.max_send_queue_bytes() {
            Some(SendRefusal::QueueFull)
        } else {
            None
        }
    }

    /// Queues a control frame; `payload` is at most 125 bytes long.
    pub(super) fn queue_control(&mut self, opcode: Opcode, payload: &[u8]) {
        let masking_key = self.next_masking_key();
        let header = Header { masking_key, ..Header::new(opcode, payload.len() as u64) };
        self.transmit.push_frame(header.encode().as_slice(), payload, masking_key);
    }

    pub(super) fn queue_pong(&mut self, payload: &ControlPayload) {
        self.queue_control(Opcode::Pong, payload);
        self.pongs.queued(self.transmit.end());
    }

    /// Reads the payload of a control frame, which may come in pieces.
    pub(super) fn control_step<'b, I: Input<'b>>(
        &mut self,
        input: &mut I,
        now: Instant,
    ) -> Result<Step<'b>, Failure> {
        let Some(frame) = &mut self.frame else {
            return Ok(Step::Again);
        };
        let payload = frame.unmask(input.rest());
        self.control.extend_from_slice(payload);
        let taken = payload.len();
        frame.consume(taken);
        input.skip(taken);
        if frame.remaining > 0 {
            return Ok(Step::NeedInput);
        }
        let opcode = frame.opcode;
        self.frame = None;
        let payload = Bytes::from(std::mem::take(&mut self.control));
        let event = match opcode {
            Opcode::Close => {
                let received = parse_close(payload)?;
                self.receive_close(received, now);
                return Ok(Step::Again);
            }
            Opcode::Ping => {
                let payload = ControlPayload::from_checked(&payload);
                // §5.5.1: nothing follows our Close frame.
                if self.state.is_open()
                    && let Some(payload) = self.pongs.answer(payload.clone(), &self.transmit)
                {
                    self.queue_pong(&payload);
                }
                Event::Ping(payload)
            }
            Opcode::Pong | Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                let payload = ControlPayload::from_checked(&payload);
                let round_trip = self.timers.round_trip(&payload, now);
                Event::Pong(Pong { payload, round_trip })
            }
        };
        Ok(Step::Event(event))
    }
}

/// The payload of a Close frame (§5.5.1): nothing, or a code and a reason.
fn parse_close(payload: Bytes) -> Result<CloseFrame, ProtocolError> {
    let (code, reason) = match payload.split_first_chunk::<2>() {
        None if payload.is_empty() => {
            return Ok(CloseFrame { code: CloseCode::NO_STATUS, reason: Utf8Bytes::default() });
        }
        None => return Err(ProtocolError::CloseFrameOfOneByte),
        Some((code, reason)) => (u16::from_be_bytes(*code), reason),
    };
    let code = CloseCode::new(code).ok_or(ProtocolError::InvalidCloseCode { code })?;
    if !is_utf8(reason) {
        return Err(ProtocolError::InvalidCloseReason);
    }
    let reason = Utf8Bytes::from_validated(payload.slice(2..));
    Ok(CloseFrame { code, reason })
}
