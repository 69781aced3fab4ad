//! The run: quiet, under attack, and behind it.

use crate::honest::{Honest, Latency};
use crate::hostile::{Arsenal, Hostile, Kind};
use crate::victim::{MESSAGE_BYTES, SEND_QUEUE_BYTES, Victim};
use anyhow::{Context, Result, bail};
use clap::Parser;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

#[derive(Parser)]
#[command(about = "Thousands of hostile connections at once, while honest ones go on")]
struct Options {
    /// The server; by default `examples/echo_server` beside this program
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
    /// Hostile connections at once, all kinds mixed
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    hostile: usize,
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
    let program = match &options.server {
        Some(program) => program.clone(),
        None => std::env::current_exe()?.parent().context("a directory")?.join("examples/echo_server"),
    };
    let run = Instant::now();
    let victim = Victim::start(&program)?;
    let mut attack = Attack::new(&victim, options.hostile)?;
    // What the server and its allocator need once is no cost of the attack: a first one goes before, in which every kind is thrown out.
    attack.connect()?;
    attack.go_on(FIRST)?;
    attack.retreat();
    let honest = Honest::start(victim.address, options.honest)?;
    sleep(SETTLES);
    let start = victim.memory()?;
    let _not_of_interest = honest.latency()?;
    sleep(Duration::from_secs(options.seconds) / 3);
    let quiet = honest.latency()?;
    print("quiet", &quiet);

    attack.connect()?;
    let _not_of_interest = honest.latency()?;
    let (began, cpu) = (Instant::now(), victim.cpu_seconds()?);
    let (mut most, mut connected) = (0, usize::MAX);
    while began.elapsed() < Duration::from_secs(options.seconds) {
        attack.go_on(Duration::from_secs(1))?;
        most = most.max(victim.memory()?);
        connected = connected.min(attack.connected());
    }
    let loaded = honest.latency()?;
    print("under attack", &loaded);
    let load = (victim.cpu_seconds()? - cpu) / began.elapsed().as_secs_f64();
    println!(
        "{} hostile connections, never less than {connected}; the server used {load:.2} cores",
        options.hostile
    );
    for (kind, thrown_out) in Kind::ALL.iter().zip(attack.thrown_out) {
        println!("  {kind:?}: thrown out {thrown_out} times");
    }
    attack.retreat();

    let mut end = victim.memory()?;
    let behind = Instant::now();
    while ratio(end, start) > MOST_BEHIND && behind.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_secs(1));
        end = victim.memory()?;
    }
    honest.end()?;
    let panics = victim.end()?;

    // A message in parts and its copy while it grows; the mark and one message; what a task and its socket own.
    let each = 3 * MESSAGE_BYTES + SEND_QUEUE_BYTES + (4 << 10);
    let bound = start + each * options.hostile as u64;
    println!(
        "memory: {} at the start, {} at most (bound {}), {} behind",
        mib(start),
        mib(most),
        mib(bound),
        mib(end)
    );
    println!("no reply lost or wrong");

    let verdict = [
        Verdict::new(
            "p99 under attack / quiet",
            loaded.p99.as_secs_f64() / quiet.p99.as_secs_f64(),
            options.most_times,
        ),
        Verdict::new("memory at most / its bound", ratio(most, bound), 1.0),
        Verdict::new("memory behind / at the start", ratio(end, start), MOST_BEHIND),
        Verdict::new("panics of the server", panics as f64, 0.0),
    ];
    for verdict in &verdict {
        verdict.print();
    }
    let faults: Vec<_> =
        verdict.iter().filter(|verdict| !verdict.held()).map(|verdict| verdict.name).collect();
    if faults.is_empty() {
        println!("held, {} s", run.elapsed().as_secs());
        Ok(())
    } else {
        bail!("not held: {}", faults.join("; "))
    }
}

/// What was measured, and what it may be at most.
struct Verdict {
    name: &'static str,
    measured: f64,
    most: f64,
}

impl Verdict {
    const fn new(name: &'static str, measured: f64, most: f64) -> Self {
        Self { name, measured, most }
    }

    fn held(&self) -> bool {
        self.measured <= self.most
    }

    fn print(&self) {
        let Self { name, measured, most } = self;
        let word = if self.held() { "held" } else { "NOT HELD" };
        println!("{name:<30} {measured:>6.2}, at most {most:.2}: {word}");
    }
}

fn ratio(measured: u64, of: u64) -> f64 {
    measured as f64 / of as f64
}

/// All hostile clients, driven by one thread.
struct Attack {
    hostile: Vec<Hostile>,
    next: usize,
    buffer: Vec<u8>,
    thrown_out: [usize; Kind::ALL.len()],
}

impl Attack {
    fn new(victim: &Victim, hostile: usize) -> Result<Self> {
        let arsenal = Arsenal::new(victim.address)?;
        let hostile =
            Kind::ALL.into_iter().cycle().take(hostile).map(|kind| Hostile::new(kind, arsenal.clone()));
        Ok(Self {
            hostile: hostile.collect(),
            next: 0,
            buffer: vec![0; 64 << 10],
            thrown_out: Default::default(),
        })
    }

    /// Until all were connected once.
    fn connect(&mut self) -> Result<()> {
        for _ in 0..2 {
            self.go_on(ROUND)?;
        }
        self.thrown_out = Default::default();
        Ok(())
    }

    /// Each does a step in every round, evenly spread over it.
    fn go_on(&mut self, time: Duration) -> Result<()> {
        let (began, slots) = (Instant::now(), 50);
        let mut slot = 0;
        while began.elapsed() < time {
            for _ in 0..self.hostile.len().div_ceil(slots) {
                let index = self.next;
                self.next = (index + 1) % self.hostile.len();
                let Some(hostile) = self.hostile.get_mut(index) else { break };
                if hostile.step(&mut self.buffer)?
                    && let Some(count) = self.thrown_out.get_mut(index % Kind::ALL.len())
                {
                    *count += 1;
                }
            }
            slot += 1;
            sleep((ROUND / 50 * slot).saturating_sub(began.elapsed()));
        }
        Ok(())
    }

    fn connected(&self) -> usize {
        self.hostile.iter().filter(|hostile| hostile.is_connected()).count()
    }

    fn retreat(&mut self) {
        for hostile in &mut self.hostile {
            hostile.hang_up();
        }
    }
}

fn print(name: &str, latency: &Latency) {
    let Latency { messages, median, p99, longest } = latency;
    println!("{name}: {messages} replies, median {median:.1?}, p99 {p99:.1?}, longest {longest:.1?}");
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// A step of every hostile client takes so long.
const ROUND: Duration = Duration::from_millis(500);
/// How much memory may be left, of what there was at the start.
const MOST_BEHIND: f64 = 1.1;
/// More than a handshake may take, and a ping and its pong.
const FIRST: Duration = Duration::from_secs(12);
/// Until the server has let go of connections that are gone.
const SETTLES: Duration = Duration::from_secs(8);
