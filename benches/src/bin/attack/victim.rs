//! The server under attack.

use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use ws_benches::{Program, Usage};

/// Limits of the server: those of a service with small messages.
pub(crate) const MESSAGE_BYTES: u64 = 64 << 10;
pub(crate) const SEND_QUEUE_BYTES: u64 = 64 << 10;
const ARGUMENTS: &[&str] = &[
    "--listen=127.0.0.1:0",
    "--max-message-bytes=65536",
    "--max-send-queue-bytes=65536",
    "--max-fragments=1000",
    "--handshake-timeout=5",
    "--ping-interval=5",
    "--pong-timeout=5",
];

/// A server that runs until it is dropped.
pub(crate) struct Victim {
    child: Child,
    pub(crate) address: SocketAddr,
    stderr: Option<JoinHandle<String>>,
}

impl Victim {
    pub(crate) fn start(program: &Program) -> Result<Self> {
        let mut child = Command::new(&program.path)
            .args(ARGUMENTS)
            .envs(program.environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| program.path.display().to_string())?;
        let (stdout, mut stderr) =
            (child.stdout.take().context("stdout")?, child.stderr.take().context("stderr")?);
        let stderr = thread::spawn(move || {
            let mut said = String::new();
            // Nothing that a panic says is worth failing for.
            let _incomplete = stderr.read_to_string(&mut said);
            said
        });
        let mut victim = Self { child, address: ([0, 0, 0, 0], 0).into(), stderr: Some(stderr) };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ws://").and_then(|rest| rest.strip_suffix('/'));
        victim.address = address.with_context(|| format!("it says {line:?}"))?.parse()?;
        Ok(victim)
    }

    /// Resident memory of its own, in bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        Ok(Usage::of(self.child.id())?.memory)
    }

    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        Ok(Usage::of(self.child.id())?.cpu.as_secs_f64())
    }

    /// Ends it; how often it panicked.
    pub(crate) fn end(mut self) -> Result<usize> {
        let ended_before = self.child.try_wait()?;
        anyhow::ensure!(ended_before.is_none(), "the server has ended by itself: {ended_before:?}");
        self.child.kill()?;
        let stderr = self.stderr.take().context("taken once")?.join().ok().context("reading stderr")?;
        Ok(stderr.matches("panicked at").count())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to be done.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
