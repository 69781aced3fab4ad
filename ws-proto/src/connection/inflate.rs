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
        use crate::{Delivery, LimitError, MessageKind, ProtocolError};

        let (Some(frame), Some(message), Some(deflate)) =
            (&mut self.frame, &mut self.message, &mut self.deflate)
        else {
            return Err(ProtocolError::InvalidDeflate.into());
        };
        let inflation = message.inflation.get_or_insert_default();
        let whole = self.config.delivery() == Delivery::Whole;
        let in_payload = frame.remaining > 0;
        let max_ratio = deflate.max_ratio();
        let decompressor = deflate.decompressor()?;
        if !in_payload
            && frame.fin
            && !inflation.output_pending
            && (decompressor.is_ended() || inflation.from == 0)
        {
            // The sender ended its stream by itself, or sent none at all: there is no tail that it could have taken off.
            inflation.tail = TAIL.len();
        }
        let source = if inflation.output_pending {
            &[]
        } else if in_payload {
            let arrived = &*frame.unmask(input.rest());
            arrived.get(..inflation.portion(message.delivered, max_ratio)).unwrap_or(arrived)
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
            let step = decompressor.inflate(source, out);
            // However the input was split, the first fault is the one that is told: what came out, in its order, and then what broke.
            let inflated = if whole { message.assembler.appended() } else { &piece };
            let limit = self.config.max_message_bytes() as u64;
            let room = usize::try_from(limit.saturating_sub(message.delivered)).unwrap_or(usize::MAX);
            if message.kind == MessageKind::Text {
                message.utf8.feed(inflated.get(..room).unwrap_or(inflated))?;
            }
            message.delivered += inflated.len() as u64;
            self.counters.received_bytes += inflated.len() as u64;
            let compressed = self.counters.received_compressed();
            compressed.plain_bytes += inflated.len() as u64;
            if message.delivered > limit {
                return Err(LimitError::MessageTooBig { limit, actual: limit.saturating_add(1) }.into());
            }
            let step = step?;
            inflation.output_pending = !step.done && step.consumed >= source.len();
            if in_payload {
                frame.consume(step.consumed);
                inflation.from += step.consumed as u64;
                compressed.wire_bytes += step.consumed as u64;
                input.skip(step.consumed);
            } else {
                inflation.tail += step.consumed;
            }
            if step.done {
                inflation.check_ratio(message.delivered, max_ratio)?;
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

#[cfg(feature = "deflate")]
impl Inflation {
    /// How much to inflate at once, so that no split of the input hides a ratio that was too high for a moment: so little that
    /// it cannot become too high, or a single byte.
    fn portion(&self, output: u64, max_ratio: u32) -> usize {
        let fine = RATIO_FROM.max(self.from.saturating_mul(max_ratio.into()));
        let most = (fine.saturating_sub(output) / MOST_RATIO).saturating_sub(HELD_BYTES);
        usize::try_from(most).unwrap_or(usize::MAX).max(1)
    }

    /// Is so much output from so little input still fine? To be asked when all of that output is there.
    fn check_ratio(&self, output: u64, max_ratio: u32) -> Result<(), crate::LimitError> {
        let limit = u64::from(max_ratio);
        if output > RATIO_FROM && output > self.from.saturating_mul(limit) {
            return Err(crate::LimitError::InflationRatio {
                limit,
                actual: output.div_ceil(self.from.max(1)),
            });
        }
        Ok(())
    }
}

/// Most output for a byte of input: a symbol of DEFLATE puts out 258 bytes at most and takes two bits at least (RFC 1951 §3.2.5).
#[cfg(feature = "deflate")]
const MOST_RATIO: u64 = 4 * 258;
/// So much input may the inflater hold whose output has not come: a word of bits, and a symbol.
#[cfg(feature = "deflate")]
const HELD_BYTES: u64 = 9;
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
