//! Payloads of compressed data frames (RFC 7692 §7.2.2).

use super::Connection;
use super::receive::Step;
use crate::{Failure, Input};

#[cfg(not(feature = "deflate"))]
impl Connection {
    /// Never called: without the feature no message is compressed.
    pub(super) fn compressed_step<'b, I: Input<'b>>(&mut self, _input: &mut I) -> Result<Step<'b>, Failure> {
        Ok(Step::NeedInput)
    }
}

#[cfg(feature = "deflate")]
impl Connection {
    /// Inflates what `input` holds of the payload of a compressed frame, one buffer of output at a time.
    pub(super) fn compressed_step<'b, I: Input<'b>>(&mut self, input: &mut I) -> Result<Step<'b>, Failure> {
        use crate::deflate::TAIL;
        use crate::{Delivery, MessageKind, ProtocolError};

        let (Some(frame), Some(message), Some(deflate)) = (&mut self.frame, &mut self.message, &mut self.deflate) else {
            return Err(ProtocolError::InvalidDeflate.into());
        };
        let whole = self.config.delivery() == Delivery::Whole;
        let in_payload = frame.remaining > 0;
        let decompressor = deflate.decompressor();
        if !in_payload && message.tail_left == TAIL.len() && !message.output_pending && decompressor.is_ended() {
            message.tail_left = 0;
        }
        let source = if in_payload {
            &*frame.unmask(input.rest())
        } else {
            TAIL.get(TAIL.len() - message.tail_left..).unwrap_or_default()
        };
        let mut piece = Vec::new();
        if !source.is_empty() || message.output_pending {
            let out = if whole { message.assembler.as_vec() } else { &mut piece };
            if out.len() == out.capacity() {
                let guess = if whole { out.len().max(4 * source.len()).clamp(LEAST_ROOM, MOST_ROOM) } else { STREAM_ROOM };
                out.reserve_exact(guess);
            }
            let step = decompressor.inflate(source, out)?;
            message.output_pending = !step.done && step.consumed >= source.len();
            if in_payload {
                frame.consume(step.consumed);
                message.inflated_from += step.consumed as u64;
                input.skip(step.consumed);
            } else {
                message.tail_left = message.tail_left.saturating_sub(step.consumed);
            }
            let inflated = if whole { message.assembler.appended() } else { &piece };
            message.delivered += inflated.len() as u64;
            check_inflation(message.delivered, message.inflated_from, deflate.max_ratio(), self.config.max_message_bytes() as u64)?;
            if message.kind == MessageKind::Text {
                message.utf8.feed(inflated)?;
            }
        } else if in_payload {
            return Ok(Step::NeedInput);
        }
        let frame_ends = frame.remaining == 0 && message.tail_left == 0 && !message.output_pending;
        let ends = frame_ends && frame.fin;
        if frame_ends {
            self.frame = None;
        }
        if ends {
            if message.kind == MessageKind::Text {
                message.utf8.finish()?;
            }
            deflate.end_received_message();
        }
        Ok(match (whole, ends) {
            (true, true) => self.finish_assembled(),
            (true, false) => Step::Again,
            (false, _) => self.fragment(bytes::Bytes::from(piece).into(), ends),
        })
    }
}

/// Is so much output from so little input still fine?
#[cfg(feature = "deflate")]
fn check_inflation(output: u64, input: u64, max_ratio: u32, max_message_bytes: u64) -> Result<(), crate::LimitError> {
    use crate::LimitError;
    if output > max_message_bytes {
        return Err(LimitError::MessageTooBig { limit: max_message_bytes, actual: output });
    }
    let limit = u64::from(max_ratio);
    if output > RATIO_FROM && output > input.saturating_mul(limit) {
        return Err(LimitError::InflationRatio { limit, actual: output / input.max(1) });
    }
    Ok(())
}

/// Room for the first inflated bytes of a message.
#[cfg(feature = "deflate")]
const LEAST_ROOM: usize = 1 << 10;
/// Most room that is added at once.
#[cfg(feature = "deflate")]
const MOST_ROOM: usize = 1 << 20;
/// Most bytes of a piece in streaming delivery.
#[cfg(feature = "deflate")]
const STREAM_ROOM: usize = 16 << 10;
/// Output up to which any ratio is fine: so much does no harm, and short messages of one repeated byte are common.
#[cfg(feature = "deflate")]
const RATIO_FROM: u64 = 1 << 20;
