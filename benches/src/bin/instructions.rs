//! How many instructions a message costs in user space. Counts repeat where times do not.
//!
//! `cargo run --release -p ws-benches --bin instructions` shows the core's counts beside those of the file, `-- --check` fails where one
//! has grown, `-- --renew` writes the file. `-- -- PROGRAM ARGUMENT…` counts a whole echo server instead. It needs valgrind.
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("valgrind counts on Linux")
}

#[cfg(target_os = "linux")]
mod linux {
    use anyhow::{Context, Result, bail, ensure};
    use clap::Parser;
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use ws_benches::{Bound, Callgrind, Drive, Exchange, Generator, Opening, Payload, Program};

    /// Counts instructions.
    #[derive(Parser)]
    struct Arguments {
        /// Fails where a count is more than 3 % above that of the file, or 15 % where that was counted with another compiler.
        #[arg(long)]
        check: bool,
        /// Writes the file.
        #[arg(long, conflicts_with = "check")]
        renew: bool,
        /// Only the row of this name.
        #[arg(long)]
        only: Option<String>,
        /// Counts an echo server: a program that prints `listening on ws://ADDR:PORT/` first, with its arguments.
        #[arg(last = true, value_name = "SERVER")]
        server: Vec<String>,
        /// It returns bytes, not messages.
        #[arg(long)]
        raw: bool,
        /// Where callgrind's file of the last count goes, for `callgrind_annotate`.
        #[arg(long)]
        keep: Option<PathBuf>,
        /// Does a row so often, and nothing else: what is counted.
        #[arg(long, num_args = 2, value_names = ["NAME", "ROUNDS"], hide = true)]
        run: Vec<String>,
    }

    pub(super) fn main() -> Result<()> {
        let arguments = Arguments::parse();
        if let [name, rounds] = &*arguments.run {
            let drive = Drive::ALL.iter().find(|drive| drive.name == name).context("no such row")?;
            drive.run(rounds.parse()?)?;
            return Ok(());
        }
        if let [program, rest @ ..] = &*arguments.server {
            let server = Program { path: program.into(), arguments: rest.to_vec(), environment: Vec::new() };
            count_server(&server, arguments.raw, arguments.only.as_deref())?;
        } else {
            count_core(&arguments)?;
        }
        if let Some(file) = &arguments.keep {
            std::fs::copy(scratch_file(), file)?;
        }
        std::fs::remove_file(scratch_file()).context("nothing was counted")
    }

    fn count_core(arguments: &Arguments) -> Result<()> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.json");
        let mut baseline: Baseline = if file.exists() {
            serde_json::from_str(&std::fs::read_to_string(&file)?).context("instructions.json")?
        } else {
            Baseline::default()
        };
        let compiler = compiler();
        let tolerance = if compiler == baseline.compiler { TOLERANCE } else { OTHER_COMPILER };
        let mut grown = Vec::new();
        println!("| instructions a message | now | in the file |\n|---|---:|---:|");
        for drive in Drive::ALL.iter().filter(|drive| asked_for(drive.name, arguments.only.as_deref())) {
            let count = count(drive)?;
            let before = baseline.counts.get(drive.name).copied();
            let shown = before.map_or_else(|| "–".into(), |n| n.to_string());
            println!("| {} | {count} | {shown} |", drive.name);
            if before.is_none_or(|before| count * 100 > before * (100 + tolerance)) {
                grown.push(drive.name);
            }
            if arguments.renew {
                baseline.counts.insert(drive.name.into(), count);
            }
        }
        if arguments.renew {
            baseline.counts.retain(|name, _| Drive::ALL.iter().any(|drive| drive.name == name));
            baseline.compiler = compiler;
            std::fs::write(&file, serde_json::to_string_pretty(&baseline)? + "\n")?;
        } else if arguments.check && !grown.is_empty() {
            bail!(
                "more than {tolerance} % above the file, which is of {}: {}. Where that is meant, or shrank elsewhere, renew it:\n\
                 cargo run --release -p ws-benches --bin instructions -- --renew",
                baseline.compiler,
                grown.join(", ")
            );
        }
        Ok(())
    }

    /// What `instructions.json` holds.
    #[derive(Default, Serialize, Deserialize)]
    struct Baseline {
        /// Who compiled what was counted.
        compiler: String,
        counts: BTreeMap<String, u64>,
    }

    /// The compiler's version.
    fn compiler() -> String {
        let output = Command::new("rustc").arg("--version").output().map(|output| output.stdout);
        String::from_utf8(output.unwrap_or_default()).unwrap_or_default().trim().to_owned()
    }

    fn asked_for(name: &str, only: Option<&str>) -> bool {
        only.is_none_or(|only| only == name)
    }

    /// What more rounds cost more: start and end of the program do not count.
    fn count(drive: &Drive) -> Result<u64> {
        let total = |rounds: u64| {
            let callgrind = Callgrind::new(scratch_file());
            let mut command = callgrind.command(&std::env::current_exe()?);
            let status =
                command.args(["--run", drive.name, &rounds.to_string()]).status().context("valgrind")?;
            ensure!(status.success(), "{} fails", drive.name);
            callgrind.total()
        };
        Ok(difference(total(WARM)?, total(WARM + ROUNDS)?, ROUNDS * drive.messages()))
    }

    fn count_server(server: &Program, raw: bool, only: Option<&str>) -> Result<()> {
        println!("| instructions a message | now |\n|---|---:|");
        for (name, len, in_flight) in SERVER_ROWS.iter().filter(|row| asked_for(row.0, only)) {
            let total = |rounds: u64| {
                let callgrind = Callgrind::new(scratch_file());
                let running = callgrind.server(server).start(0, 1)?;
                let (exchange, opening) = if raw {
                    (Exchange::raw(Payload::Binary, *len, *in_flight), None)
                } else {
                    let opening = Opening::new(running.address(), false);
                    (Exchange::echo(Payload::Binary, *len, *in_flight), Some(opening))
                };
                let mut generator = Generator::connect(running.address(), opening.as_ref(), CONNECTIONS)?;
                generator.run(&exchange, Bound::Rounds(rounds))?;
                running.terminate()?;
                callgrind.total()
            };
            let rounds = 200;
            let messages = rounds * *in_flight as u64 * CONNECTIONS as u64;
            println!("| {name} | {} |", difference(total(20)?, total(20 + rounds)?, messages));
        }
        Ok(())
    }

    const fn difference(fewer: u64, more: u64, messages: u64) -> u64 {
        (more.saturating_sub(fewer) + messages / 2) / messages
    }

    fn scratch_file() -> PathBuf {
        std::env::temp_dir().join(format!("instructions.{}.callgrind", std::process::id()))
    }

    /// Rounds that warm up buffers and pools.
    const WARM: u64 = 50;
    /// Rounds that are counted.
    const ROUNDS: u64 = 1_000;
    /// A count may grow by so many per cent,
    const TOLERANCE: u64 = 3;
    /// and by so many from one compiler to another.
    const OTHER_COMPILER: u64 = 15;
    /// Connections to a server that is counted.
    const CONNECTIONS: usize = 64;
    /// Name, bytes, and messages in flight on each connection. None with large ones: valgrind counts each byte of a long copy.
    const SERVER_ROWS: &[(&str, usize, usize)] = &[
        ("125 B n64", 125, 1),
        ("125 B n64 d16", 125, 16),
        ("1 KiB n64", 1024, 1),
        ("1 KiB n64 d16", 1024, 16),
    ];
}
