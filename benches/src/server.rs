//! Servers to measure.

use crate::Program;

/// A server, in all the ways it can be started.
#[derive(Clone, Debug)]
pub struct Server {
    /// What the tables call it.
    pub name: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// What it can do, each with the program that does it.
    pub programs: Vec<(Mode, Program)>,
}

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// It returns the bytes that it gets.
    Raw,
    /// It returns the messages that it gets.
    WebSocket,
}

/// A way to start a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What comes goes back.
    Echo,
    /// The same, compressed at this level where the client offers it.
    Deflate(u8),
    /// The same, over TLS.
    Tls,
    /// The same on two workers: ours as its runner sets them up, the others at tokio's defaults.
    Stock,
    /// What one says, all hear.
    Room,
    /// The same, compressed where clients offer it.
    RoomDeflate,
}

impl Server {
    /// What to start for it; `None` where it cannot do that.
    #[must_use]
    pub fn program(&self, mode: Mode) -> Option<&Program> {
        self.programs.iter().find(|program| program.0 == mode).map(|program| &program.1)
    }
}
