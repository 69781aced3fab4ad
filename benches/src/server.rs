//! Servers to measure.

use crate::pin;
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A program that serves.
#[derive(Clone, Debug)]
pub struct Server {
    /// What the tables call it.
    pub name: String,
    /// The program. Its first line on stdout must be `listening on ws://ADDR:PORT/`.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// More of them where compression is measured; `None` when it cannot.
    pub deflate_arguments: Option<Vec<String>>,
    /// What it speaks.
    pub protocol: Protocol,
}

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// It returns the bytes that it gets.
    Raw,
    /// It returns the messages that it gets.
    WebSocket,
}

impl Server {
    /// Starts it on `core`, and waits until it listens; the calling thread goes on on `own_core`.
    ///
    /// # Errors
    /// The program does not start, or does not tell where it listens.
    pub fn start(&self, deflate: bool, core: usize, own_core: usize) -> Result<Running> {
        // A child inherits the cores of the thread that starts it, and so do its threads.
        pin(core)?;
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .args(self.deflate_arguments.iter().flatten().filter(|_| deflate))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| self.program.display().to_string());
        pin(own_core)?;
        let mut child = child?;
        let stdout = child.stdout.take().context("no stdout")?;
        let mut running = Running { child, address: ([0, 0, 0, 0], 0).into() };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ws://").and_then(|rest| rest.strip_suffix('/'));
        running.address = address.with_context(|| format!("{} says {line:?}", self.name))?.parse()?;
        Ok(running)
    }
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
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

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// It is gone already.
    pub fn terminate(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to be done.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
