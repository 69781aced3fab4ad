//! Clients that do not behave.

use anyhow::Result;
use flate2::{Compress, Compression, FlushCompress};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use ws_benches::Opening;

/// What a hostile client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Never finishes the opening handshake: a byte now and then.
    Handshake,
    /// Stops in the middle of a message, and answers no ping.
    Stall,
    /// Sends to be answered, and never reads.
    NeverRead,
    /// Pings, just below what is allowed.
    Pings,
    /// A message of fragments of one byte.
    Fragments,
    /// A message of empty frames.
    EmptyFrames,
    /// Compressed messages of a thousand times their size.
    Bomb,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Handshake,
        Self::Stall,
        Self::NeverRead,
        Self::Pings,
        Self::Fragments,
        Self::EmptyFrames,
        Self::Bomb,
    ];
}

/// What each kind sends, made once.
pub(crate) struct Arsenal {
    address: SocketAddr,
    plain: Opening,
    deflate: Opening,
    stall: Vec<u8>,
    messages: Vec<u8>,
    pings: Vec<u8>,
    first: Vec<u8>,
    fragments: Vec<u8>,
    empty: Vec<u8>,
    bomb: Vec<u8>,
}

impl Arsenal {
    pub(crate) fn new(address: SocketAddr) -> Result<Arc<Self>> {
        let mut zeros = Vec::with_capacity(64 << 10);
        Compress::new(Compression::best(), false).compress_vec(
            &vec![0; 16 << 20],
            &mut zeros,
            FlushCompress::Sync,
        )?;
        zeros.truncate(zeros.len().saturating_sub(4));
        let mut stall = header(0x82, 60_000);
        stall.extend([0; 100]);
        Ok(Arc::new(Self {
            address,
            plain: Opening::new(address, false),
            deflate: Opening::new(address, true),
            stall,
            messages: frame(0x82, &[0; 1024]).repeat(32),
            pings: frame(0x89, &[0; 125]).repeat(200),
            first: frame(0x02, b"a"),
            fragments: frame(0x00, b"a").repeat(200),
            empty: frame(0x00, b"").repeat(200),
            bomb: frame(0xC2, &zeros),
        }))
    }
}

/// One hostile client. It comes back when it was thrown out.
pub(crate) struct Hostile {
    kind: Kind,
    arsenal: Arc<Arsenal>,
    stream: Option<TcpStream>,
    /// On its way out: what, and how much of it was taken.
    sending: (Vec<u8>, usize),
    steps: usize,
    not_before: Instant,
}

impl Hostile {
    pub(crate) fn new(kind: Kind, arsenal: Arc<Arsenal>) -> Self {
        Self { kind, arsenal, stream: None, sending: (Vec::new(), 0), steps: 0, not_before: Instant::now() }
    }

    pub(crate) const fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    /// Closes, and stays away for now.
    pub(crate) fn hang_up(&mut self) {
        self.stream = None;
        self.not_before = Instant::now();
    }

    /// One step. True when it was thrown out.
    pub(crate) fn step(&mut self, buffer: &mut [u8]) -> Result<bool> {
        let Some(stream) = &mut self.stream else {
            if Instant::now() >= self.not_before {
                let stream = TcpStream::connect(self.arsenal.address)?;
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                self.stream = Some(stream);
                (self.sending, self.steps) = ((self.opening(), 0), 0);
            }
            return Ok(false);
        };
        let mut alive = true;
        if self.kind != Kind::NeverRead {
            loop {
                match stream.read(buffer) {
                    Ok(0) => alive = false,
                    Ok(_) => continue,
                    Err(error) => alive &= error.kind() == ErrorKind::WouldBlock,
                }
                break;
            }
        }
        if self.sending.1 == self.sending.0.len() {
            self.steps += 1;
            self.sending = (self.next(), 0);
        }
        if let (Some(stream), Some(rest)) = (&mut self.stream, self.sending.0.get(self.sending.1..))
            && !rest.is_empty()
        {
            match stream.write(rest) {
                Ok(n) => self.sending.1 += n,
                Err(error) => alive &= error.kind() == ErrorKind::WouldBlock,
            }
        }
        if !alive {
            self.stream = None;
            self.not_before = Instant::now() + COMES_BACK;
        }
        Ok(!alive)
    }

    fn opening(&self) -> Vec<u8> {
        match self.kind {
            Kind::Handshake => b"GET / HTTP/1.1\r\nHost: h\r\nx-slow: ".to_vec(),
            Kind::Bomb => self.arsenal.deflate.request().to_vec(),
            _ => self.arsenal.plain.request().to_vec(),
        }
    }

    fn next(&self) -> Vec<u8> {
        let is_first = self.steps == 1;
        match self.kind {
            Kind::Handshake => b"s".to_vec(),
            Kind::Stall if is_first => self.arsenal.stall.clone(),
            Kind::Stall => Vec::new(),
            Kind::NeverRead => self.arsenal.messages.clone(),
            Kind::Pings => self.arsenal.pings.clone(),
            Kind::Fragments | Kind::EmptyFrames if is_first => self.arsenal.first.clone(),
            Kind::Fragments => self.arsenal.fragments.clone(),
            Kind::EmptyFrames => self.arsenal.empty.clone(),
            Kind::Bomb => self.arsenal.bomb.clone(),
        }
    }
}

/// The header of a client's frame, with a key of zeros: payloads stay as they are.
fn header(first: u8, len: usize) -> Vec<u8> {
    let mut header = vec![first];
    match u8::try_from(len) {
        Ok(len @ 0..=125) => header.push(0x80 | len),
        _ => {
            header.push(0x80 | 126);
            header.extend(u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    header.extend([0; 4]);
    header
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len());
    frame.extend(payload);
    frame
}

/// How long a client that was thrown out stays away.
const COMES_BACK: Duration = Duration::from_secs(1);
