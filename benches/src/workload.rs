//! What servers are asked to do.

use crate::Payload;

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
        /// Compressed, in both directions.
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
        /// With permessage-deflate negotiated.
        deflate: bool,
    },
}

/// What a workload is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds of the server's CPU for each message or handshake.
    Microseconds,
    /// Memory for each connection.
    Kibibytes,
}

impl Unit {
    /// As the tables write it.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Microseconds => "µs",
            Self::Kibibytes => "KiB",
        }
    }
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
        Self::text("64 KiB text n64", Payload::NonAscii, 64 * KIB, false),
        Self::text("1 KiB JSON deflate n64", Payload::Json, KIB, true),
        Self { name: "handshake", kind: Kind::Handshakes { at_once: 64 } },
        Self { name: "idle", kind: Kind::Idle { connections: 5_000, deflate: false } },
        Self { name: "idle deflate", kind: Kind::Idle { connections: 5_000, deflate: true } },
    ];

    const fn echo(name: &'static str, connections: usize, in_flight: usize, len: usize) -> Self {
        let payload = Payload::Binary;
        Self { name, kind: Kind::Echo { connections, in_flight, payload, len, deflate: false } }
    }

    const fn text(name: &'static str, payload: Payload, len: usize, deflate: bool) -> Self {
        Self { name, kind: Kind::Echo { connections: 64, in_flight: 1, payload, len, deflate } }
    }

    /// What it is measured in.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        match self.kind {
            Kind::Echo { .. } | Kind::Handshakes { .. } => Unit::Microseconds,
            Kind::Idle { .. } => Unit::Kibibytes,
        }
    }

    /// Is compression negotiated?
    #[must_use]
    pub const fn deflate(&self) -> bool {
        matches!(self.kind, Kind::Echo { deflate: true, .. } | Kind::Idle { deflate: true, .. })
    }

    /// Is it about messages that come together?
    #[must_use]
    pub const fn is_pipelined(&self) -> bool {
        matches!(self.kind, Kind::Echo { in_flight: 2.., .. })
    }

    /// Can it be asked of a server that speaks no WebSocket?
    #[must_use]
    pub const fn is_plain_echo(&self) -> bool {
        matches!(self.kind, Kind::Echo { deflate: false, .. })
    }
}

const KIB: usize = 1024;
