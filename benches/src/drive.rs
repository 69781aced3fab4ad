//! The core by itself: connections in memory, without sockets and tasks.

use crate::frame::{masked, unmasked};
use crate::{Opening, Payload};
use anyhow::{Context, Result, ensure};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use ws_proto::deflate::DeflateParams;
use ws_proto::handshake::{Acceptance, ServerHandshake, ServerHandshakeEvent};
use ws_proto::{Config, Connection, Event, Message, Negotiated, Pool, Role};

/// Something that the core does again and again.
#[derive(Clone, Copy, Debug)]
pub struct Drive {
    /// What it is called.
    pub name: &'static str,
    work: Work,
}

#[derive(Clone, Copy, Debug)]
enum Work {
    /// A server parses bursts of messages where they lie, and looks at them.
    Receive { payload: Payload, len: usize, in_flight: usize },
    /// It parses owned messages and sends each back; then the burst's replies are written.
    Echo { payload: Payload, len: usize, in_flight: usize },
    /// A client sends messages, which are written one by one.
    Send { len: usize },
    /// As `Echo`, compressed in both directions.
    Deflate { len: usize },
    /// A client's message goes to a server and comes back, through two buffers.
    Duplex { len: usize },
    /// A server takes an opening request and answers it.
    Handshake,
}

impl Drive {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self {
            name: "receive 125 B",
            work: Work::Receive { payload: Payload::Binary, len: 125, in_flight: 1 },
        },
        Self {
            name: "receive 125 B, 16 together",
            work: Work::Receive { payload: Payload::Binary, len: 125, in_flight: 16 },
        },
        Self {
            name: "receive 1 KiB of text",
            work: Work::Receive { payload: Payload::NonAscii, len: 1024, in_flight: 1 },
        },
        Self { name: "echo 125 B", work: Work::Echo { payload: Payload::Binary, len: 125, in_flight: 1 } },
        Self {
            name: "echo 125 B, 16 together",
            work: Work::Echo { payload: Payload::Binary, len: 125, in_flight: 16 },
        },
        Self { name: "echo 1 KiB", work: Work::Echo { payload: Payload::Binary, len: 1024, in_flight: 1 } },
        Self { name: "client sends 125 B", work: Work::Send { len: 125 } },
        Self { name: "echo 1 KiB of JSON, deflate", work: Work::Deflate { len: 1024 } },
        Self { name: "client and server, 125 B", work: Work::Duplex { len: 125 } },
        Self { name: "opening handshake", work: Work::Handshake },
    ];

    /// Those whose time is in their bytes: valgrind would count each of a long copy.
    pub const LARGE: &[Self] = &[
        Self {
            name: "receive 16 KiB",
            work: Work::Receive { payload: Payload::Binary, len: 16 << 10, in_flight: 1 },
        },
        Self {
            name: "receive 64 KiB of text",
            work: Work::Receive { payload: Payload::NonAscii, len: 64 << 10, in_flight: 1 },
        },
        Self {
            name: "receive 1 MiB",
            work: Work::Receive { payload: Payload::Binary, len: 1 << 20, in_flight: 1 },
        },
        Self {
            name: "echo 16 KiB",
            work: Work::Echo { payload: Payload::Binary, len: 16 << 10, in_flight: 1 },
        },
        Self { name: "client sends 16 KiB", work: Work::Send { len: 16 << 10 } },
        Self { name: "client sends 1 MiB", work: Work::Send { len: 1 << 20 } },
        Self { name: "echo 64 KiB of JSON, deflate", work: Work::Deflate { len: 64 << 10 } },
        Self { name: "client and server, 16 KiB", work: Work::Duplex { len: 16 << 10 } },
        Self { name: "client and server, 1 MiB", work: Work::Duplex { len: 1 << 20 } },
    ];

    /// Is it about two connections?
    #[must_use]
    pub const fn is_duplex(&self) -> bool {
        matches!(self.work, Work::Duplex { .. })
    }

    /// How many messages, or handshakes, a round has.
    #[must_use]
    pub const fn messages(&self) -> u64 {
        match self.work {
            Work::Receive { in_flight, .. } | Work::Echo { in_flight, .. } => in_flight as u64,
            Work::Send { .. } | Work::Deflate { .. } | Work::Duplex { .. } | Work::Handshake => 1,
        }
    }

    /// Bytes of payload that a round receives or sends; of a handshake those of the request.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let bytes = match self.work {
            Work::Receive { len, in_flight, .. } | Work::Echo { len, in_flight, .. } => len * in_flight,
            Work::Send { len } | Work::Deflate { len } | Work::Duplex { len } => len,
            Work::Handshake => Opening::new(ADDRESS.into(), false).request().len(),
        };
        bytes as u64
    }

    /// Does it `rounds` times; returns how long that took, without what is made ready before.
    ///
    /// # Errors
    /// The core does not do what it must.
    pub fn run(&self, rounds: u64) -> Result<Duration> {
        let now = Instant::now();
        let began;
        match self.work {
            Work::Receive { payload, len, in_flight } => {
                let request = masked(payload.opcode(), false, &payload.bytes(len)).repeat(in_flight);
                let mut connection = Connection::new(Negotiated::new(Role::Server), Config::default(), now);
                let mut buffer = request.clone();
                began = Instant::now();
                for _ in 0..rounds {
                    buffer.copy_from_slice(&request);
                    let mut input = &mut *buffer;
                    let mut seen = 0;
                    while let Some(event) = connection.poll_event(&mut input, now) {
                        let Event::Message(message) = event else { continue };
                        seen += black_box(message.as_bytes()).len();
                    }
                    ensure!(seen == len * in_flight, "{seen} bytes came");
                }
            }
            Work::Echo { payload, len, in_flight } => {
                let bytes = payload.bytes(len);
                let request = masked(payload.opcode(), false, &bytes).repeat(in_flight);
                let reply = unmasked(payload.opcode(), &bytes).repeat(in_flight);
                return echo(Negotiated::new(Role::Server), &request, Some(&reply), rounds);
            }
            Work::Send { len } => {
                let message = Message::binary(Bytes::from(Payload::Binary.bytes(len)));
                let mut connection = Connection::new(Negotiated::new(Role::Client), Config::default(), now);
                let mut pool = Pool::new();
                began = Instant::now();
                for _ in 0..rounds {
                    connection.lend(&mut pool);
                    connection.send(message.clone()).ok().context("refused")?;
                    drain(&mut connection, None)?;
                    connection.reclaim(&mut pool);
                }
            }
            Work::Deflate { len } => {
                let params = DeflateParams {
                    server_no_context_takeover: true,
                    client_no_context_takeover: true,
                    ..DeflateParams::default()
                };
                let compressed = crate::inflate::compress(&Payload::Json.bytes(len))?;
                let request = masked(Payload::Json.opcode(), true, &compressed);
                return echo(Negotiated::new(Role::Server).with_deflate(params), &request, None, rounds);
            }
            Work::Duplex { len } => return duplex(&Payload::Binary.bytes(len), rounds),
            Work::Handshake => {
                let opening = Opening::new(ADDRESS.into(), false);
                let config = Arc::new(Config::default());
                began = Instant::now();
                for _ in 0..rounds {
                    let mut handshake = ServerHandshake::new(Arc::clone(&config), now);
                    let mut input = opening.request();
                    let event = handshake.poll_event(&mut input, now);
                    ensure!(matches!(event, Some(ServerHandshakeEvent::Request(_))), "no request");
                    handshake.accept(Acceptance::default())?;
                    let transmit = handshake.transmit();
                    black_box(transmit.chunk());
                    transmit.advance(transmit.remaining());
                    black_box(handshake.finish().context("not finished")?);
                }
            }
        }
        Ok(began.elapsed())
    }
}

/// A client and a server, wired to each other: a message goes there and comes back.
fn duplex(payload: &[u8], rounds: u64) -> Result<Duration> {
    let now = Instant::now();
    let connection = |role| Connection::new(Negotiated::new(role), Config::default(), now);
    let (mut client, mut server) = (connection(Role::Client), connection(Role::Server));
    let (mut there, mut back) = (BytesMut::new(), BytesMut::new());
    let mut pool = Pool::new();
    let sent = Message::binary(Bytes::copy_from_slice(payload));
    let began = Instant::now();
    for _ in 0..rounds {
        client.lend(&mut pool);
        client.send(sent.clone()).ok().context("refused")?;
        there.put(client.transmit());
        client.reclaim(&mut pool);
        server.lend(&mut pool);
        while let Some(event) = server.poll_event(&mut there, now) {
            let Event::Message(message) = event else { continue };
            server.send(message.into_message()).ok().context("refused")?;
        }
        back.put(server.transmit());
        server.reclaim(&mut pool);
        let mut heard = 0;
        client.lend(&mut pool);
        while let Some(event) = client.poll_event(&mut back, now) {
            let Event::Message(message) = event else { continue };
            heard += black_box(message.as_bytes()).len();
        }
        client.reclaim(&mut pool);
        ensure!(heard == payload.len(), "{heard} bytes came back");
    }
    Ok(began.elapsed())
}

/// The plain loop of a driver that owns its messages.
fn echo(negotiated: Negotiated, request: &[u8], reply: Option<&[u8]>, rounds: u64) -> Result<Duration> {
    let now = Instant::now();
    let mut connection = Connection::new(negotiated, Config::default(), now);
    let mut pool = Pool::new();
    let mut input = BytesMut::with_capacity(64 << 10);
    let began = Instant::now();
    for _ in 0..rounds {
        input.reserve(request.len());
        input.extend_from_slice(request);
        connection.lend(&mut pool);
        while let Some(event) = connection.poll_event(&mut input, now) {
            let Event::Message(message) = event else { continue };
            connection.send(message.into_message()).ok().context("refused")?;
        }
        drain(&mut connection, reply)?;
        connection.reclaim(&mut pool);
    }
    Ok(began.elapsed())
}

/// Writes to nowhere.
fn drain(connection: &mut Connection, expected: Option<&[u8]>) -> Result<()> {
    let transmit = connection.transmit();
    let mut at = 0;
    ensure!(transmit.has_remaining(), "nothing is sent");
    while transmit.has_remaining() {
        let n = black_box(transmit.chunk()).len();
        transmit.advance(n);
        at += n;
    }
    // The bytes themselves are compared where sockets are.
    ensure!(expected.is_none_or(|expected| expected.len() == at), "{at} bytes are sent");
    Ok(())
}

const ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 80);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_does_everything_that_is_counted() {
        for drive in Drive::ALL.iter().chain(Drive::LARGE) {
            drive.run(3).unwrap();
        }
    }
}
