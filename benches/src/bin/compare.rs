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
    use serde_json::json;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::time::Duration;
    use ws_benches::{Measure, Protocol, Report, Server, Workload, pin};

    /// Measures echo servers beside each other.
    #[derive(Parser)]
    struct Arguments {
        /// Interleaved repeats of every row.
        #[arg(long, default_value_t = 7)]
        repeats: usize,
        /// One short repeat: shows that it works, not how fast.
        #[arg(long)]
        quick: bool,
        /// Only the rows whose names contain one of these, separated by commas.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        /// Only these servers; the first row of a table tells their names.
        #[arg(long, value_delimiter = ',')]
        servers: Vec<String>,
        /// How long each row of each server is looked at, in milliseconds.
        #[arg(long, default_value_t = 1_000)]
        milliseconds: u64,
        /// Workers of tokio in every server; all on the one core.
        #[arg(long, default_value_t = 1)]
        workers: u16,
        /// Our server, built already; otherwise the example `echo_server` is.
        #[arg(long)]
        ours: Option<PathBuf>,
        /// Where the samples go; by default `compare.json` in cargo's target folder.
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
        let mut servers = servers(&arguments)?;
        servers.retain(|server| {
            [FLOOR, OURS].contains(&&*server.name)
                || arguments.servers.is_empty()
                || arguments.servers.contains(&server.name)
        });
        let measure = Measure {
            server_core: arguments.server_core,
            generator_core: arguments.generator_core,
            time: Duration::from_millis(milliseconds),
            fewer_idle,
        };
        pin(measure.generator_core)?;

        let place =
            |name| servers.iter().position(|server| server.name == name).context("a server is missing");
        let (floor, ours) = (place(FLOOR)?, place(OURS)?);
        let file = arguments.json.clone().map_or_else(|| Ok(target()?.join("compare.json")), anyhow::Ok)?;

        let names = servers.iter().map(|server| server.name.clone()).collect();
        let mut failures = 0;
        let mut report = Report::new(workloads.clone(), names);
        for repeat in 0..repeats {
            for (row, workload) in workloads.iter().enumerate() {
                eprintln!("{} of {repeats}: {}", repeat + 1, workload.name);
                for turn in 0..servers.len() {
                    // Whoever comes first in one repeat is later in the next.
                    let column = (turn + repeat) % servers.len();
                    let server = &servers[column];
                    let sample = suits(server, workload).then(|| measure.run(server, workload)).transpose();
                    let sample = sample.unwrap_or_else(|error| {
                        eprintln!("{}: {error:#}", server.name);
                        failures += 1;
                        None
                    });
                    report.add(row, column, sample);
                }
            }
            // After each repeat, so that a run that is broken off was not for nothing.
            let document = json!({
                "repeats": repeat + 1,
                "milliseconds": milliseconds,
                "workers": arguments.workers,
                "machine": machine(),
                "rows": report.json(floor),
            });
            std::fs::write(&file, serde_json::to_string_pretty(&document)?)
                .with_context(|| file.display().to_string())?;
        }
        println!("{}", report.markdown(floor, ours));
        ensure!(failures == 0, "{failures} samples are missing");
        Ok(())
    }

    /// Batching by hand makes a difference where messages come together only.
    fn suits(server: &Server, workload: &Workload) -> bool {
        (server.protocol == Protocol::WebSocket || workload.is_plain_echo())
            && (!workload.deflate() || server.deflate_arguments.is_some())
            && (!server.name.ends_with("-batch") || workload.is_pipelined())
    }

    /// Ours and the peers, built.
    fn servers(arguments: &Arguments) -> Result<Vec<Server>> {
        let (root, target) = (root()?, target()?);
        let ours = match &arguments.ours {
            Some(program) => program.clone(),
            None => {
                build(root, &target, &["-p", "ws-examples", "--example", "echo_server"])?;
                target.join("release/examples/echo_server")
            }
        };
        // Not below the workspace's own profiles: nothing of it is shared.
        let peers_target = target.join("peers");
        build(&root.join("benches/peers"), &peers_target, &[])?;

        let strings = |arguments: &[&str]| arguments.iter().map(ToString::to_string).collect::<Vec<_>>();
        let workers = arguments.workers.to_string();
        let peer = |&(name, can_deflate): &(&str, bool)| Server {
            name: name.into(),
            program: peers_target.join("release/ws-peers"),
            arguments: strings(&["--server", name, "--workers", &workers]),
            deflate_arguments: can_deflate.then(|| strings(&["--deflate-level", "1"])),
            protocol: if name == FLOOR { Protocol::Raw } else { Protocol::WebSocket },
        };
        let ours = Server {
            name: OURS.into(),
            program: ours,
            arguments: strings(&["--listen", "127.0.0.1:0", "--threads", &workers]),
            deflate_arguments: Some(Vec::new()),
            protocol: Protocol::WebSocket,
        };
        let mut servers: Vec<Server> = PEERS.iter().map(peer).collect();
        servers.insert(1, ours);
        Ok(servers)
    }

    /// The project's folder.
    fn root() -> Result<&'static Path> {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no workspace")
    }

    /// Where cargo puts what it builds.
    fn target() -> Result<PathBuf> {
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| Ok(root()?.join("target")), |path| anyhow::Ok(path.into()));
        // Cargo is started in other folders, too.
        Ok(std::path::absolute(target?)?)
    }

    fn build(folder: &Path, target: &Path, arguments: &[&str]) -> Result<()> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .arg("build")
            .arg("--release")
            .arg("--target-dir")
            .arg(target)
            .args(arguments)
            .current_dir(folder);
        ensure!(command.status()?.success(), "{} does not build", folder.display());
        Ok(())
    }

    /// Model of the processor, and the kernel's version.
    fn machine() -> serde_json::Value {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let processors = read("/proc/cpuinfo");
        let models: Vec<&str> = processors.lines().filter(|line| line.starts_with("model name")).collect();
        let model =
            models.first().and_then(|line| line.split_once(':')).map_or("", |(_, model)| model.trim());
        json!({ "processor": model, "cores": models.len(), "kernel": read("/proc/sys/kernel/osrelease").trim() })
    }

    /// What no server can be below, by its name in the peers' program.
    const FLOOR: &str = "raw";
    /// Our server.
    const OURS: &str = "ours";
    /// The servers of the peers' program, and whether they can compress.
    const PEERS: &[(&str, bool)] = &[
        (FLOOR, false),
        ("tokio-tungstenite", false),
        ("tokio-tungstenite-8k", false),
        ("tokio-tungstenite-8k-batch", false),
        ("fastwebsockets", false),
        ("tokio-websockets", false),
        ("sockudo-ws", true),
        ("sockudo-ws-batch", false),
        ("yawc", true),
        ("yawc-batch", false),
    ];
}
