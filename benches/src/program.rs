//! Programs that serve.

use crate::pin;
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

/// With this in its environment, what a program frees goes back to the system. By default glibc keeps freed memory for later in several heaps,
/// and cannot give back what lies below a small piece that a thread has put aside: then its habits are measured instead of the server's. A
/// service that cares sets the same.
pub const GIVES_BACK: [(&str, &str); 3] =
    [("MALLOC_ARENA_MAX", "1"), ("MALLOC_MMAP_THRESHOLD_", "32768"), ("MALLOC_TRIM_THRESHOLD_", "131072")];

/// A program that serves, and its arguments.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program. Its first line on stdout must be `listening on ws://ADDR:PORT/`, or `wss` for it.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What is set in its environment, beside what is set here.
    pub environment: Vec<(&'static str, &'static str)>,
}

impl Program {
    /// This program with more arguments.
    #[must_use]
    pub fn with(&self, arguments: &[&str]) -> Self {
        let more = arguments.iter().map(ToString::to_string);
        Self { arguments: self.arguments.iter().cloned().chain(more).collect(), ..self.clone() }
    }

    /// Starts it on `core`, and waits until it listens; the calling thread goes on on `own_core`.
    ///
    /// # Errors
    /// The program does not start, or does not tell where it listens.
    pub fn start(&self, core: usize, own_core: usize) -> Result<Running> {
        // A child inherits the cores of the thread that starts it, and so do its threads.
        pin(core)?;
        let child = self.spawn();
        pin(own_core)?;
        self.listening(child?)
    }

    /// Starts it on whatever cores the calling thread may use, and waits until it listens.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_anywhere(&self) -> Result<Running> {
        self.listening(self.spawn()?)
    }

    fn spawn(&self) -> Result<Child> {
        Command::new(&self.path)
            .args(&self.arguments)
            .envs(self.environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| self.path.display().to_string())
    }

    fn listening(&self, mut child: Child) -> Result<Running> {
        let stdout = BufReader::new(child.stdout.take().context("no stdout")?);
        let mut running = Running { child, stdout, address: ([0, 0, 0, 0], 0).into() };
        let mut line = String::new();
        running.stdout.read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ws").map(|rest| rest.trim_start_matches('s'));
        let address = address.and_then(|rest| rest.strip_prefix("://")?.strip_suffix('/'));
        running.address =
            address.with_context(|| format!("{} says {line:?}", self.path.display()))?.parse()?;
        Ok(running)
    }
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits until it has; returns what it has printed since it listens.
    ///
    /// # Errors
    /// It is gone already, or prints no text.
    pub fn terminate(mut self) -> Result<String> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let mut printed = String::new();
        self.stdout.read_to_string(&mut printed)?;
        self.child.wait()?;
        Ok(printed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to be done.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
