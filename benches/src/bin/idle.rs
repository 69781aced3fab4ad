//! What a connection costs that is open and silent: 15,000 of them to one server, plain, with permessage-deflate negotiated, and over TLS.
//!
//! `cargo run --release -p ws-benches --bin idle -- --connections 1000`
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("idle reads Linux's account of memory")
}

#[cfg(target_os = "linux")]
mod linux {
    use anyhow::{Context, Result, ensure};
    use clap::Parser;
    use std::io::{BufRead, BufReader, Read};
    use std::net::SocketAddr;
    use std::path::PathBuf;
    use std::process::{Child, ChildStdin, Command, Stdio};
    use std::time::{Duration, Instant};
    use ws_benches::{
        Certificate, Kind, Mode, Program, Report, Roster, Running, Sample, Workload, idle, memory,
        raise_descriptors, root,
    };

    /// Measures the memory of idle connections.
    #[derive(Parser)]
    struct Arguments {
        /// How many connect to ours.
        #[arg(long, default_value_t = 15_000)]
        connections: usize,
        /// How many connect to each other server: what one costs does not depend on it, and some of them need much.
        #[arg(long, default_value_t = 3_000)]
        peer_connections: usize,
        /// Where the samples go, for `charts`; by default `docs/benchmarks/idle.json`, but with fewer connections nowhere.
        #[arg(long)]
        json: Option<PathBuf>,
        /// Is a client: opens connections to this address, says so, and holds them until its input ends.
        #[arg(long, hide = true, requires = "certificate")]
        hold: Option<SocketAddr>,
        #[arg(long, hide = true)]
        row: Option<String>,
        #[arg(long, hide = true)]
        certificate: Option<PathBuf>,
    }

    pub(super) fn main() -> Result<()> {
        let arguments = Arguments::parse();
        let descriptors = usize::try_from(raise_descriptors()?)?;
        if let (Some(address), Some(certificate)) = (arguments.hold, &arguments.certificate) {
            return hold(address, &arguments, certificate);
        }
        let roster = Roster::build(1, None)?;
        let names = roster.servers.iter().map(|server| server.name.clone()).collect();
        let command = format!(
            "idle --connections {} --peer-connections {}",
            arguments.connections, arguments.peer_connections
        );
        let mut report = Report::new(ROWS, names, command);
        for (row, workload) in report.rows.iter_mut().zip(ROWS) {
            for (column, server) in roster.servers.iter().enumerate() {
                let others = server.name.ends_with("-batch") || server.name == Roster::FLOOR;
                let sample = match server.program(workload.mode()) {
                    Some(program) if !others => {
                        let ours = server.name == Roster::OURS;
                        let connections =
                            if ours { arguments.connections } else { arguments.peer_connections };
                        let parts = Parts::of(connections, descriptors.saturating_sub(SPARE));
                        let sample = measure(program, workload, &roster.certificate, &parts)
                            .with_context(|| format!("{}, {}", server.name, workload.name))?;
                        let each = workload.unit().number(sample.value);
                        eprintln!(
                            "{}: {connections} connections to {}, {} processes: {each} KiB each",
                            workload.name,
                            server.name,
                            parts.0.len()
                        );
                        Some(sample)
                    }
                    _ => None,
                };
                row.add(column, sample);
            }
        }
        let whole = arguments.connections >= 15_000;
        let file =
            arguments.json.or(if whole { Some(root()?.join("docs/benchmarks/idle.json")) } else { None });
        if let Some(file) = file {
            report.write(&file)?;
        }
        println!("{}", report.markdown(report.server(Roster::OURS).context("ours is missing")?));
        Ok(())
    }

    /// How many connections each pair of server and client has: one pair for all, where the limit of descriptors lets it.
    struct Parts(Vec<usize>);

    impl Parts {
        fn of(connections: usize, most: usize) -> Self {
            let count = connections.div_ceil(most.max(1)).max(1);
            Self((0..count).map(|part| (connections + part) / count).collect())
        }
    }

    fn measure(
        program: &Program,
        workload: &Workload,
        certificate: &Certificate,
        parts: &Parts,
    ) -> Result<Sample> {
        let began = Instant::now();
        let mut held = Vec::new();
        for &connections in &parts.0 {
            // On whichever core: only memory is looked at.
            let running = program.start_anywhere()?;
            let warm = Holder::start(running.address(), workload, certificate, 64)?;
            let before = memory(&running)?;
            let holder = Holder::start(running.address(), workload, certificate, connections)?;
            held.push((running, before, [warm, holder]));
        }
        // Afterwards the servers ask whether the clients, which do not look, are there.
        ensure!(began.elapsed() < PATIENCE, "connecting took {:?}: try fewer connections", began.elapsed());
        let grown = |(running, before, _): &(Running, u64, _)| Ok(memory(running)?.saturating_sub(*before));
        let grown: u64 = held.iter().map(grown).sum::<Result<u64>>()?;
        let connections: usize = parts.0.iter().sum();
        let value = grown as f64 / connections as f64;
        Ok(Sample { value, count: connections as u64, load: 0.0, generator: 0.0 })
    }

    /// A process that holds connections.
    struct Holder {
        child: Child,
        /// It ends when this does.
        _input: ChildStdin,
    }

    impl Holder {
        fn start(
            address: SocketAddr,
            workload: &Workload,
            tls: &Certificate,
            connections: usize,
        ) -> Result<Self> {
            let mut child = Command::new(std::env::current_exe()?)
                .args(["--hold", &address.to_string(), "--connections", &connections.to_string()])
                .args(["--row", workload.name])
                .arg("--certificate")
                .arg(&tls.certificate)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            let (input, output) =
                (child.stdin.take().context("no stdin")?, child.stdout.take().context("no stdout")?);
            let holder = Self { child, _input: input };
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line)?;
            ensure!(line == READY, "a client could not connect");
            Ok(holder)
        }
    }

    impl Drop for Holder {
        fn drop(&mut self) {
            // It may have ended by itself; then there is nothing to be done.
            let _gone = self.child.kill();
            let _gone = self.child.wait();
        }
    }

    fn hold(address: SocketAddr, arguments: &Arguments, certificate: &std::path::Path) -> Result<()> {
        let name = arguments.row.as_deref().unwrap_or_default();
        let mode = ROWS.iter().find(|row| row.name == name).context("no such row")?.mode();
        let certificate = Certificate { certificate: certificate.to_owned(), key: PathBuf::new() };
        let tls = if mode == Mode::Tls { Some(certificate.client()?) } else { None };
        let _held = idle(address, mode, tls.as_ref(), 1, arguments.connections)?;
        print!("{READY}");
        std::io::Write::flush(&mut std::io::stdout())?;
        std::io::stdin().read_to_end(&mut Vec::new())?;
        Ok(())
    }

    const fn row(name: &'static str, mode: Mode) -> Workload {
        Workload { name, kind: Kind::Idle { connections: 0, mode } }
    }

    const ROWS: &[Workload] = &[
        row("idle", Mode::Echo),
        row("idle, deflate negotiated", Mode::Deflate(1)),
        row("idle, TLS", Mode::Tls),
    ];
    /// What a holder says.
    const READY: &str = "ready\n";
    /// Descriptors for other things.
    const SPARE: usize = 200;
    /// Twice our server's interval of pings.
    const PATIENCE: Duration = Duration::from_secs(40);
}
