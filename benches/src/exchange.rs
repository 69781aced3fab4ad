//! A burst of messages, and the reply that proves it was understood.

use crate::frame::{masked, parse, unmasked};
use crate::inflate::{compress, decompress};
use crate::{Opening, Payload};
use anyhow::{Result, ensure};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// What a connection sends at once, and the bytes that must come back.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// `messages` frames, one behind the other.
    pub request: Vec<u8>,
    /// Exactly what a correct server answers.
    pub reply: Vec<u8>,
    /// How many messages the reply has.
    pub messages: u64,
    /// How many members of a room send the request at once.
    pub speakers: usize,
}

impl Exchange {
    /// With an echo server.
    #[must_use]
    pub fn echo(payload: Payload, len: usize, messages: usize) -> Self {
        let bytes = payload.bytes(len);
        let opcode = payload.opcode();
        Self::repeated(&masked(opcode, false, &bytes), &unmasked(opcode, &bytes), messages)
    }

    /// With a server that returns what it gets, frames or not.
    #[must_use]
    pub fn raw(payload: Payload, len: usize, messages: usize) -> Self {
        let frame = masked(payload.opcode(), false, &payload.bytes(len));
        Self::repeated(&frame, &frame, messages)
    }

    /// With an echo server that compresses as it likes: one reply is asked for, inflated and compared. As no context is taken over, every
    /// other must have the same bytes.
    ///
    /// # Errors
    /// The server answers something else.
    pub fn compressed_echo(
        address: SocketAddr,
        payload: Payload,
        len: usize,
        messages: usize,
    ) -> Result<Self> {
        let bytes = payload.bytes(len);
        let frame = masked(payload.opcode(), true, &compress(&bytes)?);
        let mut stream = TcpStream::connect(address)?;
        Opening::new(address, true).make(&mut stream)?;
        stream.write_all(&frame)?;
        let mut reply = Vec::new();
        let parsed = loop {
            if let Some(parsed) = parse(&reply) {
                break parsed;
            }
            let mut chunk = [0; 4096];
            let n = stream.read(&mut chunk)?;
            ensure!(n > 0, "the server hung up before its reply");
            reply.extend(&chunk[..n]);
        };
        ensure!(parsed.end == reply.len(), "bytes behind the reply");
        let body = &reply[parsed.start..parsed.end];
        let is_compressed = parsed.first_byte == 0xc0 | payload.opcode();
        ensure!(is_compressed, "a reply that is not compressed: {:#x}", parsed.first_byte);
        ensure!(decompress(body, len + 1)? == bytes, "another message came back");
        Ok(Self::repeated(&frame, &reply, messages))
    }

    /// The same in a room where so many members speak at once, and all hear what each of them says.
    #[must_use]
    pub fn by(self, speakers: usize) -> Self {
        let reply = self.reply.repeat(speakers);
        Self { reply, messages: self.messages * speakers as u64, speakers, ..self }
    }

    fn repeated(request: &[u8], reply: &[u8], messages: usize) -> Self {
        Self {
            request: request.repeat(messages),
            reply: reply.repeat(messages),
            messages: messages as u64,
            speakers: 1,
        }
    }
}
