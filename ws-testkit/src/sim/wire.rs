//! Is what an end writes legal? Read as it is written, so that a long run needs no more memory than a short one.

use crate::raw::{self, Fault, RawFrame};
use std::hash::{DefaultHasher, Hasher};
use ws_proto::Role;

/// What one end has written.
#[derive(Debug)]
pub(super) struct Wire {
    sender: Role,
    deflate: bool,
    /// The frame that is not complete yet.
    partial: Vec<u8>,
    /// Is a message open, and does it have to be UTF-8? Then what came of it.
    open: Option<Option<Vec<u8>>>,
    close: Option<Vec<u8>>,
    bytes: u64,
    hash: DefaultHasher,
    fingerprint: u64,
}

impl Wire {
    pub(super) fn new(sender: Role, deflate: bool) -> Self {
        Self {
            sender,
            deflate,
            partial: Vec::new(),
            open: None,
            close: None,
            bytes: 0,
            hash: DefaultHasher::new(),
            fingerprint: 0,
        }
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The payload of the Close frame.
    pub(super) fn close(&self) -> Option<&[u8]> {
        self.close.as_deref()
    }

    /// More was written. The error says which rule it breaks.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.bytes += bytes.len() as u64;
        self.hash.write(bytes);
        self.fingerprint = self.hash.finish();
        self.partial.extend_from_slice(bytes);
        // A large frame is looked at when it can be complete, not with each of its bytes.
        if self.partial.len() < declared_len(&self.partial) {
            return Ok(());
        }
        let written = std::mem::take(&mut self.partial);
        let mut rest = written.as_slice();
        while !rest.is_empty() {
            match raw::read(rest) {
                Ok((frame, behind)) => {
                    rest = behind;
                    self.frame(frame)?;
                }
                Err(Fault::Truncated) => break,
                Err(fault) => return Err(fault.to_string()),
            }
        }
        self.partial = rest.to_vec();
        Ok(())
    }

    fn frame(&mut self, frame: RawFrame) -> Result<(), String> {
        if self.close.is_some() {
            return Err(format!("a frame with opcode {} behind the Close frame", frame.opcode));
        }
        if frame.mask.is_some() != (self.sender == Role::Client) {
            return Err("a frame that is not masked as its role must".into());
        }
        let begins = matches!(frame.opcode, 1 | 2);
        if frame.rsv != 0 && !(frame.rsv == 4 && begins && self.deflate) {
            return Err(format!("reserved bits {} on opcode {}", frame.rsv, frame.opcode));
        }
        match frame.opcode {
            8 if frame.payload.len() == 1 => return Err("a Close frame of one byte".into()),
            8 => self.close = Some(frame.payload),
            9.. => {}
            _ if begins == self.open.is_some() => {
                return Err(format!(
                    "opcode {} where a message is {}",
                    frame.opcode,
                    if begins { "open" } else { "not open" }
                ));
            }
            _ => self.data(frame, begins)?,
        }
        Ok(())
    }

    fn data(&mut self, frame: RawFrame, begins: bool) -> Result<(), String> {
        let is_plain_text = frame.opcode == 1 && frame.rsv == 0;
        let mut message = if begins { is_plain_text.then(Vec::new) } else { self.open.take().flatten() };
        if let Some(text) = &mut message {
            text.extend(frame.payload);
        }
        if !frame.fin {
            self.open = Some(message);
            return Ok(());
        }
        match message.map(String::from_utf8) {
            Some(Err(_)) => Err("a text message that is not UTF-8".into()),
            _ => Ok(()),
        }
    }
}

/// How long the frame is that `bytes` begin with, as far as they tell.
fn declared_len(bytes: &[u8]) -> usize {
    let (head, len) = match bytes {
        [_, second, high, low, ..] if second & 0x7F == 126 => {
            (4 + usize::from(second >> 7) * 4, u64::from(u16::from_be_bytes([*high, *low])))
        }
        [_, second, a, b, c, d, e, f, g, h, ..] if second & 0x7F == 127 => {
            (10 + usize::from(second >> 7) * 4, u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]))
        }
        _ => return 0,
    };
    usize::try_from(len).unwrap_or(usize::MAX).saturating_add(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(frames: &[RawFrame], piece: usize) -> Result<(), String> {
        let mut wire = Wire::new(Role::Server, true);
        let bytes: Vec<u8> = frames.iter().flat_map(RawFrame::to_bytes).collect();
        bytes.chunks(piece).try_for_each(|piece| wire.push(piece))
    }

    #[test]
    fn legal_frames_pass_and_every_fault_is_noticed_wherever_writes_are_cut() {
        let text = || RawFrame::text("a");
        for piece in [1, 2, 1000] {
            let legal = [
                text().rsv(4),
                RawFrame::text(b"\xC3").unfinished(),
                RawFrame::ping(""),
                RawFrame::continuation(b"\xA9"),
                RawFrame::binary(vec![7; 300]),
                RawFrame::binary(vec![7; 70_000]).unfinished(),
                RawFrame::close(1000, ""),
            ];
            assert_eq!(judge(&legal, piece), Ok(()));
            for wrong in [
                vec![text().masked([1; 4])],
                vec![RawFrame::ping("").rsv(4)],
                vec![RawFrame::continuation("")],
                vec![text().unfinished(), text()],
                vec![RawFrame::text([0xFF])],
                vec![RawFrame::new(8, [3])],
                vec![RawFrame::close_empty(), RawFrame::close_empty()],
                vec![RawFrame::new(3, "")],
            ] {
                assert!(judge(&wrong, piece).is_err(), "{wrong:?}");
            }
        }
    }
}
