//! A seed, and everything that follows from it.

use super::network::Network;
use super::traffic::{Ledger, Plan, Traffic};
use super::verdict::{Judged, Violation};
use super::{Weather, weather::between};
use crate::{Rng, entropy};
use std::fmt;
use std::ops::{AddAssign, Range};
use std::sync::Arc;
use std::time::Duration;
use ws_proto::{Config, ConfigBuilder, Delivery, Negotiated, Role};

/// A simulation: what it does follows from its seed, and so does the answer.
///
/// ```
/// use ws_testkit::sim::{Simulation, Weather};
///
/// let summary = Simulation::new(1).connections(3).weather(Weather::calm()).run().unwrap();
/// assert_eq!((summary.connections, summary.failed), (3, 0), "on a calm day all close cleanly");
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Simulation {
    seed: u64,
    connections: Option<usize>,
    weather: Option<Weather>,
    operations: Option<u64>,
}

/// What happened in a simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// How many connections there were.
    pub connections: u64,
    /// How many of them had no clean close at one end, or at both.
    pub failed: u64,
    /// What the applications did: messages, pieces of messages and pings.
    pub operations: u64,
    /// How often an end was driven.
    pub turns: u64,
    /// Messages that were delivered.
    pub delivered: u64,
    /// Bytes on the wires.
    pub bytes: u64,
    /// A number that differs where anything on the wires differs: the same for the same seed.
    pub fingerprint: u64,
}

impl Simulation {
    /// Everything at random: 1 to 8 connections, each in weather of its own.
    pub const fn new(seed: u64) -> Self {
        Self { seed, connections: None, weather: None, operations: None }
    }

    /// So many connections.
    pub const fn connections(self, connections: usize) -> Self {
        Self { connections: Some(connections), ..self }
    }

    /// All connections in this weather.
    pub const fn weather(self, weather: Weather) -> Self {
        Self { weather: Some(weather), ..self }
    }

    /// Each end does so many operations before it closes; default is up to 20.
    pub const fn operations(self, operations: u64) -> Self {
        Self { operations: Some(operations), ..self }
    }

    /// Runs it to the end.
    ///
    /// # Errors
    /// The first [`Violation`] of what must hold.
    pub fn run(self) -> Result<Summary, Violation> {
        let mut rng = Rng::new(self.seed);
        let mut network = Network::new(rng.next_u64());
        let count = self.connections.unwrap_or_else(|| rng.below(8) + 1);
        let judged: Vec<Judged> = (0..count).map(|_| self.connect(&mut network, &mut rng)).collect();
        let last = judged.iter().map(|judged| judged.over_by).max();
        let time = last.map_or(Duration::ZERO, |last| last - network.clock.now());
        let violation = |(index, what)| Violation { seed: self.seed, connection: index, what };
        let goes_on = network.run_for(time + Duration::from_secs(1));
        let mut summary = Summary { turns: network.turns(), ..Summary::default() };
        for (index, (link, judged)) in network.links().iter().zip(&judged).enumerate() {
            judged.judge(link).map_err(|what| violation((index, what)))?;
            summary += judged.summary(link);
        }
        if goes_on {
            return Err(violation((0, "something goes on behind the end of all connections".into())));
        }
        Ok(summary)
    }

    /// Adds one connection, and what is to hold for it.
    fn connect(self, network: &mut Network<Traffic>, rng: &mut Rng) -> Judged {
        let now = network.clock.now();
        let weather = self.weather.unwrap_or_else(|| Weather::random(rng));
        // Patient ends wait so long that no weather makes them give up, only an accident.
        let is_patient = self.operations.is_some() || rng.below(2) == 0;
        // Small windows and pieces take long: not more than a few hundred of them for a message.
        let step = weather.window.min(weather.piece).min(2_000);
        let most_bytes = if self.operations.is_some() { 300 } else { step * [2, 3, 20][rng.below(3)] + 3 };
        let operations = self.operations.unwrap_or_else(|| rng.next_u64() % 20);
        let closes_at = match self.operations {
            Some(_) => now + Duration::from_secs(1 << 30),
            None => now + Duration::from_secs(20) + between(rng, Duration::from_secs(100)),
        };
        let nap = Duration::from_millis([0, 0, 300, 1_500][rng.below(4)]);
        let who_closes = rng.below(3);
        let ledgers = [Ledger::default(), Ledger::default()];
        let mut configs = Vec::new();
        let mut deflate = Deflate::random(rng);
        let mut end = |role: Role, rng: &mut Rng| {
            let config = Arc::new(deflate.configure(config(rng, is_patient)));
            configs.push(Arc::clone(&config));
            let [to_server, to_client] = ledgers.clone();
            let (outgoing, incoming) = match role {
                Role::Client => (to_server, to_client),
                Role::Server => (to_client, to_server),
            };
            let closes = who_closes == 2 || (who_closes == 0) == (role == Role::Client);
            let pace = Duration::from_millis(
                [0, 10, 1_000, 5_000][rng.below(if self.operations.is_some() { 2 } else { 4 })],
            );
            let plan = Plan { operations, most_bytes, pace, nap, closes, closes_at };
            let traffic = Traffic::new(plan, Rng::new(rng.next_u64()), outgoing, incoming, now);
            (deflate.negotiate(Negotiated::new(role)), config, traffic)
        };
        let (client, server) = (end(Role::Client, rng), end(Role::Server, rng));
        network.connect(weather, client, server);
        Judged::new(ledgers, &configs, weather, nap, closes_at, is_patient)
    }
}

/// Runs the simulations of these seeds, of which the process's variable `WS_SIM_SEED`, where it is set, leaves only one.
///
/// # Panics
/// With the first [`Violation`], which tells its seed; or where `WS_SIM_SEED` is no number.
pub fn check_seeds(seeds: Range<u64>, simulation: impl Fn(u64) -> Simulation) -> Summary {
    let seeds = match std::env::var("WS_SIM_SEED") {
        Ok(seed) => match seed.parse() {
            Ok(seed) => seed..seed + 1,
            Err(_) => panic!("WS_SIM_SEED is {seed:?}, which is no seed: set a number"),
        },
        Err(_) => seeds,
    };
    let mut sum = Summary::default();
    for seed in seeds {
        match simulation(seed).run() {
            Ok(summary) => sum += summary,
            Err(violation) => panic!("{violation}"),
        }
    }
    sum
}

/// Settings at random, within what lets a test end.
fn config(rng: &mut Rng, is_patient: bool) -> ConfigBuilder {
    let seconds = |seconds: usize| Duration::from_secs(seconds as u64);
    let builder = ConfigBuilder::new(entropy(rng.next_u64()))
        .fragment_bytes([None, Some(1), Some(100), Some(5_000)][rng.below(4)])
        .max_send_queue_bytes([1, 200, 20_000, 1 << 20][rng.below(4)])
        .delivery([Delivery::Whole, Delivery::Whole, Delivery::Streaming][rng.below(3)])
        .max_fragments(1 << 20)
        .ping_interval([None, Some(seconds(1)), Some(seconds(7)), Some(seconds(20))][rng.below(4)]);
    if is_patient {
        return builder.pong_timeout(seconds(1_000)).close_timeout(seconds(10_000));
    }
    builder
        .pong_timeout(seconds([1, 5, 20][rng.below(3)]))
        .close_timeout(seconds([1, 5][rng.below(2)]))
        .idle_timeout([None, None, Some(seconds(10))][rng.below(3)])
}

/// Does a connection compress, and how?
#[cfg(feature = "deflate")]
struct Deflate(Option<ws_proto::deflate::DeflateParams>);

#[cfg(feature = "deflate")]
impl Deflate {
    fn random(rng: &mut Rng) -> Self {
        use ws_proto::deflate::{DeflateParams, WindowBits};
        let mut bits = || WindowBits::new([8, 9, 12, 15][rng.below(4)]).unwrap_or_default();
        let (client_max_window_bits, server_max_window_bits) =
            (bits(), bits().max(WindowBits::new(9).unwrap_or_default()));
        let params = DeflateParams {
            server_no_context_takeover: rng.below(2) == 0,
            client_no_context_takeover: rng.below(2) == 0,
            server_max_window_bits,
            client_max_window_bits,
        };
        Self((rng.below(3) > 0).then_some(params))
    }

    fn configure(&mut self, config: ConfigBuilder) -> Config {
        let deflate = ws_proto::deflate::DeflateConfig { threshold_bytes: 20, ..Default::default() };
        build(config.deflate(deflate))
    }

    const fn negotiate(&self, negotiated: Negotiated) -> Negotiated {
        match self.0 {
            Some(params) => negotiated.with_deflate(params),
            None => negotiated,
        }
    }
}

/// Nothing is compressed without the feature; the seeds are other ones then.
#[cfg(not(feature = "deflate"))]
struct Deflate;

#[cfg(not(feature = "deflate"))]
impl Deflate {
    const fn random(_: &mut Rng) -> Self {
        Self
    }

    fn configure(&mut self, config: ConfigBuilder) -> Config {
        build(config)
    }

    const fn negotiate(&self, negotiated: Negotiated) -> Negotiated {
        negotiated
    }
}

fn build(config: ConfigBuilder) -> Config {
    match config.build() {
        Ok(config) => config,
        Err(error) => panic!("every setting is more than zero: {error}"),
    }
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.connections += other.connections;
        self.failed += other.failed;
        self.operations += other.operations;
        self.turns += other.turns;
        self.delivered += other.delivered;
        self.bytes += other.bytes;
        self.fingerprint = self.fingerprint.rotate_left(7) ^ other.fingerprint;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} connections, {} of them without a clean close; {} operations, {} turns, {} messages delivered, {} bytes",
            self.connections, self.failed, self.operations, self.turns, self.delivered, self.bytes
        )
    }
}
