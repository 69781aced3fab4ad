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
        let began = thread_time();
        self.feed(input.chunks_mut(usize::MAX))?;
        Ok(thread_time().saturating_sub(began))
    }

    /// Parses it as it comes from a socket, in a buffer that is used again.
    ///
    /// # Errors
    /// Other messages come than were written.
    pub fn parse_in_pieces(&self) -> Result<()> {
        let mut input = self.wire.clone();
        self.feed(input.chunks_mut(PIECE))
    }

    fn feed<'a>(&self, pieces: impl Iterator<Item = &'a mut [u8]>) -> Result<()> {
        let now = Instant::now();
        let mut connection = Connection::new(Negotiated::new(Role::Server), Config::default(), now);
        let (mut messages, mut bytes) = (0, 0);
        for mut piece in pieces {
            while let Some(event) = connection.poll_event(&mut piece, now) {
                if let Event::Message(message) = event {
                    messages += 1;
                    bytes += message.as_bytes().len();
                }
            }
        }
        ensure!(
            (messages, bytes) == (self.messages, self.payload_bytes),
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
