//! Connections that do not read.

use anyhow::Result;
use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::net::{AddressFamily, SocketType, connect, socket};
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};
use ws_benches::{Opening, parse};

/// They have made the opening handshake, and then nothing.
pub(crate) struct Stalled(Vec<Connection>);

/// What one of them has got, when it reads at last.
#[derive(Default)]
pub(crate) struct Heard {
    /// The lengths of the messages; the bench tells them apart by that.
    pub(crate) lens: Vec<usize>,
    /// Was it told to come back later (1013), and nothing after that?
    pub(crate) is_told: bool,
    /// Has the server ended the stream?
    pub(crate) is_cut: bool,
}

struct Connection {
    stream: TcpStream,
    /// Of a frame that is not complete.
    rest: Vec<u8>,
    heard: Heard,
}

impl Stalled {
    pub(crate) fn connect(address: SocketAddr, opening: &Opening, count: usize) -> Result<Self> {
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
            // Before connecting, so that the server's kernel soon has no room.
            set_socket_recv_buffer_size(&socket, RECV_BUFFER_BYTES)?;
            connect(&socket, &address)?;
            let mut stream = TcpStream::from(socket);
            opening.make(&mut stream)?;
            stream.set_nonblocking(true)?;
            connections.push(Connection { stream, rest: Vec::new(), heard: Heard::default() });
        }
        Ok(Self(connections))
    }

    /// They read, until nothing more comes for a while.
    pub(crate) fn read(mut self) -> Result<Vec<Heard>> {
        let mut last = Instant::now();
        while last.elapsed() < QUIET {
            let mut read = 0;
            for connection in &mut self.0 {
                read += connection.read()?;
            }
            if read > 0 {
                last = Instant::now();
            } else {
                sleep(Duration::from_millis(1));
            }
        }
        Ok(self.0.into_iter().map(|connection| connection.heard).collect())
    }
}

impl Connection {
    /// Reads what is there; tells how many bytes that were.
    fn read(&mut self) -> Result<usize> {
        let mut chunk = [0; 64 << 10];
        let read = match self.stream.read(&mut chunk) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() != ErrorKind::ConnectionReset => return Err(error.into()),
            Ok(0) | Err(_) => {
                self.heard.is_cut = true;
                return Ok(0);
            }
            Ok(read) => read,
        };
        self.rest.extend(&chunk[..read]);
        while let Some(frame) = parse(&self.rest) {
            let body = &self.rest[frame.start..frame.end];
            match frame.first_byte & 0xf {
                1 | 2 => self.heard.lens.push(body.len()),
                8 => self.heard.is_told = body.starts_with(&TRY_AGAIN_LATER) && frame.end == self.rest.len(),
                _ => {}
            }
            self.rest.drain(..frame.end);
        }
        Ok(read)
    }
}

/// Small, and large enough that reading what waits does not take long.
const RECV_BUFFER_BYTES: usize = 16 << 10;
/// When all has come.
const QUIET: Duration = Duration::from_millis(700);
/// 1013 (RFC 6455 §7.4.2, IANA's registry).
const TRY_AGAIN_LATER: [u8; 2] = [0x03, 0xf5];
