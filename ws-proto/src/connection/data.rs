//! Payloads of data frames that are not compressed.

use super::receive::{OpenMessage, Step};
use super::{Connection, Event, Fragment};
use crate::utf8::is_utf8;
use crate::{Delivery, Failure, Input, MessageKind, MessageRef, Payload, ProtocolError, Text};

impl Connection {
    /// Reads what `input` holds of the payload of a data frame.
    pub(super) fn data_step<'b, I: Input<'b>>(&mut self, input: &mut I) -> Result<Step<'b>, Failure> {
        let (Some(frame), Some(message)) = (&mut self.frame, &mut self.message) else {
            return Ok(Step::Again);
        };
        let remaining = frame.remaining;
        let payload = frame.unmask(input.rest());
        let n = payload.len();
        if n == 0 && remaining > 0 {
            return Ok(Step::NeedInput);
        }
        let frame_ends = n as u64 == remaining;
        let ends = frame_ends && frame.fin;
        let whole = self.config.delivery() == Delivery::Whole;
        message.delivered += n as u64;
        self.counters.received_bytes += n as u64;
        frame.consume(n);
        if whole && ends && message.delivered == n as u64 {
            // All of it lies here: nothing to put together.
            let (kind, valid) = (message.kind, message.kind == MessageKind::Binary || is_utf8(payload));
            self.frame = None;
            self.message = None;
            if !valid {
                return Err(ProtocolError::InvalidUtf8.into());
            }
            self.counters.received_messages += 1;
            return Ok(Step::Event(Event::Message(message_ref(kind, input.take_payload(n)))));
        }
        if message.kind == MessageKind::Text {
            message.utf8.feed(payload)?;
            if ends {
                message.utf8.finish()?;
            }
        }
        if whole {
            message.assembler.extend(payload, remaining, self.memory.as_deref_mut());
            input.skip(n);
        }
        if frame_ends {
            self.frame = None;
        }
        if whole {
            return Ok(if ends { self.finish_assembled() } else { Step::Again });
        }
        let payload = input.take_payload(n);
        Ok(self.fragment(payload, ends))
    }

    /// Hands out the message that was assembled.
    pub(super) fn finish_assembled<'b>(&mut self) -> Step<'b> {
        let Some(mut message) = self.message.take() else {
            return Step::Again;
        };
        self.counters.received_messages += 1;
        // Only where there is a pool to give it to is memory kept for the next message.
        let memory = self.transmit.is_pooled().then_some(&mut self.memory);
        let bytes = message.assembler.finish(memory);
        Step::Event(Event::Message(message_ref(message.kind, bytes.into())))
    }

    /// Hands out a piece of a message; an empty one only where it tells the end.
    pub(super) fn fragment<'b>(&mut self, payload: Payload<'b>, fin: bool) -> Step<'b> {
        let Some(OpenMessage { kind, begun, .. }) = self.message.as_deref_mut() else {
            return Step::Again;
        };
        if payload.is_empty() && !fin {
            return Step::Again;
        }
        let first = !std::mem::replace(begun, true);
        let event = Event::Fragment(Fragment { kind: *kind, payload, first, fin });
        if fin {
            self.counters.received_messages += 1;
            self.message = None;
        }
        Step::Event(event)
    }
}

#[inline]
pub(super) fn message_ref(kind: MessageKind, payload: Payload<'_>) -> MessageRef<'_> {
    match kind {
        MessageKind::Text => MessageRef::Text(Text::from_validated(payload)),
        MessageKind::Binary => MessageRef::Binary(payload),
    }
}
