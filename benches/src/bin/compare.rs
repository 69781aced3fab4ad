//! Our echo server beside others, on the same machine in the same run. What the tables mean is in `docs/BENCHMARKS.md`.
//!
//! `cargo run --release -p ws-benches --bin compare -- --quick`
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("compare reads Linux's account of CPU time")
}

#[cfg(target_os = "linux")]
mod linux {
    use anyhow::{Context, Result, ensure};
    use clap::Parser;
    use std::path::PathBuf;
    use std::time::Duration;
    use ws_benches::{Measure, Report, Roster, Server, Workload, pin, raise_descriptors, root};

    /// Measures servers beside each other.
    #[derive(Parser)]
    struct Arguments {
        /// Interleaved repeats of every row but those of memory, for which one is enough.
        #[arg(long, default_value_t = 7)]
        repeats: usize,
        /// One short repeat: shows that it works, not how fast.
        #[arg(long)]
        quick: bool,
        /// Only the rows whose names contain one of these, separated by commas.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        /// Only these servers beside the floor and ours; the first row of a table tells their names.
        #[arg(long, value_delimiter = ',')]
        servers: Vec<String>,
        /// How long each row of each server is looked at, in milliseconds.
        #[arg(long, default_value_t = 500)]
        milliseconds: u64,
        /// Workers of tokio in every server; all on the one core.
        #[arg(long, default_value_t = 1)]
        workers: u16,
        /// Our echo server, built already; otherwise the example is.
        #[arg(long)]
        ours: Option<PathBuf>,
        /// Where the samples go, for `charts`; by default `docs/benchmarks/compare.json`, but with fewer rows or servers nowhere.
        #[arg(long)]
        json: Option<PathBuf>,
        /// The server's core.
        #[arg(long, default_value_t = 0)]
        server_core: usize,
        /// The generator's core.
        #[arg(long, default_value_t = 1)]
        generator_core: usize,
    }

    pub(super) fn main() -> Result<()> {
        let arguments = Arguments::parse();
        let (repeats, milliseconds, fewer_idle) =
            if arguments.quick { (1, 150, 10) } else { (arguments.repeats, arguments.milliseconds, 1) };
        let workloads: Vec<Workload> = Workload::ALL
            .iter()
            .filter(|workload| {
                arguments.only.is_empty() || arguments.only.iter().any(|name| workload.name.contains(name))
            })
            .copied()
            .collect();
        let mut roster = Roster::build(arguments.workers, arguments.ours.as_deref())?;
        for name in &arguments.servers {
            roster.named(name)?;
        }
        roster.servers.retain(|server| {
            [Roster::FLOOR, Roster::OURS].contains(&&*server.name)
                || arguments.servers.is_empty()
                || arguments.servers.contains(&server.name)
        });
        let measure = Measure {
            server_core: arguments.server_core,
            generator_core: arguments.generator_core,
            time: Duration::from_millis(milliseconds),
            fewer_idle,
            tls: roster.certificate.client()?,
        };
        raise_descriptors()?;
        pin(measure.generator_core)?;

        let whole = !arguments.quick && arguments.only.is_empty() && arguments.servers.is_empty();
        let file = match &arguments.json {
            Some(file) => Some(file.clone()),
            None if whole => Some(root()?.join("docs/benchmarks/compare.json")),
            None => None,
        };
        let names: Vec<String> = roster.servers.iter().map(|server| server.name.clone()).collect();
        let command = format!("compare --repeats {repeats} --milliseconds {milliseconds}");
        let mut failures = 0;
        let mut report = Report::new(&workloads, names, command);
        for repeat in 0..repeats {
            for (row, workload) in report.rows.iter_mut().zip(&workloads) {
                if repeat > 0 && workload.is_steady() {
                    continue;
                }
                eprintln!("{} of {repeats}: {}", repeat + 1, workload.name);
                for turn in 0..roster.servers.len() {
                    // Whoever comes first in one repeat is later in the next.
                    let column = (turn + repeat) % roster.servers.len();
                    let server = &roster.servers[column];
                    let sample =
                        if suits(server, workload) { measure.run(server, workload) } else { Ok(None) };
                    let sample = sample.unwrap_or_else(|error| {
                        eprintln!("{}: {error:#}", server.name);
                        failures += 1;
                        None
                    });
                    row.add(column, sample);
                }
            }
            // After each repeat, so that a run that is broken off was not for nothing.
            if let Some(file) = &file {
                report.write(file)?;
            }
        }
        println!("{}", report.markdown(report.server(Roster::OURS).context("ours is missing")?));
        ensure!(failures == 0, "{failures} samples are missing");
        Ok(())
    }

    /// Batching by hand makes a difference where messages come together only.
    fn suits(server: &Server, workload: &Workload) -> bool {
        (server.name != Roster::FLOOR || workload.is_without_protocol())
            && (!server.name.ends_with("-batch") || workload.is_pipelined())
    }
}
