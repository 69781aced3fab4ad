//! One end of a simulated connection: what drives it.

use super::line::{Line, Read};
use super::wire::Wire;
use super::{Application, Weather};
use crate::{Observed, Rng};
use bytes::{Buf, BytesMut};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;
use ws_proto::{Config, Connection, Input, Negotiated, Pool, Transport};

/// One end of a simulated connection: the connection, the application on it, and what was seen of both.
#[derive(Debug)]
pub struct Endpoint<A> {
    /// The connection.
    pub connection: Connection,
    /// What uses it.
    pub application: A,
    weather: Weather,
    rng: Rng,
    wire: Wire,
    /// What it ended with, and when.
    outcome: Option<(Instant, Observed)>,
    /// Not driven before: it is late, or sleeps.
    not_before: Instant,
    write_ended: bool,
    closed: Option<Instant>,
    /// The first rule that was broken here.
    fault: Option<String>,
}

impl<A: Application> Endpoint<A> {
    pub(super) fn new(
        (negotiated, config, application): (Negotiated, Arc<Config>, A),
        weather: Weather,
        rng: Rng,
        now: Instant,
    ) -> Self {
        Self {
            wire: Wire::new(negotiated.role(), compresses(&negotiated)),
            connection: Connection::new(negotiated, config, now),
            application,
            weather,
            rng,
            outcome: None,
            not_before: now,
            write_ended: false,
            closed: None,
            fault: None,
        }
    }

    /// The event that it ended with, `Closed` or `Failed`; `None` before.
    pub fn outcome(&self) -> Option<&Observed> {
        self.outcome.as_ref().map(|(_, event)| event)
    }

    /// When it told that.
    pub fn ended_at(&self) -> Option<Instant> {
        self.outcome.as_ref().map(|(at, _)| *at)
    }

    /// When it closed its transport; `None` before.
    pub const fn closed_at(&self) -> Option<Instant> {
        self.closed
    }

    /// How many bytes it wrote.
    pub const fn written(&self) -> u64 {
        self.wire.bytes()
    }

    /// The first rule that this end broke, as a sentence: what it wrote is illegal, it told two ends, a deadline that has passed stays.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// The payload of its Close frame, where it wrote one.
    pub(super) fn close_written(&self) -> Option<&[u8]> {
        self.wire.close()
    }

    /// A number that differs where anything that was written differs.
    pub(super) const fn fingerprint(&self) -> u64 {
        self.wire.fingerprint()
    }

    /// When it has something to do.
    pub(super) fn due(&mut self, inbound: &Line, outbound: &Line) -> Option<Instant> {
        if self.closed.is_some() {
            return None;
        }
        let can_write = !self.write_ended && outbound.room() > 0 && !self.connection.transmit().is_empty();
        let can_end = match self.connection.transport() {
            Transport::KeepOpen => false,
            Transport::ShutdownWrite => !self.write_ended,
            Transport::Close => true,
        };
        let wants = [
            self.application.wake_at(&self.connection),
            inbound.next_arrival(),
            self.connection.poll_timeout(),
            (can_write || can_end).then_some(self.not_before),
        ];
        wants.into_iter().flatten().min().map(|at| at.max(self.not_before))
    }

    /// What a driver does in one turn: the application's wishes, then write, obey, read, and look at the time.
    /// Returns whether it wrote what nobody will read.
    pub(super) fn turn(
        &mut self,
        inbound: &mut Line,
        outbound: &mut Line,
        pool: &mut Pool,
        now: Instant,
    ) -> bool {
        self.connection.lend(pool);
        if self.application.wake_at(&self.connection).is_some_and(|at| at <= now) {
            self.application.act(&mut self.connection, now);
        }
        let in_vain = self.write(outbound, now);
        self.obey(inbound, outbound, now);
        if self.closed.is_none() && !self.read(inbound, now) {
            self.time(now);
        }
        self.connection.reclaim(pool);
        self.not_before = now + self.weather.late(&mut self.rng) + self.application.nap();
        in_vain
    }

    pub(super) fn complain(&mut self, fault: impl FnOnce() -> String) {
        self.fault.get_or_insert_with(fault);
    }

    fn write(&mut self, outbound: &mut Line, now: Instant) -> bool {
        loop {
            let transmit = self.connection.transmit();
            let n = self.weather.piece(&mut self.rng, transmit.len().min(outbound.room()));
            if n == 0 || self.write_ended {
                return false;
            }
            let bytes = gather(transmit, n);
            if outbound.is_gone() {
                // The write fails: what is queued goes nowhere.
                let transmit = self.connection.transmit();
                transmit.advance(transmit.len());
                return true;
            }
            if let Err(fault) = self.wire.push(&bytes) {
                self.complain(|| format!("it wrote what is not legal: {fault}"));
            }
            outbound.write(bytes, now);
        }
    }

    fn obey(&mut self, inbound: &mut Line, outbound: &mut Line, now: Instant) {
        let transport = self.connection.transport();
        if transport == Transport::Close {
            self.closed = Some(now);
            let unread = inbound.abandon();
            if unread {
                outbound.reset(now)
            } else {
                outbound.end(now)
            }
            self.write_ended = true;
        } else if transport == Transport::ShutdownWrite && !self.write_ended {
            self.write_ended = true;
            outbound.end(now);
        }
    }

    /// Reads once; false where nothing has come.
    fn read(&mut self, inbound: &mut Line, now: Instant) -> bool {
        match inbound.read(usize::MAX, now) {
            Read::Nothing => return false,
            Read::End => {
                self.connection.handle_eof(now);
                self.poll(&mut [].as_mut_slice(), now);
            }
            Read::Bytes(mut bytes) => match self.rng.below(3) {
                0 => {
                    let mut rest = bytes.as_slice();
                    while let Some(room) = self.connection.recv_buf().filter(|_| !rest.is_empty()) {
                        let (front, back) = rest.split_at(room.len().min(rest.len()));
                        room.iter_mut().zip(front).for_each(|(slot, byte)| *slot = *byte);
                        rest = back;
                        self.connection.received(front.len(), now);
                        self.poll(&mut [].as_mut_slice(), now);
                    }
                    self.poll(&mut rest.to_vec().as_mut_slice(), now);
                }
                1 => self.poll(&mut BytesMut::from(bytes.as_slice()), now),
                _ => self.poll(&mut bytes.as_mut_slice(), now),
            },
        }
        true
    }

    fn time(&mut self, now: Instant) {
        if self.connection.poll_timeout().is_none_or(|deadline| deadline > now) {
            return;
        }
        self.connection.handle_timeout(now);
        self.poll(&mut [].as_mut_slice(), now);
        // The first expiry of a pong's deadline may make it due once more, at once; see `Timers`.
        if self.connection.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.connection.handle_timeout(now);
            self.poll(&mut [].as_mut_slice(), now);
            let due = self.connection.poll_timeout().is_some_and(|deadline| deadline <= now);
            if due && self.connection.transport() != Transport::Close {
                self.complain(|| "a deadline that has passed stays there".into());
            }
        }
    }

    fn poll<'b, I: Input<'b>>(&mut self, input: &mut I, now: Instant) {
        while let Some(event) = self.connection.poll_event(input, now) {
            let event = Observed::from(event);
            if let Some((_, ended)) = &self.outcome {
                let fault = format!("it told {event:?} behind its end, {ended:?}");
                self.complain(|| fault);
                return;
            }
            if event.is_terminal() {
                self.outcome = Some((now, event.clone()));
            }
            self.application.handle(event, &mut self.connection, now);
        }
    }
}

#[cfg(feature = "deflate")]
const fn compresses(negotiated: &Negotiated) -> bool {
    negotiated.deflate().is_some()
}

#[cfg(not(feature = "deflate"))]
const fn compresses(_: &Negotiated) -> bool {
    false
}

/// Takes `n` bytes, from one chunk or gathered.
fn gather(transmit: &mut ws_proto::Transmit, n: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(n);
    while bytes.len() < n && transmit.has_remaining() {
        let mut slices = [IoSlice::new(&[]); 3];
        let filled = transmit.chunks_vectored(&mut slices);
        let before = bytes.len();
        for slice in slices.iter().take(filled) {
            bytes.extend(slice.iter().take(n - bytes.len()));
        }
        transmit.advance(bytes.len() - before);
    }
    bytes
}
