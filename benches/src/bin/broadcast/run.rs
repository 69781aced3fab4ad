//! The runs.

use crate::report::{Figures, Policy, Row};
use crate::stalled::Stalled;
use anyhow::{Context, Result, ensure};
use clap::Parser;
use std::time::Instant;
use ws_benches::{
    Exchange, Generator, Kind, Measure, Mode, Opening, Payload, Program, Roster, Server, Workload, memory,
    pin, raise_descriptors, until_asleep,
};

/// Measures groups.
#[derive(Parser)]
struct Arguments {
    /// Connections that read.
    #[arg(long, default_value_t = 4950)]
    members: usize,
    /// Connections beside them that do not.
    #[arg(long, default_value_t = 50)]
    stalled: usize,
    /// Repeats; the median counts.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// How long each is looked at, in milliseconds.
    #[arg(long, default_value_t = 2000)]
    milliseconds: u64,
    /// Writes the figures and the table into `docs`.
    #[arg(long)]
    write: bool,
}

pub(crate) fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let roster = Roster::build(1, None)?;
    raise_descriptors()?;
    let measure = Measure::on_two_cores(arguments.milliseconds, &roster.certificate)?;
    pin(measure.generator_core)?;
    let room = roster.named(Roster::OURS)?.program(Mode::Room).context("ours has a room")?;

    let mut policies = Vec::new();
    for policy in ["disconnect", "drop-newest", "drop-oldest"] {
        let program = room.with(&["--slow", policy]);
        let mut runs = Vec::new();
        for _ in 0..arguments.repeats {
            let alone = deliver(&measure, &program, arguments.members, 0)?;
            let beside = deliver(&measure, &program, arguments.members, arguments.stalled)?;
            runs.push((beside.time / alone.time, alone, beside));
        }
        let (ratio, alone, beside) = median(runs);
        policies.push(Policy {
            name: policy.into(),
            alone_ms: alone.time * 1e3,
            beside_ms: beside.time * 1e3,
            ratio,
            grown_bytes: beside.memory.saturating_sub(alone.memory),
            ended: beside.ended,
        });
    }

    let compressed = Workload::ALL.iter().find(|workload| workload.mode() == Mode::RoomDeflate);
    let compressed = compressed.context("a compressed broadcast")?;
    let (mut once, mut each) = (Vec::new(), Vec::new());
    let for_each = named("each", Mode::RoomDeflate, room.with(&["--each"]));
    for _ in 0..arguments.repeats {
        once.push((
            value(&measure, roster.named(Roster::OURS)?, compressed)?.context("ours compresses")?,
            (),
            (),
        ));
        each.push((value(&measure, &for_each, compressed)?.context("ours compresses")?, (), ()));
    }
    let (once, each) = (median(once).0, median(each).0);

    let mut rows = Vec::new();
    for members in [100, 1000, arguments.members] {
        for len in [125, 1024] {
            let kind = Kind::Broadcast { members, payload: Payload::Binary, len, deflate: false };
            let workload = Workload { name: "broadcast", kind };
            let mut nanoseconds = Vec::new();
            for name in [Roster::OURS, "tokio-tungstenite", "tokio-websockets"] {
                let server = roster.named(name)?;
                let mut runs = Vec::new();
                for _ in 0..arguments.repeats {
                    runs.extend(value(&measure, server, &workload)?.map(|value| (value, (), ())));
                }
                nanoseconds
                    .push((name.to_owned(), if runs.is_empty() { None } else { Some(median(runs).0) }));
            }
            rows.push(Row { members, len, nanoseconds });
        }
    }

    let figures = Figures {
        members: arguments.members,
        stalled: arguments.stalled,
        policies,
        compressed_once_ns: once,
        compressed_each_ns: each,
        rows,
    };
    println!("{}", figures.table());
    println!("{}", serde_json::to_string_pretty(&figures)?);
    if arguments.write {
        figures.write()?;
    }
    let missed = figures.verdicts();
    ensure!(missed == 0, "{missed} figures are beyond their limits");
    Ok(())
}

/// Of a message that fills what lies between.
const FILL_BYTES: usize = 16 << 10;

/// How a group was served.
struct Delivered {
    /// Seconds until all who read had a message.
    time: f64,
    /// Of the server, in bytes, at the end.
    memory: u64,
    /// Stalled connections that the server has ended.
    ended: usize,
}

fn deliver(measure: &Measure, program: &Program, members: usize, stalled: usize) -> Result<Delivered> {
    let running = measure.start(program)?;
    let address = running.address();
    let opening = Opening::new(address, false);
    let exchange = Exchange::echo(Payload::Binary, 1024, 1);
    let stalled = Stalled::connect(address, &opening, stalled)?;
    // Until kernels have no room for those that do not read, and they are as far behind as they can be.
    Generator::connect(address, Some(&opening), 1)?
        .run_room(&Exchange::echo(Payload::Binary, FILL_BYTES, 1), measure.time)?;
    let mut generator = Generator::connect(address, Some(&opening), members)?;
    until_asleep(&running)?;
    generator.run_room(&exchange, measure.time)?;
    let began = Instant::now();
    let heard = generator.run_room(&exchange, measure.time)?;
    let time = began.elapsed().as_secs_f64() / (heard as f64 / members as f64);
    Ok(Delivered { time, memory: memory(&running)?, ended: stalled.ended()? })
}

fn value(measure: &Measure, server: &Server, workload: &Workload) -> Result<Option<f64>> {
    Ok(measure.run(server, workload)?.map(|sample| sample.value))
}

fn named(name: &str, mode: Mode, program: Program) -> Server {
    Server { name: name.into(), protocol: ws_benches::Protocol::WebSocket, programs: vec![(mode, program)] }
}

/// The middle one by the first of each.
fn median<A, B>(mut runs: Vec<(f64, A, B)>) -> (f64, A, B) {
    runs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let middle = runs.len() / 2;
    runs.swap_remove(middle)
}
