//! Frames as they come and go, with the faults that lie in their headers.

use bytes::{Buf, BytesMut};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use ws_proto::frame::MaskingKey;
use ws_proto::{Entropy, Role};

use super::fault::Fault;

/// A stream with frames on it.
pub(super) struct Wire<S> {
    pub(super) stream: S,
    pub(super) role: Role,
    fault: Fault,
    input: BytesMut,
    masks: Masks,
}

/// What a header says, right or wrong.
pub(super) struct Head {
    pub(super) first: u8,
    pub(super) key: Option<MaskingKey>,
    pub(super) len: u64,
    /// The length is in its shortest form.
    pub(super) minimal: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S, input: BytesMut, role: Role, fault: Fault) -> Self {
        Self { stream, role, fault, input, masks: Masks::new() }
    }

    /// The next header, if all of it has come.
    pub(super) fn head(&mut self) -> Option<Head> {
        let [first, second, rest @ ..] = &self.input[..] else { return None };
        let (len, minimal, rest) = match second & 0x7F {
            126 => {
                let (len, rest) = rest.split_first_chunk()?;
                let len = u16::from_be_bytes(*len);
                (len.into(), len > 125, rest)
            }
            127 => {
                let (len, rest) = rest.split_first_chunk()?;
                let len = u64::from_be_bytes(*len);
                (len, len > 0xFFFF, rest)
            }
            len => (len.into(), true, rest),
        };
        let (key, rest) = match second & 0x80 {
            0 => (None, rest),
            _ => rest.split_first_chunk().map(|(key, rest)| (Some(MaskingKey::new(*key)), rest))?,
        };
        let head = Head { first: *first, key, len, minimal };
        let header_len = self.input.len() - rest.len();
        self.input.advance(header_len);
        Some(head)
    }

    /// What has come of the payload, but no more than all of it.
    pub(super) fn peek(&self, head: &Head) -> Vec<u8> {
        let len = usize::try_from(head.len).unwrap_or(usize::MAX).min(self.input.len());
        let mut payload = self.input[..len].to_vec();
        if let Some(key) = head.key {
            key.apply(0, &mut payload);
        }
        payload
    }

    /// The payload, of which all has come.
    pub(super) fn take(&mut self, payload: &[u8]) {
        self.input.advance(payload.len());
    }

    /// Reads on. `false`: the other end has ended its side, or is silent for longer than any case.
    pub(super) async fn fill(&mut self) -> io::Result<bool> {
        match timeout(PATIENCE, self.stream.read_buf(&mut self.input)).await {
            Ok(read) => Ok(read? > 0),
            Err(_) => Ok(false),
        }
    }

    pub(super) async fn send(&mut self, first: u8, mut payload: Vec<u8>) -> io::Result<()> {
        let key = match (self.role, self.fault) {
            (Role::Server, Fault::MasksItsFrames) => Some([1, 2, 3, 4]),
            (Role::Server, _) | (_, Fault::DoesNotMask) => None,
            (Role::Client, fault) => Some(self.masks.next(fault)),
        };
        let first = if self.fault == Fault::SetsReservedBits { first | 0x20 } else { first };
        let mask = if key.is_some() { 0x80 } else { 0 };
        let mut frame = vec![first];
        match u16::try_from(payload.len()) {
            Ok(len @ 0..=125) if self.fault != Fault::LongLengths => frame.push(mask | len.to_be_bytes()[1]),
            Ok(len) => {
                frame.push(mask | 126);
                frame.extend(len.to_be_bytes());
            }
            Err(_) => {
                frame.push(mask | 127);
                frame.extend((payload.len() as u64).to_be_bytes());
            }
        }
        if let Some(key) = key {
            frame.extend(key);
            MaskingKey::new(key).apply(0, &mut payload);
        }
        frame.extend(payload);
        self.stream.write_all(&frame).await?;
        self.stream.flush().await
    }

    /// Reads away what comes until the other end has ended its side, for this long.
    pub(super) async fn drain(&mut self, patience: Duration) {
        let away = async {
            let mut buffer = [0; 4096];
            while self.stream.read(&mut buffer).await? > 0 {}
            io::Result::Ok(())
        };
        // However it ends, the connection is over.
        let _ = timeout(patience, away).await;
    }
}

/// Where masking keys come from.
struct Masks {
    entropy: Entropy,
    state: u32,
}

impl Masks {
    fn new() -> Self {
        let entropy = Entropy::os();
        let mut seed = [0; 4];
        entropy.fill(&mut seed);
        Self { entropy, state: u32::from_be_bytes(seed) | 1 }
    }

    fn next(&mut self, fault: Fault) -> [u8; 4] {
        match fault {
            Fault::ZeroMasks => return [0; 4],
            Fault::ConstantMask => return [0x37, 0xFA, 0x21, 0x3D],
            Fault::MaskOfTheConnection => {}
            Fault::CountedMasks => self.state = self.state.wrapping_add(1),
            Fault::LinearMasks => {
                self.state ^= self.state << 13;
                self.state ^= self.state >> 17;
                self.state ^= self.state << 5;
            }
            _ => {
                let mut key = [0; 4];
                self.entropy.fill(&mut key);
                return if fault == Fault::MasksOfOneByte { [key[0]; 4] } else { key };
            }
        }
        self.state.to_be_bytes()
    }
}

/// Longer than a case is silent, so that no run waits for ever.
const PATIENCE: Duration = Duration::from_secs(100);
