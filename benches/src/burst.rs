//! Many small pieces, for a server to parse.

use crate::frame::{BINARY, masked};
use anyhow::{Result, ensure};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};
use ws_proto::{Config, Connection, Event, Negotiated, Role};

/// Frames of a client, one behind the other.
#[derive(Clone, Debug)]
pub struct Burst {
    wire: Vec<u8>,
    messages: usize,
    payload_bytes: usize,
}

impl Burst {
    /// A small message in each frame.
    #[must_use]
    pub fn frames(count: usize) -> Self {
        Self {
            wire: masked(BINARY, false, &[7; LEN]).repeat(count),
            messages: count,
            payload_bytes: count * LEN,
        }
    }

    /// One message, in small fragments.
    #[must_use]
    pub fn fragments(count: usize) -> Self {
        let mut wire = Vec::new();
        for number in 0..count {
            let mut frame = masked(if number == 0 { BINARY } else { CONTINUATION }, false, &[7; LEN]);
            if number + 1 < count {
                // Not the last: FIN is not set (RFC 6455 §5.2).
                frame[0] &= 0x7f;
            }
            wire.extend(frame);
        }
        Self { wire, messages: 1, payload_bytes: count * LEN }
    }

    /// Bytes of all payloads.
    #[must_use]
    pub const fn payload_bytes(&self) -> usize {
        self.payload_bytes
    }

    /// Parses it as one input; returns the CPU time that took.
    ///
    /// # Errors
    /// Other messages come than were written.
    pub fn parse(&self) -> Result<Duration> {
        let mut input = self.wire.clone();
        let mut reading = Reading::new();
        let began = thread_time();
        reading.take(&mut input);
        let took = thread_time().saturating_sub(began);
        reading.check(self)?;
        Ok(took)
    }

    /// Parses it as it comes from a socket, in a buffer that is used again.
    ///
    /// # Errors
    /// Other messages come than were written.
    pub fn parse_in_pieces(&self) -> Result<()> {
        let mut buffer = [0; PIECE];
        let mut reading = Reading::new();
        for piece in self.wire.chunks(PIECE) {
            let (input, _) = buffer.split_at_mut(piece.len());
            input.copy_from_slice(piece);
            reading.take(input);
        }
        reading.check(self)
    }
}

/// A connection that reads a burst.
struct Reading {
    connection: Connection,
    now: Instant,
    messages: usize,
    bytes: usize,
}

impl Reading {
    fn new() -> Self {
        let now = Instant::now();
        let connection = Connection::new(Negotiated::new(Role::Server), Config::default(), now);
        Self { connection, now, messages: 0, bytes: 0 }
    }

    fn take(&mut self, mut input: &mut [u8]) {
        while let Some(event) = self.connection.poll_event(&mut input, self.now) {
            if let Event::Message(message) = event {
                self.messages += 1;
                self.bytes += message.as_bytes().len();
            }
        }
    }

    fn check(&self, burst: &Burst) -> Result<()> {
        let (messages, bytes) = (self.messages, self.bytes);
        ensure!(
            (messages, bytes) == (burst.messages, burst.payload_bytes),
            "{messages} messages, {bytes} bytes"
        );
        Ok(())
    }
}

/// CPU time of this thread.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Bytes of a payload.
const LEN: usize = 16;
/// Bytes of a read.
const PIECE: usize = 16 << 10;
const CONTINUATION: u8 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pieces_are_understood() {
        for burst in [Burst::frames(2_000), Burst::fragments(2_000)] {
            burst.parse().unwrap();
            burst.parse_in_pieces().unwrap();
        }
    }
}
