//! Payloads of compressed data frames (RFC 7692 §7.2.2).

use super::Connection;
use super::receive::Step;
use crate::{Failure, Input};

/// How far a compressed message is inflated.
#[derive(Debug, Default)]
pub(super) struct Inflation {
    /// Bytes of compressed input read.
    #[cfg(feature = "deflate")]
    from: u64,
    /// May the inflater hold output that found no room?
    #[cfg(feature = "deflate")]
    output_pending: bool,
    /// Bytes of the tail that were put back, behind the last fragment.
    #[cfg(feature = "deflate")]
    tail: usize,
}

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

        let (Some(frame), Some(message), Some(deflate)) =
            (&mut self.frame, &mut self.message, &mut self.deflate)
        else {
            return Err(ProtocolError::InvalidDeflate.into());
        };
        let inflation = message.inflation.get_or_insert_default();
        let whole = self.config.delivery() == Delivery::Whole;
        let in_payload = frame.remaining > 0;
        let decompressor = deflate.decompressor();
        if !in_payload && !inflation.output_pending && decompressor.is_ended() {
            // The sender ended its stream by itself: there is no tail that it could have taken off.
            inflation.tail = TAIL.len();
        }
        let source = if in_payload {
            &*frame.unmask(input.rest())
        } else if frame.fin {
            TAIL.get(inflation.tail..).unwrap_or_default()
        } else {
            &[]
        };
        let mut piece = Vec::new();
        if !source.is_empty() || inflation.output_pending {
            let out = if whole { message.assembler.as_vec() } else { &mut piece };
            if out.len() == out.capacity() {
                let guess = out.len().max(4 * source.len()).clamp(LEAST_ROOM, MOST_ROOM);
                out.reserve_exact(if whole { guess } else { STREAM_ROOM });
            }
            let step = decompressor.inflate(source, out)?;
            inflation.output_pending = !step.done && step.consumed >= source.len();
            if in_payload {
                frame.consume(step.consumed);
                inflation.from += step.consumed as u64;
                input.skip(step.consumed);
            } else {
                inflation.tail += step.consumed;
            }
            let inflated = if whole { message.assembler.appended() } else { &piece };
            message.delivered += inflated.len() as u64;
            let limit = self.config.max_message_bytes() as u64;
            check_inflation(message.delivered, inflation.from, deflate.max_ratio(), limit)?;
            if message.kind == MessageKind::Text {
                message.utf8.feed(inflated)?;
            }
        } else if in_payload {
            return Ok(Step::NeedInput);
        }
        let tail_left = frame.fin && inflation.tail < TAIL.len();
        let frame_ends = frame.remaining == 0 && !tail_left && !inflation.output_pending;
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
fn check_inflation(
    output: u64,
    input: u64,
    max_ratio: u32,
    max_message_bytes: u64,
) -> Result<(), crate::LimitError> {
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
