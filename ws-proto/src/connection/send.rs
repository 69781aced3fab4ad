//! From messages to frames.

use super::Connection;
use crate::frame::{Header, MaskingKey, Opcode};
use crate::message::Utf8Validator;
use crate::transmit::SHARE_FROM;
use crate::{Message, MessageKind, Prepared, SendError, SendRefusal};
use bytes::{Bytes, BytesMut};

/// The message that is being sent piece by piece.
#[derive(Debug)]
pub(super) struct OutgoingMessage {
    kind: MessageKind,
    compressed: bool,
    utf8: Utf8Validator,
}

impl Connection {
    /// Queues a message: compressed where that was negotiated and it is long enough, fragmented where `fragment_bytes` says so.
    /// Then write what `transmit` holds.
    ///
    /// A payload of 4 KiB and more is queued by reference by a server; a client masks it in place where nothing else refers to it,
    /// else masks a copy.
    ///
    /// # Errors
    /// Gives the message back: the connection is closed for sending, too many bytes wait, or a fragmented message is open.
    #[inline]
    pub fn send(&mut self, message: Message) -> Result<(), SendError<Message>> {
        self.send_message(message, true)
    }

    /// Queues a message as [`send`](Self::send) does, but never compressed: for what is compressed already, and for secrets beside
    /// text that an attacker chooses.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_uncompressed(&mut self, message: Message) -> Result<(), SendError<Message>> {
        self.send_message(message, false)
    }

    /// Queues a copy of a text, as [`send`](Self::send) does with a message: for replies made of what is borrowed. Then write what
    /// `transmit` holds.
    ///
    /// # Errors
    /// As [`send`](Self::send), without a message to give back.
    pub fn send_text(&mut self, text: &str) -> Result<(), SendError<()>> {
        self.send_copy(MessageKind::Text, text.as_bytes())
    }

    /// As [`send_text`](Self::send_text), of binary data.
    ///
    /// # Errors
    /// As [`send`](Self::send), without a message to give back.
    pub fn send_binary(&mut self, bytes: &[u8]) -> Result<(), SendError<()>> {
        self.send_copy(MessageKind::Binary, bytes)
    }

    /// Queues a message that was made ready for many connections. Then write what `transmit` holds.
    ///
    /// A compressed one is compressed with an empty window, so that it fits all connections; afterwards this connection's own
    /// compressor begins a fresh window too.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_prepared(&mut self, message: &Prepared) -> Result<(), SendError<()>> {
        if let Some(refusal) = self.message_refusal() {
            return Err(SendError::new(refusal, ()));
        }
        if self.masking_keys.is_some() {
            // §5.3: every frame has its own key, so a client shares nothing.
            return self.send(message.message().clone()).map_err(|error| SendError::new(error.refusal(), ()));
        }
        self.timers.note_data_sent();
        #[cfg(feature = "deflate")]
        if let Some(deflate) = self.deflate.as_deref_mut()
            && deflate.compresses(message.message().len())
            && let Some(window_bits) = deflate.send_window_bits()
        {
            let frame = message.compressed(window_bits, |payload| {
                let mut out = Vec::new();
                deflate.forget_sent_window();
                deflate.compress(payload, true, &mut out);
                out
            });
            if let Some(frame) = frame {
                let frame = frame.clone();
                deflate.forget_sent_window();
                self.transmit.push_common(frame);
                return Ok(());
            }
        }
        self.transmit.push_common(message.plain().clone());
        Ok(())
    }

    /// Queues a piece of a message as a fragment (§5.4); `fin` tells that it is the last. Control frames may come in between, other
    /// messages may not. It is compressed where that was negotiated, however short it is. Then write what `transmit` holds.
    ///
    /// # Errors
    /// Gives the piece back: as [`send`](Self::send), or it is of another kind than the message it would continue, or with it a text
    /// is not UTF-8. The message stays open.
    pub fn send_fragment(
        &mut self,
        kind: MessageKind,
        payload: Bytes,
        fin: bool,
    ) -> Result<(), SendError<Bytes>> {
        if let Some(refusal) = self.refusal() {
            return Err(SendError::new(refusal, payload));
        }
        let opened = self.outgoing.take();
        let is_first = opened.is_none();
        let mut message = opened.unwrap_or_else(|| {
            let compressed = self.can_compress();
            Box::new(OutgoingMessage { kind, compressed, utf8: Utf8Validator::new() })
        });
        let mut utf8 = message.utf8.clone();
        let refusal = if message.kind != kind {
            Some(SendRefusal::KindMismatch)
        } else if kind == MessageKind::Text
            && (utf8.feed(&payload).is_err() || (fin && utf8.finish().is_err()))
        {
            Some(SendRefusal::InvalidUtf8)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            self.outgoing = (!is_first).then_some(message);
            return Err(SendError::new(refusal, payload));
        }
        message.utf8 = utf8;
        let payload = if message.compressed { self.compress_fragment(&payload, fin) } else { payload };
        let opcode = if is_first { kind.opcode() } else { Opcode::Continuation };
        self.queue_frames(opcode, is_first && message.compressed, fin, payload);
        if !fin {
            self.outgoing = Some(message);
        }
        self.timers.note_data_sent();
        Ok(())
    }

    pub(super) fn next_masking_key(&mut self) -> Option<MaskingKey> {
        self.masking_keys.as_mut().map(|keys| keys.next_key())
    }

    #[inline]
    fn message_refusal(&self) -> Option<SendRefusal> {
        let open = self.outgoing.is_some().then_some(SendRefusal::FragmentedMessageOpen);
        self.refusal().or(open)
    }

    #[inline]
    fn send_message(&mut self, message: Message, compress: bool) -> Result<(), SendError<Message>> {
        if let Some(refusal) = self.message_refusal() {
            return Err(SendError::new(refusal, message));
        }
        self.timers.note_data_sent();
        let kind = message.kind();
        let deflate = compress && self.negotiated_deflate();
        if !deflate && message.len() < SHARE_FROM && self.queue_small(kind, message.as_bytes()) {
            return Ok(());
        }
        self.queue_message(message, compress);
        Ok(())
    }

    /// As [`send_message`](Self::send_message), of borrowed bytes, which are UTF-8 where they are to be a text.
    #[inline]
    fn send_copy(&mut self, kind: MessageKind, payload: &[u8]) -> Result<(), SendError<()>> {
        if let Some(refusal) = self.message_refusal() {
            return Err(SendError::new(refusal, ()));
        }
        self.timers.note_data_sent();
        if self.negotiated_deflate() || !self.queue_small(kind, payload) {
            let payload = Bytes::copy_from_slice(payload);
            let message = match kind {
                MessageKind::Text => Message::Text(crate::Utf8Bytes::from_validated(payload)),
                MessageKind::Binary => Message::Binary(payload),
            };
            self.queue_message(message, true);
        }
        Ok(())
    }

    /// The common case by a short cut: an uncompressed message of one frame, which a server copies behind its header. False where it is
    /// another case.
    #[inline]
    fn queue_small(&mut self, kind: MessageKind, payload: &[u8]) -> bool {
        if self.masking_keys.is_some() || self.config.fragment_bytes().is_some() {
            return false;
        }
        let Ok(len) = u16::try_from(payload.len()) else { return false };
        self.transmit.push_unmasked(0x80 | kind.opcode().number(), len, payload);
        true
    }

    fn queue_message(&mut self, message: Message, compress: bool) {
        let kind = message.kind();
        if compress && self.compresses(message.len()) {
            self.queue_compressed(kind, message.as_bytes());
        } else {
            self.queue_frames(kind.opcode(), false, true, message.into_bytes());
        }
    }

    /// Queues a payload as one frame, or as several where it is longer than `fragment_bytes`.
    fn queue_frames(&mut self, mut opcode: Opcode, mut rsv1: bool, fin: bool, mut payload: Bytes) {
        let most = self.config.fragment_bytes().unwrap_or(usize::MAX);
        while payload.len() > most {
            let fragment = payload.split_to(most);
            self.queue_frame(Header { fin: false, rsv1, ..Header::new(opcode, 0) }, fragment);
            (opcode, rsv1) = (Opcode::Continuation, false);
        }
        self.queue_frame(Header { fin, rsv1, ..Header::new(opcode, 0) }, payload);
    }

    fn queue_frame(&mut self, header: Header, payload: Bytes) {
        let masking_key = self.next_masking_key();
        let header = Header { payload_len: payload.len() as u64, masking_key, ..header };
        let encoded = header.encode();
        if payload.len() < SHARE_FROM {
            return self.transmit.push_frame(encoded.as_slice(), &payload, masking_key);
        }
        self.transmit.push_copy(encoded.as_slice());
        match masking_key {
            None => self.transmit.push_shared(payload),
            Some(key) => {
                let masked = match payload.try_into_mut() {
                    Ok(mut own) => {
                        key.apply(0, &mut own);
                        own
                    }
                    Err(shared) => {
                        let mut copy = BytesMut::with_capacity(shared.len());
                        let mut phase = 0;
                        // In pieces that stay in the first-level cache between the copy and the mask.
                        for piece in shared.chunks(SHARE_FROM) {
                            copy.extend_from_slice(piece);
                            if let Some(masked) = copy.get_mut(phase..) {
                                key.apply(phase, masked);
                            }
                            phase += piece.len();
                        }
                        copy
                    }
                };
                self.transmit.push_shared(masked.freeze());
            }
        }
    }
}

#[cfg(not(feature = "deflate"))]
impl Connection {
    const fn compresses(&self, _len: usize) -> bool {
        false
    }

    const fn can_compress(&self) -> bool {
        false
    }

    /// Never called: without the feature no message is compressed.
    fn compress_fragment(&mut self, payload: &Bytes, _fin: bool) -> Bytes {
        payload.clone()
    }

    /// Never called: without the feature no message is compressed.
    fn queue_compressed(&mut self, kind: MessageKind, payload: &Bytes) {
        self.queue_frames(kind.opcode(), false, true, payload.clone());
    }
}

#[cfg(feature = "deflate")]
impl Connection {
    fn compresses(&self, len: usize) -> bool {
        self.deflate.as_ref().is_some_and(|deflate| deflate.compresses(len))
    }

    fn can_compress(&self) -> bool {
        self.deflate.as_ref().is_some_and(|deflate| deflate.can_compress())
    }

    fn compress_fragment(&mut self, payload: &Bytes, fin: bool) -> Bytes {
        let mut out = Vec::new();
        if let Some(deflate) = &mut self.deflate {
            deflate.compress(payload, fin, &mut out);
        }
        out.into()
    }

    /// Compresses a message straight into the queue, behind room for its header. Where that does not make it shorter, and nothing later
    /// refers to it, it is queued as it is.
    fn queue_compressed(&mut self, kind: MessageKind, payload: &Bytes) {
        let may_share = payload.len() >= COMPRESSED_SHARE_FROM;
        let Some(deflate) = &mut self.deflate else { return };
        let must_compress = deflate.carries_sent_window();
        if may_share || self.config.fragment_bytes().is_some() {
            let mut compressed = Vec::new();
            deflate.compress(payload, true, &mut compressed);
            let rsv1 = must_compress || compressed.len() < payload.len();
            let payload = if rsv1 { compressed.into() } else { payload.clone() };
            return self.queue_frames(kind.opcode(), rsv1, true, payload);
        }
        let masking_key = self.masking_keys.as_mut().map(|keys| keys.next_key());
        let mut shorter = true;
        self.transmit.append(|out| {
            let begin = out.len();
            out.extend_from_slice(&[0; Header::MAX_BYTES]);
            let body = begin + Header::MAX_BYTES;
            deflate.compress(payload, true, out);
            let payload_len = out.len() - body;
            shorter = must_compress || payload_len < payload.len();
            if !shorter {
                return out.truncate(begin);
            }
            if let (Some(key), Some(compressed)) = (masking_key, out.get_mut(body..)) {
                key.apply(0, compressed);
            }
            let header = Header { rsv1: true, masking_key, ..Header::new(kind.opcode(), payload_len as u64) };
            let header = header.encode();
            let header = header.as_slice();
            // The room is for the longest header; a shorter one pulls the few bytes behind it up.
            if let Some(room) = out.get_mut(begin..begin + header.len()) {
                room.copy_from_slice(header);
            }
            out.drain(begin + header.len()..body);
        });
        if !shorter {
            self.queue_frames(kind.opcode(), false, true, payload.clone());
        }
    }
}

/// From this size on a compressed message gets memory of its own, and the queue a reference.
#[cfg(feature = "deflate")]
const COMPRESSED_SHARE_FROM: usize = 64 << 10;
