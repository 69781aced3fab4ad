//! The runs.

use crate::deliveries::{Talk, deliveries};
use crate::policies::{self, LEN, Policy};
use crate::report::{Compressed, Figures, Row};
use anyhow::{Context, Result, ensure};
use clap::Parser;
use ws_benches::{Measure, Mode, Roster, pin, raise_descriptors};

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
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// How long a delivery is looked at, in milliseconds.
    #[arg(long, default_value_t = 300)]
    milliseconds: u64,
    /// Writes the figures and the table into `docs`.
    #[arg(long)]
    write: bool,
}

pub(crate) fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.repeats > 0, "nothing to repeat");
    let roster = Roster::build(1, None)?;
    raise_descriptors()?;
    let measure = Measure::on_two_cores(arguments.milliseconds, &roster.certificate)?;
    pin(measure.generator_core)?;
    let figures = Figures {
        members: arguments.members,
        stalled: arguments.stalled,
        policies: policies(&measure, &roster, &arguments)?,
        compressed: compressed(&measure, &roster, arguments.repeats)?,
        rows: rows(&measure, &roster, &arguments)?,
    };
    println!("{}", figures.table());
    if arguments.write {
        figures.write()?;
    }
    let missed = figures.verdicts();
    ensure!(missed == 0, "{missed} figures are beyond their limits");
    Ok(())
}

fn policies(measure: &Measure, roster: &Roster, arguments: &Arguments) -> Result<Vec<Policy>> {
    let room = roster.named(Roster::OURS)?.program(Mode::Room).context("ours has a room")?;
    let mut policies = Vec::new();
    for name in ["disconnect", "drop-newest", "drop-oldest", "coalesce"] {
        let mut runs = Vec::new();
        for _ in 0..arguments.repeats {
            let run = policies::beside(measure, room, name, arguments.members, arguments.stalled)?;
            runs.push((run.ratio().unwrap_or_default(), run));
        }
        // What is wrong in one of them counts.
        let wrong = runs.iter().map(|(_, run)| run.wrong).max().unwrap_or_default();
        let odd = runs.iter().filter(|(_, run)| !run.adds_up(arguments.stalled)).count();
        policies.push(Policy { wrong, odd, ..median(runs) });
        progress(name);
    }
    let wait = policies::wait(measure, room, arguments.stalled)?;
    policies.push(Policy { odd: usize::from(!wait.adds_up(arguments.stalled)), ..wait });
    progress("wait");
    Ok(policies)
}

fn compressed(measure: &Measure, roster: &Roster, repeats: usize) -> Result<Vec<Compressed>> {
    let room = roster.named(Roster::OURS)?.program(Mode::RoomDeflate).context("ours has a room")?;
    let talks = COMPRESSED.map(|(kib, speakers)| Talk { len: kib << 10, speakers });
    let run = |arguments: &[&str]| {
        let program = room.with(arguments);
        let run = || deliveries(measure, &program, 1000, true, &talks);
        let runs = (0..repeats).map(|_| run()).collect::<Result<_>>()?;
        anyhow::Ok(medians(runs))
    };
    let (once, each) = (run(&[])?, run(&["--each"])?);
    progress("compression");
    let both = talks.into_iter().zip(once.into_iter().zip(each));
    Ok(both.map(|(talk, (once_ns, each_ns))| Compressed { talk, once_ns, each_ns }).collect())
}

fn rows(measure: &Measure, roster: &Roster, arguments: &Arguments) -> Result<Vec<Row>> {
    let talks = [125, LEN].map(|len| Talk { len, speakers: 1 });
    let mut rows = Vec::new();
    for members in [1000, arguments.members] {
        let mut by_name = Vec::new();
        for name in [Roster::OURS, "tokio-tungstenite", "tokio-websockets"] {
            let server = roster.named(name)?;
            let program = server.program(Mode::Room).context("each of them has a room")?;
            let run = || deliveries(measure, program, members, false, &talks);
            let runs = (0..arguments.repeats).map(|_| run()).collect::<Result<_>>()?;
            by_name.push((name, medians(runs)));
        }
        for (index, talk) in talks.iter().enumerate() {
            let nanoseconds = by_name.iter().map(|(name, values)| ((*name).to_owned(), values[index]));
            rows.push(Row { members, len: talk.len, nanoseconds: nanoseconds.collect() });
        }
        progress(&format!("{members} members"));
    }
    Ok(rows)
}

fn progress(done: &str) {
    eprintln!("{done}: done");
}

/// The middle one by the first of each.
fn median<T>(mut runs: Vec<(f64, T)>) -> T {
    runs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let middle = runs.len() / 2;
    runs.swap_remove(middle).1
}

/// Of the runs' first values, of their second, and so on.
fn medians(runs: Vec<Vec<f64>>) -> Vec<f64> {
    let count = runs.first().map_or(0, Vec::len);
    (0..count).map(|index| median(runs.iter().map(|run| (run[index], run[index])).collect())).collect()
}

/// Messages of JSON that are compressed: KiB, and how many speak at once.
const COMPRESSED: [(usize, usize); 4] = [(1, 1), (1, 8), (4, 1), (16, 1)];
