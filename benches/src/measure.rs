//! One workload on one server, once.

use crate::usage::{cpu, is_asleep, peak};
use crate::{
    Bound, Certificate, Exchange, Fleet, Generator, Idle, Kind, Mode, Opening, Payload, Program, Protocol,
    Running, Server, Usage, Workload,
};
use anyhow::{Context, Result};
use rustls::ClientConfig;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How to measure.
#[derive(Clone, Debug)]
pub struct Measure {
    /// The server's core.
    pub server_core: usize,
    /// The generator's core.
    pub generator_core: usize,
    /// How long a workload is looked at; a fifth of that goes before, to warm up.
    pub time: Duration,
    /// Divides the number of idle connections.
    pub fewer_idle: usize,
    /// For connections over TLS.
    pub tls: Arc<ClientConfig>,
}

/// What was measured.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// Nanoseconds of the server's CPU, or of the clock, or bytes of its memory, for each of `count`.
    pub value: f64,
    /// Messages, deliveries, handshakes or connections.
    pub count: u64,
    /// What share of the time the server was on its core.
    pub load: f64,
    /// Nanoseconds of the generator's CPU for each of `count`.
    pub generator: f64,
}

impl Measure {
    /// On the first two cores, with as many idle connections as there are to be.
    ///
    /// # Errors
    /// The certificate cannot be used.
    pub fn on_two_cores(milliseconds: u64, certificate: &Certificate) -> Result<Self> {
        let time = Duration::from_millis(milliseconds);
        Ok(Self { server_core: 0, generator_core: 1, time, fewer_idle: 1, tls: certificate.client()? })
    }

    /// Starts `server` afresh and lets it do `workload`; `None` where it cannot.
    ///
    /// # Errors
    /// It does not start, answers something wrong, hangs up or stalls.
    pub fn run(&self, server: &Server, workload: &Workload) -> Result<Option<Sample>> {
        let mode = workload.mode();
        let Some(program) = server.program(mode) else { return Ok(None) };
        let deflate = workload.deflate();
        let running = self.start(program)?;
        let address = running.address();
        let opening = (server.protocol == Protocol::WebSocket).then(|| Opening::new(address, deflate));
        let exchange = |payload, len, in_flight| match server.protocol {
            Protocol::Raw => Ok(Exchange::raw(payload, len, in_flight)),
            Protocol::WebSocket if deflate => Exchange::compressed_echo(address, payload, len, in_flight),
            Protocol::WebSocket => Ok(Exchange::echo(payload, len, in_flight)),
        };
        let connect = |connections| Generator::connect(address, opening.as_ref(), connections);
        let (warm_up, time) = (self.time / 5, self.time);
        let sample = match workload.kind {
            Kind::Echo { connections, in_flight, payload, len, .. } => {
                let exchange = exchange(payload, len, in_flight)?;
                let mut generator = connect(connections)?;
                generator.run(&exchange, Bound::Time(warm_up))?;
                account(&running, || generator.run(&exchange, Bound::Time(time)))
            }
            Kind::Tail { connections, len } => {
                let exchange = exchange(Payload::Binary, len, 1)?;
                let mut generator = connect(connections)?;
                generator.run(&exchange, Bound::Time(warm_up))?;
                let mut times = Vec::new();
                let sample = account(&running, || {
                    times = generator.run_timed(&exchange, Bound::Time(time))?;
                    Ok(times.len() as u64)
                })?;
                times.sort_unstable();
                let slow = times.get(times.len() * 99 / 100).context("nothing was answered")?;
                Ok(Sample { value: slow.as_nanos() as f64, ..sample })
            }
            Kind::Broadcast { members, payload, len, .. } => {
                let exchange = exchange(payload, len, 1)?;
                let mut generator = connect(members)?;
                // Without an opening handshake nothing tells that a member is in the room.
                until_asleep(&running)?;
                generator.run_room(&exchange, Bound::Time(warm_up))?;
                account(&running, || generator.run_room(&exchange, Bound::Time(time)))
            }
            Kind::Handshakes { at_once } => {
                let mut fleet = Fleet::new(address, Opening::new(address, false), at_once)?;
                fleet.run(warm_up)?;
                account(&running, || fleet.run(time))
            }
            Kind::Idle { connections, .. } => self.idle(&running, mode, connections / self.fewer_idle),
        };
        sample.map(Some)
    }

    /// Starts a server on its core.
    ///
    /// # Errors
    /// The program does not start, or does not tell where it listens.
    pub fn start(&self, program: &Program) -> Result<Running> {
        program.start(self.server_core, self.generator_core)
    }

    fn idle(&self, running: &Running, mode: Mode, connections: usize) -> Result<Sample> {
        let (address, tls) = (running.address(), (mode == Mode::Tls).then_some(&self.tls));
        // What the server needs once is no cost of a connection.
        let _first = idle(address, mode, tls, 10, 64)?;
        let before = memory(running)?;
        let _idle = idle(address, mode, tls, 1, connections)?;
        let grown = memory(running)?.saturating_sub(before);
        let value = grown as f64 / connections as f64;
        Ok(Sample { value, count: connections as u64, load: 0.0, generator: 0.0 })
    }
}

/// Opens connections that say something `rounds` times, and are silent: with [`Mode::Deflate`] 1 KiB of JSON, else 125 bytes.
///
/// # Errors
/// As [`Idle::connect`].
pub fn idle(
    address: SocketAddr,
    mode: Mode,
    tls: Option<&Arc<ClientConfig>>,
    rounds: usize,
    connections: usize,
) -> Result<Idle> {
    let deflate = matches!(mode, Mode::Deflate(_));
    let exchange = if deflate {
        Exchange::compressed_echo(address, Payload::Json, 1024, 1)?
    } else {
        Exchange::echo(Payload::Binary, 125, 1)
    };
    Idle::connect(address, &Opening::new(address, deflate), &exchange, rounds, tls, connections)
}

/// The memory of a server that is done with its work, in bytes.
///
/// # Errors
/// It is gone.
pub fn memory(server: &Running) -> Result<u64> {
    sleep(SETTLE);
    Ok(Usage::of(server.id())?.memory)
}

/// The most memory that a server ever had, code and all, in bytes.
///
/// # Errors
/// It is gone.
pub fn peak_memory(server: &Running) -> Result<u64> {
    peak(server.id())
}

/// Waits until the server has nothing left to do: it sleeps, and has not run for a while. On a busy machine one that has not run may be
/// waiting for a core.
///
/// # Errors
/// It is gone.
pub fn until_asleep(server: &Running) -> Result<()> {
    let mut before = None;
    loop {
        let now = cpu(server.id())?;
        if before.replace(now) == Some(now) && is_asleep(server.id())? {
            return Ok(());
        }
        sleep(20 * SETTLE);
    }
}

/// The server's CPU time for `work`, which returns how much it was.
///
/// # Errors
/// The server is gone, or `work` fails.
pub fn account(server: &Running, work: impl FnOnce() -> Result<u64>) -> Result<Sample> {
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
