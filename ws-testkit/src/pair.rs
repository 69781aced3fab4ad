//! Two connections driven against each other under a simulated clock.

use crate::feed::poll;
use crate::{Chunks, Clock, Observed};
use bytes::Buf;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use ws_proto::{Config, Connection, Negotiated, Role, Transport};

/// A client and a server, joined by a simulated line. Time stands still until it is told to run; then it jumps from deadline to
/// deadline, so an hour costs no time and every run is the same.
#[derive(Debug)]
pub struct SimPair {
    /// The time of both.
    pub clock: Clock,
    /// The client's end.
    pub client: End,
    /// The server's end.
    pub server: End,
    /// How long bytes are under way in one direction. Default: no time.
    pub latency: Duration,
    is_cut: bool,
}

/// One end: a connection, what drives it, and its half of the transport.
#[derive(Debug)]
pub struct End {
    /// The connection, to be used directly as well.
    pub connection: Connection,
    /// All that it told so far; clear it at will.
    pub events: Vec<Observed>,
    /// Everything that it wrote.
    pub sent: Vec<u8>,
    /// The sizes of its reads.
    pub reads: Chunks,
    /// The sizes of its writes.
    pub writes: Chunks,
    /// How many more bytes its kernel takes; `None` takes all. A slow peer in numbers.
    pub write_room: Option<usize>,
    /// Is the application busy? Then nothing is read, written or timed here, while bytes pile up.
    pub is_busy: bool,
    /// On its way to this end, each with the time of its arrival.
    inbox: VecDeque<(Instant, Packet)>,
    write_ended: bool,
    is_closed: bool,
}

#[derive(Debug)]
enum Packet {
    Bytes(Vec<u8>),
    End,
}

impl SimPair {
    /// Both ends with these settings, without extensions.
    #[must_use]
    pub fn new(config: impl Into<Arc<Config>>) -> Self {
        let config = config.into();
        let negotiated = [Negotiated::new(Role::Client), Negotiated::new(Role::Server)];
        Self::with(negotiated, [Arc::clone(&config), config])
    }

    /// The client and the server with what each knows of the handshake, and the settings of each.
    #[must_use]
    pub fn with(negotiated: [Negotiated; 2], configs: [Arc<Config>; 2]) -> Self {
        let clock = Clock::new();
        let [client, server] = negotiated;
        let [client_config, server_config] = configs;
        let end = |negotiated, config| End::new(Connection::new(negotiated, config, clock.now()));
        let (client, server) = (end(client, client_config), end(server, server_config));
        Self { clock, client, server, latency: Duration::ZERO, is_cut: false }
    }

    /// The end of this role.
    pub const fn end(&mut self, role: Role) -> &mut End {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    /// Cuts the line: what is sent from now on vanishes, and nobody is told.
    pub const fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Puts raw bytes on the line to the end of `role`, as if the other end had sent them.
    pub fn inject(&mut self, role: Role, bytes: impl AsRef<[u8]>) {
        let arrival = (self.clock.now() + self.latency, Packet::Bytes(bytes.as_ref().to_vec()));
        self.end(role).inbox.push_back(arrival);
    }

    /// Ends the stream to the end of `role`, as if the other end had shut down its write side.
    pub fn inject_end(&mut self, role: Role) {
        let arrival = (self.clock.now() + self.latency, Packet::End);
        self.end(role).inbox.push_back(arrival);
    }

    /// Moves bytes and fires timers until nothing more happens at this instant.
    ///
    /// # Panics
    /// When it never settles: a timer that is due does nothing and stays due.
    pub fn settle(&mut self) {
        for _ in 0..UNSETTLED {
            let client_moved = self.step(Role::Client);
            if !self.step(Role::Server) && !client_moved {
                return;
            }
        }
        panic!("the pair does not settle: a deadline in the past stays there");
    }

    /// Lets `time` pass.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.clock.now() + time;
        loop {
            self.settle();
            match self.next_deadline() {
                Some(deadline) if deadline <= end => self.clock.jump_to(deadline),
                _ => break,
            }
        }
        self.clock.jump_to(end);
        self.settle();
    }

    /// Lets time pass until both ends closed their transport; returns how long that took.
    ///
    /// # Panics
    /// When there is nothing more to wait for, or a day has passed.
    pub fn run_until_closed(&mut self) -> Duration {
        let begin = self.clock.elapsed();
        loop {
            self.settle();
            let taken = self.clock.elapsed() - begin;
            if self.client.is_closed && self.server.is_closed {
                return taken;
            }
            match self.next_deadline() {
                Some(deadline) if taken < Duration::from_secs(86_400) => self.clock.jump_to(deadline),
                _ => panic!(
                    "an end stays open: client {}, server {}",
                    !self.client.is_closed, !self.server.is_closed
                ),
            }
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        [&self.client, &self.server].into_iter().filter_map(End::next_deadline).min()
    }

    /// What a driver does in one turn: write, obey, read, look at the time. Returns whether anything happened.
    fn step(&mut self, role: Role) -> bool {
        let now = self.clock.now();
        let (near, far) = match role {
            Role::Client => (&mut self.client, &mut self.server),
            Role::Server => (&mut self.server, &mut self.client),
        };
        if near.is_busy || near.is_closed {
            return false;
        }
        let mut moved = false;
        let written = near.write();
        if !written.is_empty() {
            moved = true;
            if !self.is_cut {
                far.inbox.push_back((now + self.latency, Packet::Bytes(written)));
            }
        }
        let transport = near.connection.transport();
        if transport != Transport::KeepOpen && !near.write_ended {
            near.write_ended = true;
            moved = true;
            if !self.is_cut {
                far.inbox.push_back((now + self.latency, Packet::End));
            }
        }
        if transport == Transport::Close {
            near.is_closed = true;
            return true;
        }
        // Reading comes before the timers, as in a driver that asks its socket first: a late answer is found in time.
        moved | near.read(now) | near.time(now)
    }
}

impl End {
    fn new(connection: Connection) -> Self {
        Self {
            connection,
            events: Vec::new(),
            sent: Vec::new(),
            reads: Chunks::whole(),
            writes: Chunks::whole(),
            write_room: None,
            is_busy: false,
            inbox: VecDeque::new(),
            write_ended: false,
            is_closed: false,
        }
    }

    /// Did it close its transport?
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Did it end its write side, or close?
    #[must_use]
    pub const fn is_write_ended(&self) -> bool {
        self.write_ended
    }

    /// Bytes that arrived, or will, and were not read.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.inbox
            .iter()
            .map(|(_, packet)| if let Packet::Bytes(bytes) = packet { bytes.len() } else { 0 })
            .sum()
    }

    fn next_deadline(&self) -> Option<Instant> {
        if self.is_closed || self.is_busy {
            return None;
        }
        let arrival = self.inbox.front().map(|(at, _)| *at);
        self.connection.poll_timeout().into_iter().chain(arrival).min()
    }

    /// One write, as long as the kernel takes something.
    fn write(&mut self) -> Vec<u8> {
        if self.write_ended {
            return Vec::new();
        }
        let transmit = self.connection.transmit();
        let room = self.write_room.unwrap_or(usize::MAX).min(transmit.chunk().len());
        let n = self.writes.size(room);
        let written: Vec<u8> = transmit.chunk().iter().take(n).copied().collect();
        transmit.advance(n);
        if let Some(room) = &mut self.write_room {
            *room -= n;
        }
        self.sent.extend_from_slice(&written);
        written
    }

    /// One read, of what has arrived.
    fn read(&mut self, now: Instant) -> bool {
        match self.inbox.front_mut() {
            Some((at, packet)) if *at <= now => match packet {
                Packet::Bytes(bytes) => {
                    let mut chunk: Vec<u8> = bytes.drain(..self.reads.size(bytes.len())).collect();
                    if bytes.is_empty() {
                        self.inbox.pop_front();
                    }
                    poll(&mut self.connection, &mut chunk, now, &mut self.events);
                }
                Packet::End => {
                    self.inbox.pop_front();
                    self.connection.handle_eof(now);
                    poll(&mut self.connection, &mut Vec::new(), now, &mut self.events);
                }
            },
            _ => return false,
        }
        true
    }

    fn time(&mut self, now: Instant) -> bool {
        if self.connection.poll_timeout().is_none_or(|deadline| deadline > now) {
            return false;
        }
        self.connection.handle_timeout(now);
        poll(&mut self.connection, &mut Vec::new(), now, &mut self.events);
        true
    }
}

/// Many more turns than a megabyte in single bytes takes.
const UNSETTLED: usize = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use ws_proto::CloseCode;

    #[test]
    fn bytes_cross_in_pieces_and_after_their_latency() {
        let mut pair = SimPair::new(config().build().unwrap());
        pair.latency = Duration::from_millis(70);
        (pair.client.writes, pair.server.reads) = (Chunks::of(3), Chunks::random(1, 2));
        pair.client.connection.send("Hello".into()).unwrap();
        pair.run_for(Duration::from_millis(69));
        assert_eq!((pair.server.events.len(), pair.server.unread()), (0, 11));
        pair.run_for(Duration::from_millis(1));
        assert_eq!(pair.server.events, [Observed::from("Hello")]);
    }

    #[test]
    fn a_cut_line_tells_nobody() {
        let mut pair = SimPair::new(config().ping_interval(None).build().unwrap());
        pair.cut();
        pair.client.connection.close(CloseCode::NORMAL, "", pair.clock.now()).unwrap();
        pair.run_for(Duration::from_secs(3600));
        assert!(pair.client.is_closed() && !pair.server.is_closed());
    }
}
