//! The run: quiet, under attack, and behind it.

use crate::honest::{Honest, Latency};
use crate::hostile::Kind;
use crate::swarm::Swarm;
use crate::verdict::Verdict;
use crate::victim::{MESSAGE_BYTES, SEND_QUEUE_BYTES, Victim};
use anyhow::{Result, bail};
use clap::Parser;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};
use ws_benches::{Program, echo_server, echo_server_giving_back};

#[derive(Parser)]
#[command(about = "Thousands of hostile connections at once, while honest ones go on")]
struct Options {
    /// The server; by default our echo server, with the system's allocator and with one that gives back what is free
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
    /// Hostile connections at once, all kinds mixed
    #[arg(long, value_name = "N", default_value = "5000")]
    hostile: NonZeroUsize,
    /// Of these, how many act in the same moment
    #[arg(long, value_name = "N", default_value = "10")]
    at_once: NonZeroUsize,
    /// Honest connections
    #[arg(long, value_name = "N", default_value_t = 50)]
    honest: usize,
    /// How long the attack is measured; a third of that is quiet before
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    seconds: u64,
    /// How much longer p99 of the honest may be than in the quiet run
    #[arg(long, value_name = "TIMES", default_value_t = 3.0)]
    most_times: f64,
}

pub(crate) fn main() -> Result<()> {
    let options = Options::parse();
    let programs = match &options.server {
        Some(path) => vec![Program { path: path.clone(), arguments: Vec::new(), environment: Vec::new() }],
        None => vec![echo_server()?, echo_server_giving_back()?],
    };
    let run = Instant::now();
    let mut attacks = Vec::new();
    for program in &programs {
        println!("{}", program.path.display());
        let measured = attack(&options, program)?;
        measured.print();
        attacks.push(measured);
    }
    // The first is the server as it is; of what stays only the last can tell what is the server's.
    let (Some(first), Some(last)) = (attacks.first(), attacks.last()) else { return Ok(()) };
    let most = attacks.iter().map(Measured::memory_at_most).fold(0.0, f64::max);
    let panics: usize = attacks.iter().map(|measured| measured.panics).sum();
    println!("no reply lost or wrong");
    let verdicts = [
        Verdict::new("p99 under attack / quiet", first.p99(), options.most_times),
        Verdict::new("memory at most / its bound", most, 1.0),
        Verdict::new("memory behind / at the start", last.memory_behind(), MOST_BEHIND),
        Verdict::new("panics of the server", panics as f64, 0.0),
    ];
    for verdict in &verdicts {
        verdict.print();
    }
    let faults: Vec<_> =
        verdicts.iter().filter(|verdict| !verdict.held()).map(|verdict| verdict.name).collect();
    if faults.is_empty() {
        println!("held, {} s", run.elapsed().as_secs());
        Ok(())
    } else {
        bail!("not held: {}", faults.join("; "))
    }
}

/// What an attack was like.
struct Measured {
    quiet: Latency,
    loaded: Latency,
    quiet_beside: Latency,
    loaded_beside: Latency,
    /// Memory of the server before, at most, and behind, and what it may be.
    start: u64,
    most: u64,
    end: u64,
    bound: u64,
    panics: usize,
}

impl Measured {
    fn p99(&self) -> f64 {
        self.loaded.p99.as_secs_f64() / self.quiet.p99.as_secs_f64()
    }

    /// What the machine and the hostile clients make of it: this server has nothing to do with them.
    fn p99_beside(&self) -> f64 {
        self.loaded_beside.p99.as_secs_f64() / self.quiet_beside.p99.as_secs_f64()
    }

    fn memory_at_most(&self) -> f64 {
        ratio(self.most, self.bound)
    }

    fn memory_behind(&self) -> f64 {
        ratio(self.end, self.start)
    }

    fn print(&self) {
        print("  quiet", &self.quiet);
        print("  quiet, beside", &self.quiet_beside);
        print("  under attack", &self.loaded);
        print("  not attacked, beside", &self.loaded_beside);
        println!("  p99, times the quiet one: {:.2}; beside {:.2}", self.p99(), self.p99_beside());
        println!(
            "  memory: {} at the start, {} at most (bound {}), {} behind: {:.2}",
            mib(self.start),
            mib(self.most),
            mib(self.bound),
            mib(self.end),
            self.memory_behind()
        );
    }
}

/// One attack, on a server of its own.
fn attack(options: &Options, program: &Program) -> Result<Measured> {
    let time = Duration::from_secs(options.seconds);
    let (victim, bystander) = (Victim::start(program)?, Victim::start(program)?);
    let hostile = options.hostile.get();
    let mut swarm = Swarm::new(victim.address, hostile, options.at_once)?;
    // What the server and its allocator need once is no cost of the attack: a first one goes before, in which every kind is thrown out.
    swarm.connect()?;
    swarm.go_on(FIRST)?;
    swarm.retreat();
    let honest = Honest::start(victim.address, options.honest)?;
    let beside = Honest::start(bystander.address, options.honest)?;
    let latencies = || anyhow::Ok((honest.latency()?, beside.latency()?));
    sleep(SETTLES);
    let start = victim.memory()?;
    let _not_of_interest = latencies()?;
    sleep(time / 3);
    let (quiet, quiet_beside) = latencies()?;

    swarm.connect()?;
    let _not_of_interest = latencies()?;
    let (began, cpu) = (Instant::now(), victim.cpu_seconds()?);
    let (mut most, mut connected) = (0, usize::MAX);
    while began.elapsed() < time {
        swarm.go_on(Duration::from_secs(1))?;
        most = most.max(victim.memory()?);
        connected = connected.min(swarm.connected());
    }
    let (loaded, loaded_beside) = latencies()?;
    let load = (victim.cpu_seconds()? - cpu) / began.elapsed().as_secs_f64();
    println!("  {hostile} hostile connections, never less than {connected}; the server used {load:.2} cores");
    for (kind, thrown_out) in Kind::ALL.iter().zip(swarm.thrown_out) {
        println!("    {kind:?}: thrown out {thrown_out} times");
    }
    swarm.retreat();

    let mut end = victim.memory()?;
    let behind = Instant::now();
    while ratio(end, start) > MOST_BEHIND && behind.elapsed() < GIVEN_BACK_WITHIN {
        sleep(Duration::from_secs(1));
        end = victim.memory()?;
    }
    honest.end()?;
    beside.end()?;
    let panics = victim.end()? + bystander.end()?;

    // A message in parts and its copy while it grows; the mark and one message; what a task and its socket own.
    let each = 3 * MESSAGE_BYTES + SEND_QUEUE_BYTES + (4 << 10);
    let bound = start + each * hostile as u64;
    Ok(Measured { quiet, loaded, quiet_beside, loaded_beside, start, most, end, bound, panics })
}

fn ratio(measured: u64, of: u64) -> f64 {
    measured as f64 / of as f64
}

fn print(name: &str, latency: &Latency) {
    let Latency { messages, median, p99, longest } = latency;
    println!("{name}: {messages} replies, median {median:.1?}, p99 {p99:.1?}, longest {longest:.1?}");
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// How much memory may be left, of what there was at the start.
const MOST_BEHIND: f64 = 1.1;
/// More than a handshake may take, and a ping and its pong.
const FIRST: Duration = Duration::from_secs(12);
/// Until the server has let go of connections that are gone.
const SETTLES: Duration = Duration::from_secs(8);
/// Longer than the last of them may take to be noticed.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(30);
