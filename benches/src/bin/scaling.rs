//! Cost grows with work, and with nothing else: ratios, each with a verdict.
//!
//! `cargo run --release -p ws-benches --bin scaling`
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
#[global_allocator]
static HEAP: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("scaling reads Linux's account of CPU time")
}

#[cfg(target_os = "linux")]
mod linux {
    use super::HEAP;
    use anyhow::{Context, Result, ensure};
    use clap::Parser;
    use std::time::Duration;
    use ws_benches::{
        Bound, Burst, Exchange, GIVES_BACK, Generator, Kind, Measure, Mode, Opening, Payload, Program,
        Report, Roster, Workload, memory, peak_memory, pin, raise_descriptors,
    };

    /// Looks for costs that grow where nothing is done.
    #[derive(Parser)]
    struct Arguments {
        /// Repeats of what is measured in time.
        #[arg(long, default_value_t = 5)]
        repeats: usize,
        /// How long a row of a server is looked at, in milliseconds.
        #[arg(long, default_value_t = 500)]
        milliseconds: u64,
    }

    pub(super) fn main() -> Result<()> {
        let arguments = Arguments::parse();
        let mut verdicts = Verdicts { missed: 0 };
        pieces("pipelined frames", &[1_000, 10_000, 100_000], Burst::frames, &mut verdicts)?;
        pieces("fragments of a message", &[1_000, 10_000, 60_000], Burst::fragments, &mut verdicts)?;
        fragments_in_memory(&mut verdicts)?;

        let roster = Roster::build(1, None)?;
        raise_descriptors()?;
        let measure = Measure {
            server_core: 0,
            generator_core: 1,
            time: Duration::from_millis(arguments.milliseconds),
            fewer_idle: 1,
            tls: roster.certificate.client()?,
        };
        pin(measure.generator_core)?;
        large_messages_return(&roster, &measure, arguments.repeats, &mut verdicts)?;
        connections(&roster, &measure, arguments.repeats, &mut verdicts)?;
        ensure!(verdicts.missed == 0, "{} ratios are above their limits", verdicts.missed);
        Ok(())
    }

    struct Verdicts {
        missed: usize,
    }

    impl Verdicts {
        fn say(&mut self, what: &str, ratio: f64, limit: f64) {
            let held = ratio <= limit;
            self.missed += usize::from(!held);
            let verdict = if held { "held" } else { "MISSED" };
            println!("{verdict}: {what}: {ratio:.2}, at most {limit:.2}");
        }
    }

    /// Time for each piece, whatever their number.
    fn pieces(
        what: &str,
        counts: &[usize],
        make: impl Fn(usize) -> Burst,
        verdicts: &mut Verdicts,
    ) -> Result<()> {
        let mut each = Vec::new();
        for &count in counts {
            let burst = make(count);
            // The fastest: everything else is the neighbours'. As many pieces in all, so that each is as sure.
            let runs = 20 * counts.last().context("no counts")? / count;
            let mut fastest = Duration::MAX;
            for _ in 0..runs {
                fastest = fastest.min(burst.parse()?);
            }
            let nanoseconds = fastest.as_nanos() as f64 / count as f64;
            println!("{count} {what}: {nanoseconds:.1} ns each");
            each.push(nanoseconds);
        }
        for (nanoseconds, count) in each.iter().zip(counts).skip(1) {
            verdicts.say(
                &format!("{count} {what}, time for each of that with {}", counts[0]),
                nanoseconds / each[0],
                1.25,
            );
        }
        Ok(())
    }

    fn fragments_in_memory(verdicts: &mut Verdicts) -> Result<()> {
        for count in [1_000, 10_000, 60_000] {
            let burst = Burst::fragments(count);
            let before = HEAP.current_usage();
            HEAP.reset_peak_usage();
            burst.parse_in_pieces()?;
            let peak = HEAP.peak_usage().saturating_sub(before);
            verdicts.say(
                &format!("{count} fragments, heap at most of the message's bytes"),
                peak as f64 / burst.payload_bytes() as f64,
                // The pieces and the whole; and the list of the pieces.
                2.02,
            );
        }
        Ok(())
    }

    /// What is kept when large messages are over: with glibc as it is, and where it gives back.
    fn large_messages_return(
        roster: &Roster,
        measure: &Measure,
        repeats: usize,
        verdicts: &mut Verdicts,
    ) -> Result<()> {
        let echo = roster.named(Roster::OURS)?.program(Mode::Echo).context("no echo")?;
        let gives_back = Program { environment: GIVES_BACK.to_vec(), ..echo.clone() };
        let kept = |program| -> Result<f64> {
            let mut kept =
                (0..repeats).map(|_| kept_of_large(program, measure)).collect::<Result<Vec<_>>>()?;
            kept.sort_unstable_by(f64::total_cmp);
            kept.get(repeats / 2).copied().context("no repeats")
        };
        println!(
            "memory that is kept of what 1 MiB messages took, by glibc's own settings: {:.2}",
            kept(echo)?
        );
        verdicts.say("the same, where glibc gives back", kept(&gives_back)?, 0.10);
        Ok(())
    }

    /// 64 connections, a small message on each; then a large one on each, some times; then small ones.
    fn kept_of_large(program: &Program, measure: &Measure) -> Result<f64> {
        let running = measure.start(program)?;
        let opening = Opening::new(running.address(), false);
        let mut generator = Generator::connect(running.address(), Some(&opening), 64)?;
        let (small, large) =
            (Exchange::echo(Payload::Binary, 125, 1), Exchange::echo(Payload::Binary, 1 << 20, 1));
        generator.run(&small, Bound::Rounds(10))?;
        let before = memory(&running)?;
        generator.run(&large, Bound::Rounds(5))?;
        let peak = peak_memory(&running)?;
        // What is given back with the next work is given back.
        generator.run(&small, Bound::Rounds(100))?;
        let after = memory(&running)?;
        let kib = |bytes: u64| bytes >> 10;
        println!(
            "1 MiB on each of 64 connections: {} KiB before, {} KiB at most (with code), {} KiB afterwards",
            kib(before),
            kib(peak),
            kib(after)
        );
        Ok(after.saturating_sub(before) as f64 / peak.saturating_sub(before).max(1) as f64)
    }

    /// CPU for a message, whatever the number of connections.
    fn connections(
        roster: &Roster,
        measure: &Measure,
        repeats: usize,
        verdicts: &mut Verdicts,
    ) -> Result<()> {
        let servers = [roster.named(Roster::FLOOR)?, roster.named(Roster::OURS)?];
        let names = servers.map(|server| server.name.clone()).to_vec();
        let mut report = Report::new(CONNECTIONS, names, String::new());
        for repeat in 0..repeats {
            for (row, workload) in report.rows.iter_mut().zip(CONNECTIONS) {
                for turn in 0..servers.len() {
                    let column = (turn + repeat) % servers.len();
                    row.add(column, measure.run(servers[column], workload)?);
                }
            }
        }
        println!("{}", report.markdown(1));
        let value = |row: usize, server| report.rows[row].value(server).context("nothing was measured");
        for (row, workload) in CONNECTIONS.iter().enumerate().skip(1) {
            let Kind::Echo { connections, .. } = workload.kind else { continue };
            let [raw, ours] = [value(row, 0)? / value(0, 0)?, value(row, 1)? / value(0, 1)?];
            println!(
                "{connections} connections, CPU for a message of that with 64: {ours:.2}; without any protocol: {raw:.2}"
            );
            // What the machine makes dearer, its caches above all, is the same for both.
            verdicts.say(
                &format!("what {connections} connections make dearer, of what they do without any protocol"),
                ours / raw,
                1.10,
            );
        }
        Ok(())
    }

    const CONNECTIONS: &[Workload] = &[
        Workload::echo("125 B n64", 64, 1, 125),
        Workload::echo("125 B n512", 512, 1, 125),
        Workload::echo("125 B n4096", 4096, 1, 125),
    ];
}
