//! Reading what the endpoint sends.

use bytes::{Buf, Bytes, BytesMut};
use tokio::time::Instant;
use ws_proto::Role;
use ws_proto::frame::{Header, MaskingKey};

use super::utf8::Utf8;
use super::{Peer, RawHeader, State};
use crate::case::Frame;
use crate::deflate::Inflater;
use crate::wire_log::EXCERPT;

/// What counts for the case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PeerEvent {
    Message {
        payload: Vec<u8>,
        binary: bool,
    },
    Pong(Bytes),
    /// What came makes no sense at all; the stream is given up without a word.
    Broken,
}

/// See [`PeerEvent::Broken`].
#[derive(Debug)]
pub(super) struct Broken;

/// What is kept between reads.
#[derive(Debug)]
pub(super) struct Receiving {
    input: BytesMut,
    frame: Option<InFrame>,
    inside_message: bool,
    binary: bool,
    compressed: bool,
    message: Vec<u8>,
    /// The message is text, and checked.
    utf8: Option<Utf8>,
    inflater: Option<Inflater>,
    /// The last bytes of the payload as they came.
    tail: [u8; 4],
}

#[derive(Debug)]
struct InFrame {
    header: RawHeader,
    taken: u64,
    control: Vec<u8>,
    /// For the log: what the frame brought, and its beginning.
    brought: usize,
    excerpt: Vec<u8>,
}

impl Receiving {
    pub(super) fn new(inflater: Option<Inflater>) -> Self {
        Self {
            input: BytesMut::new(),
            frame: None,
            inside_message: false,
            binary: false,
            compressed: false,
            message: Vec::new(),
            utf8: None,
            inflater,
            tail: [0; 4],
        }
    }
}

impl Peer {
    /// The buffer to read into.
    pub(crate) fn input(&mut self) -> &mut BytesMut {
        &mut self.receiving.input
    }

    /// The last `len` bytes of the buffer were read.
    pub(crate) fn read(&mut self, len: usize) {
        let input = &self.receiving.input;
        let new = input.get(input.len().saturating_sub(len)..).unwrap_or_default();
        self.log.read(new);
        self.traffic.read(self.state, new.len());
    }

    /// Reads on until something counts for the case; `None` when all was read.
    pub(crate) fn next_event(&mut self, now: Instant) -> Option<PeerEvent> {
        while self.state != State::Closed {
            let Some(frame) = &mut self.receiving.frame else {
                let (header, len) = read_header(&self.receiving.input)?;
                self.receiving.input.advance(len);
                self.check(&header, now);
                if self.state != State::Closed {
                    self.begin(header);
                }
                continue;
            };
            let rest = frame.header.payload_len - frame.taken;
            if rest > 0 && self.receiving.input.is_empty() {
                return None;
            }
            let len = self.receiving.input.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
            let mut bytes = self.receiving.input.split_to(len);
            if let Some(key) = frame.header.masking_key {
                MaskingKey::new(key).apply(usize::try_from(frame.taken % 4).unwrap_or_default(), &mut bytes);
            }
            frame.taken += len as u64;
            let ended = frame.taken == frame.header.payload_len;
            let result = match frame.header.opcode {
                8.. => {
                    frame.control.extend_from_slice(&bytes);
                    Ok(())
                }
                _ => self.data(&bytes, now),
            };
            match result {
                Ok(()) if ended => match self.end(now) {
                    Ok(None) => {}
                    Ok(Some(event)) => return Some(event),
                    Err(Broken) => return Some(PeerEvent::Broken),
                },
                Ok(()) => {}
                Err(Broken) => return Some(PeerEvent::Broken),
            }
        }
        None
    }

    /// Fails the connection for each rule that the header breaks.
    fn check(&mut self, header: &RawHeader, now: Instant) {
        let inside = self.receiving.inside_message;
        let deflate = self.receiving.inflater.is_some();
        let compressed = deflate && header.rsv == 4;
        let masked = header.masking_key.is_some();
        let control = header.opcode > 7;
        let rules = [
            (header.rsv != 0 && !compressed, "reserved bits that were not negotiated"),
            (self.role == Role::Server && !masked, "a frame of a client that is not masked"),
            (self.role == Role::Client && masked, "a frame of a server that is masked"),
            (control && !header.fin, "a fragmented control frame"),
            // A length of 126 or 127 before the length itself breaks this rule already, as in the original suite.
            (
                control && (header.payload_len > 125 || !header.minimal),
                "a control frame with more than 125 bytes",
            ),
            (control && header.opcode > 10, "a reserved opcode"),
            (header.opcode == 8 && header.payload_len == 1, "a Close frame with a payload of one byte"),
            (control && compressed, "a compressed control frame"),
            (!control && header.opcode > 2, "a reserved opcode"),
            (!control && !inside && header.opcode == 0, "a continuation of nothing"),
            (!control && inside && header.opcode != 0, "a new message inside a fragmented one"),
            (!control && inside && compressed, "a continuation that is marked as compressed"),
            (!header.minimal, "a length that is not in its shortest form"),
        ];
        for (_, rule) in rules.into_iter().filter(|(broken, _)| *broken) {
            self.fail(1002, rule, now);
        }
    }

    fn begin(&mut self, header: RawHeader) {
        let receiving = &mut self.receiving;
        if header.opcode <= 7 && !receiving.inside_message {
            receiving.inside_message = true;
            receiving.binary = header.opcode == 2;
            receiving.message.clear();
            receiving.utf8 = (header.opcode == 1).then(Utf8::default);
            receiving.compressed = header.rsv == 4 && receiving.inflater.is_some();
            if let (true, Some(inflater)) = (receiving.compressed, &mut receiving.inflater) {
                inflater.begin();
            }
        }
        receiving.frame =
            Some(InFrame { header, taken: 0, control: Vec::new(), brought: 0, excerpt: Vec::new() });
    }

    /// Part of the payload of a data frame.
    fn data(&mut self, bytes: &[u8], now: Instant) -> Result<(), Broken> {
        let receiving = &mut self.receiving;
        let start = receiving.message.len();
        let inflated = match &mut receiving.inflater {
            Some(inflater) if receiving.compressed => {
                for byte in bytes.get(bytes.len().saturating_sub(4)..).unwrap_or_default() {
                    let [_, second, third, fourth] = receiving.tail;
                    receiving.tail = [second, third, fourth, *byte];
                }
                inflater.inflate(bytes, &mut receiving.message)
            }
            _ => {
                receiving.message.extend_from_slice(bytes);
                Ok(())
            }
        };
        let new = receiving.message.get(start..).unwrap_or_default();
        if self.state == State::Open {
            self.traffic.incoming_websocket += bytes.len() as u64;
            self.traffic.incoming_app += new.len() as u64;
        }
        if let (true, Some(frame)) = (self.log.is_enabled(), &mut receiving.frame) {
            let wanted = EXCERPT.saturating_sub(frame.excerpt.len()).min(new.len());
            frame.excerpt.extend_from_slice(new.get(..wanted).unwrap_or_default());
            frame.brought += new.len();
        }
        let valid = receiving.utf8.as_mut().is_none_or(|utf8| utf8.push(new));
        if !valid {
            self.fail(1007, "text that is not UTF-8", now);
        }
        if self.closing.failed_by_me {
            self.receiving.message.clear();
        }
        // What came out is judged first, as if it had come in a read of its own.
        inflated.map_err(|_| Broken)
    }

    /// A frame is complete.
    fn end(&mut self, now: Instant) -> Result<Option<PeerEvent>, Broken> {
        let Some(frame) = self.receiving.frame.take() else { return Ok(None) };
        let header = frame.header;
        if header.opcode > 7 {
            self.log.received_frame(&header, frame.control.len(), &frame.control);
            match header.opcode {
                8 => self.received_close(&frame.control, now)?,
                9 if self.state == State::Open => self.send_frame(&Frame::new(10, frame.control)),
                10 => return Ok(Some(PeerEvent::Pong(frame.control.into()))),
                _ => {}
            }
            return Ok(None);
        }
        if self.state == State::Open {
            self.traffic.incoming_frames += 1;
        }
        self.log.received_frame(&header, frame.brought, &frame.excerpt);
        if !header.fin {
            return Ok(None);
        }
        let receiving = &mut self.receiving;
        receiving.inside_message = false;
        if let (true, Some(inflater)) = (receiving.compressed, &mut receiving.inflater) {
            if std::mem::take(&mut receiving.tail) == [0x00, 0x00, 0xFF, 0xFF] {
                self.traffic.kept_tails += 1;
            }
            inflater.end(&mut receiving.message).map_err(|_| Broken)?;
        }
        if receiving.utf8.take().is_some_and(|utf8| !utf8.is_complete()) {
            self.fail(1007, "text that ends within a character", now);
        }
        if self.state == State::Open {
            self.traffic.incoming_messages += 1;
        }
        if self.closing.failed_by_me || self.state == State::Closed {
            return Ok(None);
        }
        let payload = std::mem::take(&mut self.receiving.message);
        Ok(Some(PeerEvent::Message { payload, binary: self.receiving.binary }))
    }

    /// Takes back the buffer of a message, so that the next needs no new one.
    pub(crate) fn reuse(&mut self, mut buffer: Vec<u8>) {
        if self.receiving.message.capacity() < buffer.capacity() && !self.receiving.inside_message {
            buffer.clear();
            self.receiving.message = buffer;
        }
    }
}

/// Reads the header at the beginning of `bytes`, and its length; `None` while it is not complete.
fn read_header(bytes: &[u8]) -> Option<(RawHeader, usize)> {
    match Header::decode(bytes) {
        Ok(decoded) => decoded.map(|(header, len)| {
            let raw = RawHeader {
                fin: header.fin,
                rsv: header.reserved_bits(),
                opcode: header.opcode.number(),
                masking_key: header.masking_key.map(MaskingKey::bytes),
                payload_len: header.payload_len,
                minimal: true,
            };
            (raw, len)
        }),
        // Breaks a rule. What follows is still read, because a Close frame may be behind it.
        Err(_) => read_wrong_header(bytes),
    }
}

/// Reads a header that breaks rules.
fn read_wrong_header(bytes: &[u8]) -> Option<(RawHeader, usize)> {
    let [first, second, rest @ ..] = bytes else { return None };
    let (payload_len, minimal, rest) = match second & 0x7F {
        126 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            let len = u16::from_be_bytes(*len);
            (u64::from(len), len > 125, rest)
        }
        127 => {
            let (len, rest) = rest.split_first_chunk::<8>()?;
            let len = u64::from_be_bytes(*len);
            (len, len > 0xFFFF && len >> 63 == 0, rest)
        }
        len => (u64::from(len), true, rest),
    };
    let (masking_key, rest) = match (second & 0x80, rest.split_first_chunk::<4>()) {
        (0, _) => (None, rest),
        (_, key) => {
            let (key, rest) = key?;
            (Some(*key), rest)
        }
    };
    let header = RawHeader {
        fin: first & 0x80 != 0,
        rsv: first >> 4 & 7,
        opcode: first & 0x0F,
        masking_key,
        payload_len,
        minimal,
    };
    Some((header, bytes.len() - rest.len()))
}
