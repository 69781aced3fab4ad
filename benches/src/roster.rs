//! The servers that are compared, built.

use crate::{Certificate, Mode, Program, Protocol, Server};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The floor, ours, and the others.
#[derive(Debug)]
pub struct Roster {
    /// All of them. The floor first, ours second.
    pub servers: Vec<Server>,
    /// What those present that speak TLS.
    pub certificate: Certificate,
}

impl Roster {
    /// What no server can be below, by its name.
    pub const FLOOR: &str = "raw";
    /// Our server, by its name.
    pub const OURS: &str = "ours";

    /// Builds all that is needed with cargo, in release. `ours` is our echo server where it was built already.
    ///
    /// # Errors
    /// Something does not build.
    pub fn build(workers: u16, ours: Option<&Path>) -> Result<Self> {
        let (root, target) = (root()?, target()?);
        let examples = ["-p", "ws-examples", "--example", "broadcast", "--example", "echo_server"];
        build(root, &target, &examples)?;
        // Not below the workspace's own profiles: nothing of it is shared.
        let peers_target = target.join("peers");
        build(&root.join("benches/peers"), &peers_target, &[])?;

        let certificate = Certificate::make(&target.join("tls"))?;
        let tls = [
            "--tls-cert",
            &*certificate.certificate.display().to_string(),
            "--tls-key",
            &*certificate.key.display().to_string(),
        ];
        let workers = workers.to_string();
        let examples = target.join("release/examples");
        let ours = ours.map_or_else(|| examples.join("echo_server"), Path::to_owned);
        let ours = ours_in(&program(&ours), &program(&examples.join("broadcast")), &workers, &tls);
        let peers = program(&peers_target.join("release/ws-peers"));
        let mut servers: Vec<Server> =
            PEERS.iter().map(|&(name, can)| peer(&peers, name, can, &workers, &tls)).collect();
        servers.insert(1, ours);
        Ok(Self { servers, certificate })
    }

    /// The one of that name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(&self, name: &str) -> Result<&Server> {
        self.servers.iter().find(|server| server.name == name).with_context(|| format!("no server {name}"))
    }
}

/// Ours: as the examples stand.
fn ours_in(echo: &Program, broadcast: &Program, workers: &str, tls: &[&str]) -> Server {
    let listen = ["--listen", "127.0.0.1:0", "--threads"];
    let (echo, broadcast) = (echo.with(&listen), broadcast.with(&listen));
    let on_workers = echo.with(&[workers]);
    // Who only reads answers no pings.
    let room = broadcast.with(&[workers, "--no-pings"]);
    Server {
        name: Roster::OURS.into(),
        protocol: Protocol::WebSocket,
        programs: vec![
            (Mode::Tls, on_workers.with(tls)),
            (Mode::Deflate(1), on_workers.with(&["--deflate-level", "1"])),
            (Mode::Deflate(6), on_workers.with(&["--deflate-level", "6"])),
            (Mode::Echo, on_workers),
            (Mode::Stock, echo.with(&[STOCK_WORKERS])),
            (Mode::Room, room.clone()),
            (Mode::RoomDeflate, room),
        ],
    }
}

fn peer(peers: &Program, name: &str, can: &[Can], workers: &str, tls: &[&str]) -> Server {
    let server = peers.with(&["--server", name, "--workers"]);
    let on_workers = server.with(&[workers]);
    let mut programs = vec![(Mode::Echo, on_workers.clone())];
    if name == Roster::FLOOR {
        // As the floor of a tail it has our runtime: with tokio's defaults it would have their tail.
        programs.push((Mode::Stock, server.with(&[STOCK_WORKERS])));
    } else if !name.ends_with("-batch") {
        programs.push((Mode::Stock, server.with(&[STOCK_WORKERS, "--stock-runtime"])));
        programs.push((Mode::Tls, on_workers.with(tls)));
    }
    if can.contains(&Can::Deflate) {
        for level in [1, 6] {
            let arguments = ["--deflate-level", &level.to_string()];
            programs.push((Mode::Deflate(level), on_workers.with(&arguments)));
        }
    }
    if can.contains(&Can::Room) {
        programs.push((Mode::Room, on_workers.with(&["--room"])));
    }
    if can.contains(&Can::Deflate) && can.contains(&Can::Room) {
        programs.push((Mode::RoomDeflate, on_workers.with(&["--room", "--deflate-level", "1"])));
    }
    let protocol = if name == Roster::FLOOR { Protocol::Raw } else { Protocol::WebSocket };
    Server { name: name.into(), protocol, programs }
}

pub(crate) fn program(path: &Path) -> Program {
    Program { path: path.to_owned(), arguments: Vec::new(), environment: Vec::new() }
}

/// The project's folder.
///
/// # Errors
/// There is none above this package.
pub fn root() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no workspace")
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Ok(root()?.join("target")), |path| anyhow::Ok(path.into()));
    // Cargo is started in other folders, too.
    Ok(std::path::absolute(target?)?)
}

/// Builds with cargo, in release.
pub(crate) fn build(folder: &Path, target: &Path, arguments: &[&str]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.arg("build").arg("--release").arg("--target-dir").arg(target).args(arguments).current_dir(folder);
    ensure!(command.status()?.success(), "{} does not build", folder.display());
    Ok(())
}

/// What a library can do beside an echo.
#[derive(PartialEq)]
enum Can {
    Deflate,
    Room,
}

/// The servers of the peers' program.
const PEERS: &[(&str, &[Can])] = &[
    (Roster::FLOOR, &[Can::Room]),
    ("tokio-tungstenite", &[Can::Room]),
    ("tokio-tungstenite-8k", &[]),
    ("tokio-tungstenite-8k-batch", &[]),
    ("fastwebsockets", &[]),
    ("tokio-websockets", &[Can::Room]),
    ("sockudo-ws", &[Can::Deflate, Can::Room]),
    ("sockudo-ws-batch", &[]),
    ("yawc", &[Can::Deflate, Can::Room]),
    ("yawc-batch", &[]),
];

/// Where tails are compared; all on the one core.
const STOCK_WORKERS: &str = "2";
