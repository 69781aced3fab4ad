//! The common case by a short cut: a message of one frame that is not compressed and lies in the input as a whole.

use super::Connection;
use super::data::message_ref;
use crate::utf8::is_utf8;
use crate::{Input, MessageKind, MessageRef, ProtocolError, Role};
use std::time::Instant;

impl Connection {
    /// The next message, where that is the next event and lies in `input` as one frame, uncompressed: what
    /// [`poll_event`](Self::poll_event) gives too, by a shorter way. `None` tells nothing: call `poll_event`. For drivers to whose users
    /// an instruction a message counts.
    #[inline]
    pub fn poll_message<'b, I: Input<'b>>(&mut self, input: &mut I, now: Instant) -> Option<MessageRef<'b>> {
        if input.rest().len() < 2
            || !self.state.is_open()
            || self.frame.is_some()
            || self.message.is_some()
            || self.decoder.is_inside_header()
            || !self.short_ways.receive
        {
            return None;
        }
        self.whole_frame(input, now)
    }

    /// Takes a whole frame off the front of `input`; what is not that, or is wrong with it, is left to the long way. Nothing of a message
    /// has come before.
    #[inline]
    fn whole_frame<'b, I: Input<'b>>(&mut self, input: &mut I, now: Instant) -> Option<MessageRef<'b>> {
        let all = input.rest();
        // FIN and an opcode without reserved bits; the length, and a masking key where the peer is a client.
        let (kind, short, rest) = match all {
            [0x81, short, rest @ ..] => (MessageKind::Text, *short, rest),
            [0x82, short, rest @ ..] => (MessageKind::Binary, *short, rest),
            _ => return None,
        };
        let masked = self.role() == Role::Server;
        let (len, rest) = match short & 0x7F {
            126 => {
                let (len, rest) = rest.split_first_chunk_mut::<2>()?;
                match u16::from_be_bytes(*len) {
                    // Not its shortest form.
                    0..126 => return None,
                    len => (usize::from(len), rest),
                }
            }
            127 => return None,
            len => (usize::from(len), rest),
        };
        let (key, rest) = if masked {
            let (key, rest) = rest.split_first_chunk_mut::<4>()?;
            (Some(crate::frame::MaskingKey::new(*key)), rest)
        } else {
            (None, rest)
        };
        let most = self.config.max_frame_bytes().min(self.config.max_message_bytes());
        if (short & 0x80 != 0) != masked || len > most {
            return None;
        }
        let behind = rest.len();
        let payload = rest.get_mut(..len)?;
        if let Some(key) = key {
            key.apply(0, payload);
        }
        if kind == MessageKind::Text && !is_utf8(payload) {
            self.fail(ProtocolError::InvalidUtf8.into(), now);
            return None;
        }
        self.timers.note_message(now);
        self.counters.received(len);
        let header_len = all.len() - behind;
        input.skip(header_len);
        Some(message_ref(kind, input.take_payload(len)))
    }
}
