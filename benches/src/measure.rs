//! One workload on one server, once.

use crate::usage::cpu;
use crate::{
    Bound, Exchange, Fleet, Generator, Kind, Opening, Payload, Protocol, Running, Server, Usage, Workload,
};
use anyhow::Result;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How to measure.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// The server's core.
    pub server_core: usize,
    /// The generator's core.
    pub generator_core: usize,
    /// How long a workload is looked at; a fifth of that goes before, to warm up.
    pub time: Duration,
    /// Divides the number of idle connections.
    pub fewer_idle: usize,
}

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Nanoseconds of the server's CPU, or bytes of its memory, for each of `count`.
    pub value: f64,
    /// Messages, handshakes or connections.
    pub count: u64,
    /// What share of the time the server was on its core.
    pub load: f64,
    /// Nanoseconds of the generator's CPU for each of `count`.
    pub generator: f64,
}

impl Measure {
    /// Starts `server` afresh and lets it do `workload`.
    ///
    /// # Errors
    /// It does not start, answers something wrong, hangs up or stalls.
    pub fn run(&self, server: &Server, workload: &Workload) -> Result<Sample> {
        let deflate = workload.deflate();
        let running = server.start(deflate, self.server_core, self.generator_core)?;
        let address = running.address();
        let opening = (server.protocol == Protocol::WebSocket).then(|| Opening::new(address, deflate));
        let warm_up = Bound::Time(self.time / 5);
        match workload.kind {
            Kind::Echo { connections, in_flight, payload, len, .. } => {
                let exchange = match server.protocol {
                    Protocol::Raw => Exchange::raw(payload, len, in_flight),
                    Protocol::WebSocket if deflate => {
                        Exchange::compressed_echo(address, payload, len, in_flight)?
                    }
                    Protocol::WebSocket => Exchange::echo(payload, len, in_flight),
                };
                let mut generator = Generator::connect(address, opening.as_ref(), connections)?;
                generator.run(&exchange, warm_up)?;
                account(&running, || generator.run(&exchange, Bound::Time(self.time)))
            }
            Kind::Handshakes { at_once } => {
                let opening = Opening::new(address, false);
                let mut fleet = Fleet::new(address, opening, at_once)?;
                fleet.run(self.time / 5)?;
                account(&running, || fleet.run(self.time))
            }
            Kind::Idle { connections, .. } => {
                let exchange = if deflate {
                    Exchange::compressed_echo(address, Payload::Json, 1024, 1)?
                } else {
                    Exchange::echo(Payload::Binary, 125, 1)
                };
                // What the server needs once is no cost of a connection.
                let mut first = Generator::connect(address, opening.as_ref(), 64)?;
                first.run(&exchange, Bound::Rounds(10))?;
                sleep(SETTLE);
                let before = Usage::of(running.id())?.memory;
                let connections = connections / self.fewer_idle;
                let mut generator = Generator::connect(address, opening.as_ref(), connections)?;
                generator.run(&exchange, Bound::Rounds(1))?;
                sleep(SETTLE);
                let grown = Usage::of(running.id())?.memory.saturating_sub(before);
                Ok(Sample {
                    value: grown as f64 / connections as f64,
                    count: connections as u64,
                    load: 0.0,
                    generator: 0.0,
                })
            }
        }
    }
}

/// The server's CPU time for `work`, which returns how much it was.
fn account(server: &Running, work: impl FnOnce() -> Result<u64>) -> Result<Sample> {
    sleep(SETTLE);
    let (before, own_before, began) = (cpu(server.id())?, cpu(std::process::id())?, Instant::now());
    let count = work()?;
    let took = began.elapsed();
    sleep(SETTLE);
    let (used, own) = (cpu(server.id())? - before, cpu(std::process::id())? - own_before);
    Ok(Sample {
        value: used.as_nanos() as f64 / count as f64,
        count,
        load: used.as_secs_f64() / took.as_secs_f64(),
        generator: own.as_nanos() as f64 / count as f64,
    })
}

/// Until the server has gone to sleep, and its account is exact.
const SETTLE: Duration = Duration::from_millis(5);
