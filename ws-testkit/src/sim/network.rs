//! Many connections over one bad network, under one clock.

use super::endpoint::Endpoint;
use super::line::Line;
use super::{Accident, Weather};
use crate::{Clock, Observed, Rng};
use std::sync::Arc;
use std::time::{Duration, Instant};
use ws_proto::{Config, Connection, Negotiated, Pool, Role};

/// What uses an end of a simulated connection. The methods that do nothing by default may be left out.
pub trait Application {
    /// The connection told this. You may send, ping or close.
    fn handle(&mut self, event: Observed, connection: &mut Connection, now: Instant);

    /// The time that [`wake_at`](Self::wake_at) told has come. You may send, ping or close.
    fn act(&mut self, connection: &mut Connection, now: Instant) {
        let _nothing_to_do = (connection, now);
    }

    /// When to call [`act`](Self::act); `None` waits for events. Asked again after each turn.
    fn wake_at(&self, connection: &Connection) -> Option<Instant> {
        let _waits = connection;
        None
    }

    /// How long the end is busy with what it just did: nothing is read, written or timed meanwhile.
    fn nap(&mut self) -> Duration {
        Duration::ZERO
    }
}

/// Many connections over one bad network, under one clock. All that happens follows from the seed: which end gets ahead of which, how
/// many bytes a read brings, what breaks when. All ends of a role share a [`Pool`], as those of one thread do.
#[derive(Debug)]
pub struct Network<A> {
    /// The time of all. It moves in [`run_for`](Self::run_for).
    pub clock: Clock,
    rng: Rng,
    links: Vec<Link<A>>,
    pools: [Pool; 2],
    turns: u64,
}

/// One simulated connection.
#[derive(Debug)]
pub struct Link<A> {
    /// The client's end.
    pub client: Endpoint<A>,
    /// The server's end.
    pub server: Endpoint<A>,
    to_client: Line,
    to_server: Line,
    /// What will happen, when.
    ahead: Option<(Instant, Accident)>,
    /// What happened, when.
    accident: Option<(Instant, Accident)>,
}

impl<A: Application> Network<A> {
    /// A network without connections.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            clock: Clock::new(),
            rng: Rng::new(seed),
            links: Vec::new(),
            pools: [Pool::new(), Pool::new()],
            turns: 0,
        }
    }

    /// Adds a connection behind its opening handshake. For each end, client and server: what it negotiated, its settings, what uses it.
    pub fn connect(
        &mut self,
        weather: Weather,
        client: (Negotiated, Arc<Config>, A),
        server: (Negotiated, Arc<Config>, A),
    ) {
        let now = self.clock.now();
        let rng = &mut self.rng;
        let mut fork = || Rng::new(rng.next_u64());
        let (to_client, to_server) = (Line::new(weather, fork(), now), Line::new(weather, fork(), now));
        let (client, server) =
            (Endpoint::new(client, weather, fork(), now), Endpoint::new(server, weather, fork(), now));
        let ahead = weather.accident(rng).map(|(after, accident)| (now + after, accident));
        self.links.push(Link { client, server, to_client, to_server, ahead, accident: None });
    }

    /// All connections, in the order in which they were added.
    #[must_use]
    pub fn links(&self) -> &[Link<A>] {
        &self.links
    }

    /// The same, to be used.
    pub fn links_mut(&mut self) -> &mut [Link<A>] {
        &mut self.links
    }

    /// How often an end was driven.
    #[must_use]
    pub const fn turns(&self) -> u64 {
        self.turns
    }

    /// Lets `time` pass, or less, when nothing is left that could happen. Returns whether something is.
    pub fn run_for(&mut self, time: Duration) -> bool {
        let end = self.clock.now() + time;
        let mut at_once = 0;
        loop {
            let now = self.clock.now();
            let mut due = Vec::new();
            let mut next: Option<Instant> = None;
            for (index, link) in self.links.iter_mut().enumerate() {
                link.break_down(now, &mut self.rng);
                let [client, server] = link.due();
                for (role, at) in [(Role::Client, client), (Role::Server, server)] {
                    if at.is_some_and(|at| at <= now) {
                        due.push((index, role));
                    }
                }
                next = [next, client, server, link.ahead.map(|(at, _)| at)].into_iter().flatten().min();
            }
            if due.is_empty() {
                match next {
                    None => return false,
                    Some(next) if next > end => {
                        self.clock.jump_to(end);
                        return true;
                    }
                    Some(next) => self.clock.jump_to(next),
                }
                at_once = 0;
                continue;
            }
            // Readiness comes in any order.
            for i in (1..due.len()).rev() {
                due.swap(i, self.rng.below(i + 1));
            }
            at_once += 1;
            for (index, role) in due {
                self.turns += 1;
                let pool = &mut self.pools[usize::from(role == Role::Server)];
                let Some(link) = self.links.get_mut(index) else { continue };
                let endpoint = link.turn(role, pool, now);
                if at_once > UNSETTLED {
                    endpoint.complain(|| "it never comes to rest".into());
                    return true;
                }
            }
        }
    }
}

impl<A: Application> Link<A> {
    /// The end of this role.
    pub const fn end(&self, role: Role) -> &Endpoint<A> {
        match role {
            Role::Client => &self.client,
            Role::Server => &self.server,
        }
    }

    /// What happened to the connection, and when.
    pub const fn accident(&self) -> Option<(Instant, Accident)> {
        self.accident
    }

    fn due(&mut self) -> [Option<Instant>; 2] {
        [self.client.due(&self.to_client, &self.to_server), self.server.due(&self.to_server, &self.to_client)]
    }

    fn turn(&mut self, role: Role, pool: &mut Pool, now: Instant) -> &mut Endpoint<A> {
        let (near, far, inbound, outbound) = match role {
            Role::Client => (&mut self.client, &self.server, &mut self.to_client, &mut self.to_server),
            Role::Server => (&mut self.server, &self.client, &mut self.to_server, &mut self.to_client),
        };
        if near.turn(inbound, outbound, pool, now) && far.closed_at().is_some() {
            // What is written to an end that closed is answered with a reset.
            inbound.reset(now);
        }
        near
    }

    fn break_down(&mut self, now: Instant, rng: &mut Rng) {
        let Some((at, accident)) = self.ahead.take_if(|(at, _)| *at <= now) else { return };
        if self.client.closed_at().is_some() || self.server.closed_at().is_some() {
            return;
        }
        self.accident = Some((at, accident));
        let both = [&mut self.to_client, &mut self.to_server];
        match accident {
            Accident::Reset => both.into_iter().for_each(|line| line.reset(now)),
            Accident::Cut => both.into_iter().for_each(Line::cut),
            Accident::HalfClose => {
                let [to_client, to_server] = both;
                if rng.below(2) == 0 { to_client.end_early(now) } else { to_server.end_early(now) }
            }
        }
    }
}

/// Far more turns in one instant than a megabyte in single bytes takes.
const UNSETTLED: usize = 10_000_000;
