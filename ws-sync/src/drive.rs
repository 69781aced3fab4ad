//! The drive loop: parse, write, read, look at the timers, and obey the end.

use crate::error::again;
use crate::wire::{Arrived, Patience};
use crate::{Error, Stream, Wait, WebSocket, pool};
use bytes::Buf;
use std::io::ErrorKind;
use std::time::{Duration, Instant};
use ws_proto::{Event, Failure, Transport};

impl<S: Stream> WebSocket<S> {
    /// Drives the connection until `take` wants an event, or to the end: `None` after a clean close. Behind `until` it would block.
    pub(crate) fn next<R>(
        &mut self,
        until: Option<Instant>,
        mut take: impl FnMut(Event<'_>) -> Option<R>,
    ) -> Result<Option<R>, Error> {
        pool::lend(&mut self.connection);
        let outcome = self.drive(until, &mut take);
        pool::reclaim(&mut self.connection);
        outcome
    }

    fn drive<R>(
        &mut self,
        until: Option<Instant>,
        take: &mut impl FnMut(Event<'_>) -> Option<R>,
    ) -> Result<Option<R>, Error> {
        while !self.ended {
            if let Some(found) = self.parse(take) {
                return Ok(Some(found));
            }
            // A peer that never stops sending must not hold up the timers. Not before its bytes were parsed: they prove that it lives.
            if std::mem::take(&mut self.unchecked) && self.is_due() {
                self.connection.handle_timeout(self.now);
                continue;
            }
            self.write_out();
            if self.connection.is_over() && self.shut_down() {
                self.ended = true;
                break;
            }
            if until.is_some_and(|until| until <= self.now) {
                return Err(Error::WouldBlock(self.wait()));
            }
            self.read(until)?;
        }
        self.outcome()
    }

    /// Parses what is there, up to an event that `take` wants.
    fn parse<R>(&mut self, take: &mut impl FnMut(Event<'_>) -> Option<R>) -> Option<R> {
        let mut rest = self.input.rest();
        let mut found = None;
        while found.is_none() {
            let Some(event) = self.connection.poll_event(&mut rest, self.now) else { break };
            found = take(event);
        }
        let left = rest.len();
        self.input.keep(left);
        found
    }

    /// Reads once, to where the bytes belong. An end or error of the stream becomes state of the connection; where nothing came, a timer
    /// may be due, or `until` have come.
    fn read(&mut self, until: Option<Instant>) -> Result<(), Error> {
        let deadline = self.connection.poll_timeout().into_iter().chain(until).min();
        let mut direct = false;
        let arrived = if self.peer_ended {
            // Only the writing is left to wait for, and that has been tried.
            Ok(Arrived::WouldBlock)
        } else if let Some(buf) = self.connection.recv_buf() {
            direct = true;
            self.wire.read(buf, deadline)
        } else {
            let limit = self.connection.recv_limit();
            self.input.fill(|buf| {
                let limit = limit.min(buf.len());
                let arrived = self.wire.read(buf.get_mut(..limit).unwrap_or_default(), deadline);
                (if let Ok(Arrived::Bytes(n)) = arrived { Some(n) } else { None }, arrived)
            })
        };
        self.now = Instant::now();
        match arrived {
            Ok(Arrived::Bytes(n)) => {
                self.unchecked = true;
                self.stalled = None;
                if direct {
                    self.connection.received(n, self.now);
                }
            }
            Ok(Arrived::End) => self.end_input(),
            Ok(Arrived::Nothing | Arrived::WouldBlock) if self.is_due() => {
                self.connection.handle_timeout(self.now)
            }
            Ok(Arrived::Nothing) => {}
            Ok(Arrived::WouldBlock) => return Err(Error::WouldBlock(self.wait())),
            Err(error) => {
                // Behind the end of the connection the peer owes us nothing, and may well reset the stream.
                if !self.connection.is_over() {
                    self.broken.get_or_insert(error);
                }
                self.end_input();
            }
        }
        Ok(())
    }

    fn end_input(&mut self) {
        self.peer_ended = true;
        self.connection.handle_eof(self.now);
    }

    fn is_due(&self) -> bool {
        self.connection.poll_timeout().is_some_and(|deadline| deadline <= self.now)
    }

    /// Writes what is queued. False where the stream takes no more now. After an error nothing can be written any more, and what is
    /// queued is dropped; what the peer has sent can still be read, its Close frame perhaps.
    pub(crate) fn write_out(&mut self) -> bool {
        if self.broken.is_none() {
            let patience = self.patience();
            let before = self.unsent_bytes();
            match self.wire.write(self.connection.transmit(), patience) {
                Ok(all) => {
                    let left = self.unsent_bytes();
                    if all || left == 0 {
                        // If not all, it waits in a queue of the stream's own.
                        self.stalled = None;
                        return all;
                    }
                    if !self.has_stalled(left < before) {
                        return false;
                    }
                    self.broken = Some(ErrorKind::TimedOut.into());
                }
                Err(error) => self.broken = Some(error),
            }
            if !self.connection.is_open() {
                // That may have been the end of its patience: then it is to be closed, whatever is left to write.
                self.connection.handle_timeout(Instant::now());
            }
        }
        self.stalled = None;
        self.wire.take_unsent();
        let transmit = self.connection.transmit();
        transmit.advance(transmit.len());
        true
    }

    /// For calls that write and do not read: writes what is queued, and where that takes long, sees to the timers.
    pub(crate) fn write_out_in_time(&mut self) -> bool {
        let all = self.write_out();
        if !all {
            let now = Instant::now();
            if self.connection.poll_timeout().is_some_and(|deadline| deadline <= now) {
                self.connection.handle_timeout(now);
            }
        }
        all
    }

    /// A non-blocking stream takes no more now; `moved` tells whether it took some before. Is it time to give it up?
    fn has_stalled(&mut self, moved: bool) -> bool {
        let now = Instant::now();
        if moved || self.stalled.is_none() {
            self.stalled = Some(now);
        }
        self.stalled_until().is_some_and(|deadline| deadline <= now)
    }

    /// How long a peer may go on taking nothing and (in calls that read) sending nothing.
    fn stalled_until(&self) -> Option<Instant> {
        match self.patience() {
            Patience::Stalled(most) => self.stalled?.checked_add(most),
            // A connection that is closing has a deadline for everything.
            Patience::Until(_) | Patience::Forever => None,
        }
    }

    fn unsent_bytes(&mut self) -> usize {
        self.wire.head_bytes() + self.connection.transmit().len()
    }

    /// How long a write that blocks may take: an open connection waits for a slow peer, but not for one that takes nothing at all.
    fn patience(&self) -> Patience {
        let config = self.connection.config();
        match self.connection.poll_timeout() {
            _ if self.connection.is_open() => config
                .ping_interval()
                .map_or(Patience::Forever, |_| Patience::Stalled(config.pong_timeout().max(MOMENT))),
            Some(deadline) => Patience::Until(deadline),
            None => Patience::Stalled(MOMENT),
        }
    }

    /// Obeys the end of the connection. True when nothing is left to be done with the stream.
    fn shut_down(&mut self) -> bool {
        let transport = self.connection.transport();
        let in_time = self.connection.poll_timeout().is_some();
        if transport == Transport::KeepOpen || (in_time && self.wire.has_unsent()) {
            return false;
        }
        let is_shut = self.wire.shutdown_write();
        match transport {
            // Where our side cannot be ended alone, the peer would wait for the end as we would.
            Transport::KeepOpen | Transport::ShutdownWrite => is_shut.is_err(),
            // The peer, or the time, is gone: nobody is left to be told.
            Transport::Close => !matches!(is_shut, Ok(false)) || self.peer_ended || !in_time,
        }
    }

    /// How the connection ended.
    fn outcome<R>(&self) -> Result<Option<R>, Error> {
        match (self.connection.failure(), &self.broken) {
            (None, _) => Ok(None),
            (Some(Failure::EndOfStream), Some(error)) => Err(Error::Io(again(error))),
            (Some(Failure::Timeout(_)), Some(error)) if error.kind() != ErrorKind::TimedOut => {
                Err(Error::Io(again(error)))
            }
            (Some(failure), _) => Err(Error::Failed(failure.clone())),
        }
    }

    pub(crate) fn wait(&mut self) -> Wait {
        if self.ended {
            return Wait::default();
        }
        let queued = self.wire.has_unsent() || !self.connection.transmit().is_empty();
        Wait {
            readable: !self.peer_ended,
            writable: self.wire.stream.wants_write(queued),
            deadline: self.connection.poll_timeout().into_iter().chain(self.stalled_until()).min(),
        }
    }
}

/// The least time that a peer is given.
const MOMENT: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Plain;
    use ws_proto::{Negotiated, Role};
    use ws_testkit::ScriptedIo;
    use ws_testkit::raw::RawFrame;

    #[test]
    fn a_socket_that_waits_owns_no_buffer_and_one_with_input_left_keeps_it() {
        let (io, peer) = ScriptedIo::new();
        let config = ws_testkit::config().build().unwrap();
        let mut ws = WebSocket::from_parts(Plain(io), Vec::new(), Negotiated::new(Role::Client), config);
        let frame = RawFrame::text("text").to_bytes();
        peer.send([&frame[..], &frame, &frame[..3]].concat());
        assert_eq!(ws.recv().unwrap(), Some("text".into()));
        assert_eq!(ws.input.rest().len(), frame.len() + 3);
        assert_eq!(ws.recv().unwrap(), Some("text".into()));
        assert!(ws.recv().unwrap_err().would_block().is_some());
        assert!(!ws.input.owns_memory(), "the connection keeps the part of a frame itself");
        peer.send(&frame[3..]);
        assert_eq!(ws.recv().unwrap(), Some("text".into()));
        assert!(!ws.input.owns_memory());
    }
}
