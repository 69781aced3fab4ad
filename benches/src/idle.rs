//! Connections that have said something once, and are silent.

use crate::certificate::secure;
use crate::{Exchange, Opening};
use anyhow::{Context, Result, ensure};
use rustix::net::sockopt::set_socket_linger;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::ClientConfig;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Connections that are open and silent, until it is dropped.
#[derive(Debug)]
pub struct Idle {
    streams: Vec<TcpStream>,
}

impl Idle {
    /// Opens `connections` connections, one after the other, and makes `exchange` on each `rounds` times. With `tls` all over TLS.
    ///
    /// As one address has no more than some 28,000 ports to connect from, they come from several of this machine: 127.0.0.2 and so on.
    ///
    /// # Errors
    /// The server refuses, or answers something wrong; there are no descriptors left.
    pub fn connect(
        address: SocketAddr,
        opening: &Opening,
        exchange: &Exchange,
        rounds: usize,
        tls: Option<&Arc<ClientConfig>>,
        connections: usize,
    ) -> Result<Self> {
        let SocketAddr::V4(address) = address else { anyhow::bail!("{address} is not of IPv4") };
        let mut streams = Vec::with_capacity(connections);
        for number in 0..connections {
            let source = u8::try_from(2 + number / PER_SOURCE).context("too many connections")?;
            let mut stream = dial(address, Ipv4Addr::new(127, 0, 0, source))?;
            match tls {
                None => talk(&mut stream, opening, exchange, rounds)?,
                // Its state is not needed when all is said, and would take more room here than at the server.
                Some(config) => {
                    talk(&mut secure(config, &mut stream)?, opening, exchange, rounds)?;
                }
            }
            streams.push(stream);
        }
        Ok(Self { streams })
    }

    /// How many they are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.streams.len()
    }
}

/// Lets this process, and those that it starts, have as many descriptors as the system allows; returns how many.
///
/// # Errors
/// The system does not even allow what it says it allows.
pub fn raise_descriptors() -> Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

fn dial(address: SocketAddrV4, source: Ipv4Addr) -> Result<TcpStream> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).context("no descriptor left")?;
    bind(&socket, &SocketAddrV4::new(source, 0)).context("no port left")?;
    connect(&socket, &address).context("connecting")?;
    // Closing is a reset: it leaves no port behind that cannot be used for a minute.
    set_socket_linger(&socket, Some(Duration::ZERO))?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn talk(
    stream: &mut (impl Read + Write),
    opening: &Opening,
    exchange: &Exchange,
    rounds: usize,
) -> Result<()> {
    opening.make(stream)?;
    let mut reply = vec![0; exchange.reply.len()];
    for _ in 0..rounds {
        stream.write_all(&exchange.request)?;
        stream.read_exact(&mut reply)?;
        ensure!(reply == exchange.reply, "a wrong reply");
    }
    Ok(())
}

/// Connections from one address.
const PER_SOURCE: usize = 10_000;
