//! From bytes to events.

use super::inflate::Inflation;
use super::{Connection, Direction, Event};
use crate::frame::{Header, MaskingKey, Opcode};
use crate::message::{Assembler, Utf8Validator};
use crate::{Failure, Input, LimitError, MessageKind, ProtocolError, Role};
use std::time::Instant;

/// The frame whose payload is being read.
#[derive(Debug)]
pub(super) struct OpenFrame {
    pub(super) opcode: Opcode,
    pub(super) fin: bool,
    masking_key: Option<MaskingKey>,
    /// Bytes of its payload that were not taken yet.
    pub(super) remaining: u64,
    /// Bytes of its payload that were taken, modulo 4: the phase of the mask.
    phase: u8,
    /// Bytes at the front of the input that were unmasked, but not taken yet.
    unmasked: usize,
}

impl OpenFrame {
    /// What `input` holds of the payload, unmasked.
    pub(super) fn unmask<'i>(&mut self, input: &'i mut [u8]) -> &'i mut [u8] {
        let n = usize::try_from(self.remaining).map_or(input.len(), |remaining| remaining.min(input.len()));
        let (payload, _) = input.split_at_mut(n);
        if let (Some(key), Some(masked)) = (self.masking_key, payload.get_mut(self.unmasked..)) {
            key.apply(usize::from(self.phase) + self.unmasked, masked);
        }
        self.unmasked = n;
        payload
    }

    /// `n` bytes of what was unmasked are taken.
    pub(super) const fn consume(&mut self, n: usize) {
        let [low, ..] = n.to_le_bytes();
        self.remaining = self.remaining.saturating_sub(n as u64);
        self.phase = self.phase.wrapping_add(low) % 4;
        self.unmasked = self.unmasked.saturating_sub(n);
    }
}

/// The message whose fragments are being read.
#[derive(Debug)]
pub(super) struct OpenMessage {
    pub(super) kind: MessageKind,
    /// How far a compressed message is inflated.
    pub(super) inflation: Option<Inflation>,
    /// Fragments begun.
    fragments: usize,
    /// Payload bytes that the headers declared, as they are on the wire.
    declared: u64,
    /// Bytes that came out, inflated where compressed.
    pub(super) delivered: u64,
    pub(super) utf8: Utf8Validator,
    pub(super) assembler: Assembler,
    /// Was a piece of it handed out (streaming delivery)?
    pub(super) begun: bool,
}

impl OpenMessage {
    /// Memory that it holds, in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.assembler.memory_bytes()
    }
}

/// What one step of parsing did.
pub(super) enum Step<'b> {
    Again,
    Event(Event<'b>),
    NeedInput,
}

impl Connection {
    /// Parses `input` up to the next event; `None` when it is used up and nothing is left to tell. It is unmasked in place. A partial
    /// frame is kept, so the buffer is yours again. Then write what [`transmit`](Self::transmit) holds.
    ///
    /// `now` is the time at which the bytes were read. It is called with empty input too: after `handle_eof`, `handle_timeout` and `received`.
    pub fn poll_event<'b, I: Input<'b>>(&mut self, input: &mut I, now: Instant) -> Option<Event<'b>> {
        if input.rest().is_empty() {
            self.timers.note_reading();
            if self.frame.is_none() && self.state.is_open() {
                return None;
            }
        } else {
            self.timers.note_input(now);
        }
        loop {
            if !self.state.is_open() {
                if let Some(event) = self.state.take_event() {
                    return Some(event);
                }
                if self.state.is_over() {
                    let rest = input.rest().len();
                    input.skip(rest);
                    self.expire(now);
                    return None;
                }
            }
            if let Some(message) = self.poll_message(input, now) {
                return Some(Event::Message(message));
            }
            if self.state.is_over() {
                continue;
            }
            match self.step(input, now) {
                Ok(Step::Again) => {}
                Ok(Step::Event(event)) => return Some(event),
                // A driver looks at its timer where there is nothing to read: a peer that never stops sending would hold off the end.
                Ok(Step::NeedInput) if self.state.is_open() || !self.expire(now) => return None,
                Ok(Step::NeedInput) => {}
                Err(failure) => self.fail(failure, now),
            }
        }
    }

    /// Would [`poll_event`](Self::poll_event) find the end of a frame in `input`? A driver that coalesces what it writes asks this to
    /// learn whether another message can be handled first. An estimate: what follows may be a violation or a fragment.
    #[inline]
    #[must_use]
    pub fn has_frame(&self, input: &[u8]) -> bool {
        match &self.frame {
            Some(frame) => frame.remaining <= input.len() as u64 && !self.state.is_over(),
            None if self.decoder.is_inside_header() => !input.is_empty(),
            None => crate::frame::is_complete(input),
        }
    }

    /// Could [`poll_event`](Self::poll_event) do anything with empty input? A driver whose buffer is empty asks this to spare the call
    /// before it reads.
    #[inline]
    #[must_use]
    pub fn has_work(&self) -> bool {
        self.frame.is_some() || !self.state.is_open() || self.timers.is_probing()
    }

    /// In the middle of a large uncompressed frame: the memory that its payload ends up in, to be read into without a copy. Its size
    /// never passes what is left of the frame, nor 1 MiB. What was allocated never passes the largest of 64 KiB, twice what arrived, and
    /// twice the large message before it. Then tell [`received`](Self::received) how much was read. `None`: read into a buffer of yours,
    /// but not more than [`recv_limit`](Self::recv_limit).
    #[inline]
    pub fn recv_buf(&mut self) -> Option<&mut [u8]> {
        if self.frame.is_some() { self.large_frame_buf() } else { None }
    }

    fn large_frame_buf(&mut self) -> Option<&mut [u8]> {
        if self.state.is_over() || self.config.delivery() != crate::Delivery::Whole {
            return None;
        }
        let (Some(frame), Some(message)) = (&self.frame, &mut self.message) else {
            return None;
        };
        if frame.opcode.is_control() || message.inflation.is_some() {
            return None;
        }
        message.assembler.spare(frame.remaining, self.memory.as_deref_mut())
    }

    /// How many bytes to read into a buffer of yours at most. While very large messages follow each other it is little more than a header,
    /// because the rest of a frame is better read into [`recv_buf`](Self::recv_buf). Reading more is never wrong.
    #[inline]
    #[must_use]
    pub fn recv_limit(&self) -> usize {
        match &self.memory {
            Some(memory) if memory.earned() >= VERY_LARGE && self.frame.is_none() => HEADERS,
            _ => usize::MAX,
        }
    }

    /// `n` bytes were read into [`recv_buf`](Self::recv_buf). Then go on with [`poll_event`](Self::poll_event) and an empty input.
    pub fn received(&mut self, n: usize, now: Instant) {
        self.timers.note_input(now);
        let (Some(frame), Some(message)) = (&mut self.frame, &mut self.message) else {
            return;
        };
        let mut verdict = Ok(());
        // In pieces that stay in the first-level cache until they are validated.
        for piece in message.assembler.filled(n).chunks_mut(PIECE) {
            let payload = frame.unmask(piece);
            let taken = payload.len();
            if message.kind == MessageKind::Text && verdict.is_ok() {
                verdict = message.utf8.feed(payload);
            }
            frame.consume(taken);
            message.delivered += taken as u64;
            self.counters.received_bytes += taken as u64;
        }
        if let Err(error) = verdict {
            self.fail(error.into(), now);
        }
    }

    fn step<'b, I: Input<'b>>(&mut self, input: &mut I, now: Instant) -> Result<Step<'b>, Failure> {
        match &self.frame {
            None => {
                let Some(header) = self.decoder.decode(input)? else {
                    return Ok(Step::NeedInput);
                };
                self.begin_frame(&header, now)?;
                Ok(Step::Again)
            }
            Some(frame) if frame.opcode.is_control() => self.control_step(input, now),
            Some(_) if self.message.as_ref().is_some_and(|message| message.inflation.is_some()) => {
                self.compressed_step(input)
            }
            Some(_) => self.data_step(input),
        }
    }

    /// Checks a header against everything that is known about the connection, before any of its payload is looked at.
    fn begin_frame(&mut self, header: &Header, now: Instant) -> Result<(), Failure> {
        self.show(Direction::Received, *header);
        match (self.role(), header.masking_key) {
            (Role::Server, None) => return Err(ProtocolError::UnmaskedClientFrame.into()),
            (Role::Client, Some(_)) => return Err(ProtocolError::MaskedServerFrame.into()),
            (Role::Server, Some(_)) | (Role::Client, None) => {}
        }
        // RFC 7692 §6: RSV1 on the first frame of a message says that it is compressed; nowhere else has it a meaning.
        let compressed = header.rsv1
            && self.negotiated_deflate()
            && matches!(header.opcode, Opcode::Text | Opcode::Binary);
        let bits = header.reserved_bits() & if compressed { 0b011 } else { 0b111 };
        if bits != 0 {
            return Err(ProtocolError::ReservedBits { bits: header.reserved_bits() }.into());
        }
        if header.opcode.is_control() {
            self.timers.count_control_frame(&self.config, now)?;
        } else {
            self.timers.note_data_received(now);
            self.begin_fragment(header, compressed)?;
        }
        self.frame = Some(OpenFrame {
            opcode: header.opcode,
            fin: header.fin,
            masking_key: header.masking_key,
            remaining: header.payload_len,
            phase: 0,
            unmasked: 0,
        });
        Ok(())
    }

    /// A data frame begins or continues a message (§5.4), within the limits.
    fn begin_fragment(&mut self, header: &Header, compressed: bool) -> Result<(), Failure> {
        let message = match (header.opcode, &mut self.message) {
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(ProtocolError::DataFrameInsideMessage.into());
            }
            (Opcode::Text, slot @ None) => slot.insert(OpenMessage::boxed(MessageKind::Text, compressed)),
            (Opcode::Binary, slot @ None) => slot.insert(OpenMessage::boxed(MessageKind::Binary, compressed)),
            (_, Some(message)) => message,
            (_, None) => return Err(ProtocolError::ContinuationWithoutStart.into()),
        };
        // An empty last fragment only says that the message has ended: many senders end one of n whole pieces so.
        if !(header.fin && header.payload_len == 0) {
            message.fragments += 1;
        }
        message.declared = message.declared.saturating_add(header.payload_len);
        let limit = self.config.max_fragments() as u64;
        if message.fragments as u64 > limit {
            return Err(LimitError::TooManyFragments { limit, actual: message.fragments as u64 }.into());
        }
        let limit = self.config.max_message_bytes() as u64;
        // Compression may make a message a little longer; beyond that its length on the wire says that it is too big as well.
        let slack = if message.inflation.is_some() { limit / 8 + COMPRESSED_SLACK } else { 0 };
        if message.declared > limit.saturating_add(slack) {
            return Err(LimitError::MessageTooBig { limit, actual: message.declared }.into());
        }
        let limit = self.config.max_frame_bytes() as u64;
        if header.payload_len > limit {
            return Err(LimitError::FrameTooBig { limit, actual: header.payload_len }.into());
        }
        Ok(())
    }
}

impl OpenMessage {
    fn boxed(kind: MessageKind, compressed: bool) -> Box<Self> {
        let inflation = compressed.then(Inflation::default);
        Box::new(Self {
            kind,
            inflation,
            fragments: 0,
            declared: 0,
            delivered: 0,
            utf8: Utf8Validator::new(),
            assembler: Assembler::default(),
            begun: false,
        })
    }
}

/// From this length on messages are not read into the driver's buffer but for their header.
const VERY_LARGE: usize = 128 << 10;
/// Enough for a header, control frames before it and the beginning of the payload, and little to be copied.
const HEADERS: usize = 4 << 10;
/// What is unmasked and validated before the next piece is.
const PIECE: usize = 16 << 10;
/// How many bytes more than an eighth a compressed message may be longer than `max_message_bytes`.
const COMPRESSED_SLACK: u64 = 64 << 10;
