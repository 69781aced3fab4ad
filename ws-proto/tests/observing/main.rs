//! What a connection counts, and whom it tells of its frames.

mod counts;
mod frames;

use ws_proto::{Config, Connection, Negotiated, Role};
use ws_testkit::{Chunks, Clock, Feed, Observed, feed, wire};

/// Two ends whose bytes go from one to the other by hand.
struct Ends {
    client: Connection,
    server: Connection,
    clock: Clock,
}

impl Ends {
    fn new(config: &Config) -> Self {
        Self::with(config, Negotiated::new)
    }

    fn with(config: &Config, negotiated: impl Fn(Role) -> Negotiated) -> Self {
        let clock = Clock::new();
        let end = |role| Connection::new(negotiated(role), config.clone(), clock.now());
        Self { client: end(Role::Client), server: end(Role::Server), clock }
    }

    /// All that `from` has to write arrives at the other end.
    fn deliver(&mut self, from: Role, how: Feed, mut chunks: Chunks) -> Vec<Observed> {
        let (from, to) = match from {
            Role::Client => (&mut self.client, &mut self.server),
            Role::Server => (&mut self.server, &mut self.client),
        };
        let bytes = wire(from, &mut Chunks::whole());
        feed(to, &bytes, how, &mut chunks, self.clock.now())
    }

    fn end(&mut self, role: Role) -> &mut Connection {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }
}
