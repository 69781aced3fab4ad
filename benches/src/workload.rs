//! What servers are asked to do.

use crate::{Mode, Payload};

/// A row of the tables.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// What `--only` and the tables call it: bytes of a message, `n` connections, `d` messages in flight on each.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
}

/// What a workload is.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Messages that come back.
    Echo {
        /// On so many connections.
        connections: usize,
        /// In bursts of so many on each: the next begins when all replies of the last one came.
        in_flight: usize,
        /// Of such content,
        payload: Payload,
        /// and so many bytes.
        len: usize,
        /// Compressed in both directions, by the server at this level.
        deflate: Option<u8>,
    },
    /// How long the slowest hundredth of replies takes, when all connections ask again as soon as they are answered.
    Tail {
        /// How many.
        connections: usize,
        /// Bytes of a message.
        len: usize,
    },
    /// What one member of a room says goes to all; the next speaks when all have heard it.
    Broadcast {
        /// How many.
        members: usize,
        /// A message of such content,
        payload: Payload,
        /// and so many bytes.
        len: usize,
        /// Compressed in both directions.
        deflate: bool,
    },
    /// Opening handshakes, so many at once.
    Handshakes {
        /// How many.
        at_once: usize,
    },
    /// The memory of connections that wait, after a message on each.
    Idle {
        /// How many.
        connections: usize,
        /// [`Mode::Echo`], [`Mode::Deflate`] or [`Mode::Tls`].
        mode: Mode,
    },
}

impl Workload {
    /// All of them, in the order of the tables.
    pub const ALL: &[Self] = &[
        Self::echo("16 B n64", 64, 1, 16),
        Self::echo("125 B n64", 64, 1, 125),
        Self::echo("1 KiB n64", 64, 1, KIB),
        Self::echo("125 B n512", 512, 1, 125),
        Self::echo("1 KiB n512", 512, 1, KIB),
        Self::echo("125 B n64 d16", 64, 16, 125),
        Self::echo("1 KiB n64 d16", 64, 16, KIB),
        Self::echo("16 KiB n64", 64, 1, 16 * KIB),
        Self::echo("16 KiB n64 d16", 64, 16, 16 * KIB),
        Self::echo("64 KiB n64", 64, 1, 64 * KIB),
        Self::echo("1 MiB n8", 8, 1, KIB * KIB),
        Self::echo("16 MiB n1", 1, 1, 16 * KIB * KIB),
        Self::text("64 KiB text n64", Payload::NonAscii, 64 * KIB, None),
        Self::text("1 KiB JSON deflate n64", Payload::Json, KIB, Some(1)),
        Self::text("1 KiB JSON deflate 6 n64", Payload::Json, KIB, Some(6)),
        Self::broadcast("broadcast 125 B to 1000", Payload::Binary, 125, false),
        Self::broadcast("broadcast 1 KiB JSON deflate to 1000", Payload::Json, KIB, true),
        Self { name: "p99 125 B n512", kind: Kind::Tail { connections: 512, len: 125 } },
        Self { name: "handshake", kind: Kind::Handshakes { at_once: 64 } },
        Self { name: "idle", kind: Kind::Idle { connections: 5_000, mode: Mode::Echo } },
        Self { name: "idle deflate", kind: Kind::Idle { connections: 5_000, mode: Mode::Deflate(1) } },
        Self { name: "idle TLS", kind: Kind::Idle { connections: 5_000, mode: Mode::Tls } },
    ];

    /// An echo of bytes, one at a time.
    #[must_use]
    pub const fn echo(name: &'static str, connections: usize, in_flight: usize, len: usize) -> Self {
        let payload = Payload::Binary;
        Self { name, kind: Kind::Echo { connections, in_flight, payload, len, deflate: None } }
    }

    const fn text(name: &'static str, payload: Payload, len: usize, deflate: Option<u8>) -> Self {
        Self { name, kind: Kind::Echo { connections: 64, in_flight: 1, payload, len, deflate } }
    }

    const fn broadcast(name: &'static str, payload: Payload, len: usize, deflate: bool) -> Self {
        Self { name, kind: Kind::Broadcast { members: 1_000, payload, len, deflate } }
    }

    /// What it is measured in.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        match self.kind {
            Kind::Echo { .. } | Kind::Broadcast { .. } | Kind::Handshakes { .. } => Unit::Microseconds,
            Kind::Tail { .. } => Unit::Milliseconds,
            Kind::Idle { .. } => Unit::Kibibytes,
        }
    }

    /// How a server is started for it.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        match self.kind {
            Kind::Echo { deflate: None, .. } | Kind::Handshakes { .. } => Mode::Echo,
            Kind::Echo { deflate: Some(level), .. } => Mode::Deflate(level),
            Kind::Tail { .. } => Mode::Stock,
            Kind::Broadcast { deflate: false, .. } => Mode::Room,
            Kind::Broadcast { deflate: true, .. } => Mode::RoomDeflate,
            Kind::Idle { mode, .. } => mode,
        }
    }

    /// Is compression negotiated?
    #[must_use]
    pub const fn deflate(&self) -> bool {
        matches!(self.mode(), Mode::Deflate(_) | Mode::RoomDeflate)
    }

    /// Is it about messages that come together?
    #[must_use]
    pub const fn is_pipelined(&self) -> bool {
        matches!(self.kind, Kind::Echo { in_flight: 2.., .. })
    }

    /// Can it be asked of a server that speaks no WebSocket?
    #[must_use]
    pub const fn is_without_protocol(&self) -> bool {
        !self.deflate() && matches!(self.kind, Kind::Echo { .. } | Kind::Tail { .. } | Kind::Broadcast { .. })
    }

    /// Is one repeat enough, as it does not depend on how busy the machine is?
    #[must_use]
    pub const fn is_steady(&self) -> bool {
        matches!(self.kind, Kind::Idle { .. })
    }
}

/// What a workload is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Unit {
    /// Microseconds of the server's CPU for each message, delivery or handshake; kept as nanoseconds.
    #[serde(rename = "ns of CPU")]
    Microseconds,
    /// Milliseconds on the clock; kept as nanoseconds.
    #[serde(rename = "ns")]
    Milliseconds,
    /// Memory for each connection; kept as bytes.
    #[serde(rename = "bytes")]
    Kibibytes,
}

impl Unit {
    /// As the tables write it.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Microseconds => "µs",
            Self::Milliseconds => "ms",
            Self::Kibibytes => "KiB",
        }
    }

    /// What is kept, in this unit.
    #[must_use]
    pub fn of(self, value: f64) -> f64 {
        match self {
            Self::Microseconds => value / 1e3,
            Self::Milliseconds => value / 1e6,
            Self::Kibibytes => value / 1024.0,
        }
    }

    /// Three figures of it.
    #[must_use]
    pub fn number(self, value: f64) -> String {
        match self.of(value) {
            value @ 100.0.. => format!("{value:.0}"),
            value @ 10.0..100.0 => format!("{value:.1}"),
            value => format!("{value:.2}"),
        }
    }
}

const KIB: usize = 1024;
