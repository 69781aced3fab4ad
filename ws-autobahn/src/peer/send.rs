//! Writing frames as told.

use bytes::{BufMut, Bytes, BytesMut};
use ws_proto::Role;
use ws_proto::frame::MaskingKey;

use super::{Chunk, Peer, RawHeader, State};
use crate::case::{Frame, Length, Masking, Payload};

/// A frame whose payload is handed out piece by piece.
#[derive(Debug, Default)]
pub(super) struct Sending {
    key: Option<[u8; 4]>,
    sent: usize,
}

impl Peer {
    /// Writes a frame, in whatever state the connection is.
    pub(crate) fn send_frame(&mut self, frame: &Frame) {
        let key = self.masking_key(frame.masking);
        let header = RawHeader {
            fin: frame.fin,
            rsv: frame.rsv,
            opcode: frame.opcode,
            masking_key: key,
            payload_len: frame.payload.len() as u64,
            minimal: true,
        };
        let mut bytes = BytesMut::with_capacity(14 + frame.payload.len());
        write_header(&header, frame.length, &mut bytes);
        let header_len = bytes.len();
        write_payload(&frame.payload, &mut bytes);
        if let (Some(key), Some(payload)) = (key, bytes.get_mut(header_len..)) {
            MaskingKey::new(key).apply(0, payload);
        }
        if frame.opcode <= 2 {
            self.traffic.outgoing_frames += 1;
        }
        self.log.sent_frame(&header, &frame.payload.unit, frame.payload.repeated_to, frame.chop, frame.sync);
        self.write(bytes, frame.sync, frame.chop);
    }

    /// Sends a message while the connection is open, in frames of at most `fragment` bytes.
    pub(crate) fn send_message(&mut self, payload: &Payload, binary: bool, fragment: Option<usize>) {
        let bytes = payload.to_bytes();
        let len = bytes.len() as u64;
        self.send_message_frames(bytes, len, binary, fragment, 0);
    }

    /// Sends a compressed message while the connection is open; `len` is its length before it was compressed.
    pub(crate) fn send_compressed(
        &mut self,
        compressed: Bytes,
        len: usize,
        binary: bool,
        fragment: Option<usize>,
    ) {
        self.send_message_frames(compressed, len as u64, binary, fragment, 4);
    }

    fn send_message_frames(
        &mut self,
        payload: Bytes,
        len: u64,
        binary: bool,
        fragment: Option<usize>,
        rsv: u8,
    ) {
        if self.state != State::Open {
            return;
        }
        self.traffic.outgoing_messages += 1;
        self.traffic.outgoing_app += len;
        self.traffic.outgoing_websocket += payload.len() as u64;
        let opcode = if binary { 2 } else { 1 };
        let size = fragment.unwrap_or(usize::MAX).max(1);
        if payload.len() <= size {
            self.send_frame(&Frame::new(opcode, payload).rsv(rsv));
            return;
        }
        // Where the length is a multiple of the size, an empty frame ends the message, as in the original suite.
        let mut rest = payload;
        let mut frame = Frame::new(opcode, Bytes::new()).rsv(rsv);
        loop {
            frame.fin = rest.len() < size;
            frame.payload = rest.split_to(size.min(rest.len())).into();
            self.send_frame(&frame);
            if frame.fin {
                return;
            }
            frame.opcode = 0;
            frame.rsv = 0;
        }
    }

    /// Begins a text message with a frame that is not the last, whose payload follows piece by piece.
    pub(crate) fn begin_frame(&mut self, len: usize) {
        if self.state != State::Open {
            return;
        }
        let key = self.masking_key(Masking::AsRole);
        let header = RawHeader {
            fin: false,
            rsv: 0,
            opcode: 1,
            masking_key: key,
            payload_len: len as u64,
            minimal: true,
        };
        let mut bytes = BytesMut::new();
        write_header(&header, Length::Minimal, &mut bytes);
        self.sending = Sending { key, sent: 0 };
        self.traffic.outgoing_messages += 1;
        self.traffic.outgoing_frames += 1;
        self.write(bytes, false, None);
    }

    /// A piece of that payload.
    pub(crate) fn frame_data(&mut self, data: &[u8]) {
        if self.state != State::Open {
            return;
        }
        let mut bytes = BytesMut::from(data);
        if let Some(key) = self.sending.key {
            MaskingKey::new(key).apply(self.sending.sent, &mut bytes);
        }
        self.sending.sent += data.len();
        self.traffic.outgoing_app += data.len() as u64;
        self.traffic.outgoing_websocket += data.len() as u64;
        self.write(bytes, false, None);
    }

    /// Writes bytes: in pieces of `chop` bytes, in a write of their own (`sync`), or together with others.
    pub(crate) fn write(&mut self, mut bytes: BytesMut, sync: bool, chop: Option<usize>) {
        if let Some(size) = chop.filter(|size| *size > 0) {
            while !bytes.is_empty() {
                let piece = bytes.split_to(size.min(bytes.len()));
                self.out.push_back(Chunk { bytes: piece, paced: true });
            }
        } else if sync || self.out.iter().any(|chunk| chunk.paced) {
            self.out.push_back(Chunk { bytes, paced: true });
        } else {
            self.log.written(&bytes, false);
            self.traffic.wrote(self.state, bytes.len());
            match self.out.back_mut() {
                Some(last) if bytes.len() < JOIN => last.bytes.unsplit(bytes),
                _ => self.out.push_back(Chunk { bytes, paced: false }),
            }
        }
    }

    /// A piece that was to be written by itself is about to be.
    pub(crate) fn writing(&mut self, piece: &[u8]) {
        self.log.written(piece, true);
        self.traffic.wrote(self.state, piece.len());
    }

    fn masking_key(&self, masking: Masking) -> Option<[u8; 4]> {
        ((self.role == Role::Client) != (masking == Masking::Wrong)).then(|| {
            let mut key = [0; 4];
            self.entropy.fill(&mut key);
            key
        })
    }
}

/// Smaller pieces are joined with what is before them.
const JOIN: usize = 16 << 10;

fn write_header(header: &RawHeader, length: Length, bytes: &mut BytesMut) {
    bytes.put_u8(if header.fin { 0x80 } else { 0 } | (header.rsv & 7) << 4 | (header.opcode & 0x0F));
    let mask = if header.masking_key.is_some() { 0x80 } else { 0 };
    let len = header.payload_len;
    match (length, u8::try_from(len), u16::try_from(len)) {
        (Length::Minimal, Ok(len @ 0..=125), _) => bytes.put_u8(mask | len),
        (Length::Minimal | Length::Bits16, _, Ok(len)) => {
            bytes.put_u8(mask | 126);
            bytes.put_u16(len);
        }
        (Length::Claimed(len), ..) => {
            bytes.put_u8(mask | 127);
            bytes.put_u64(len);
        }
        _ => {
            bytes.put_u8(mask | 127);
            bytes.put_u64(len);
        }
    }
    if let Some(key) = header.masking_key {
        bytes.put_slice(&key);
    }
}

fn write_payload(payload: &Payload, bytes: &mut BytesMut) {
    let unit = &payload.unit;
    let mut left = payload.len();
    while left > 0 && !unit.is_empty() {
        let part = left.min(unit.len());
        bytes.extend_from_slice(unit.get(..part).unwrap_or_default());
        left -= part;
    }
}
