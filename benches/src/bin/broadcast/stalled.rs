//! Connections that do not read.

use anyhow::Result;
use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::net::{AddressFamily, SocketType, connect, socket};
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use ws_benches::Opening;

/// They have made the opening handshake, and then nothing.
pub(crate) struct Stalled(Vec<TcpStream>);

impl Stalled {
    pub(crate) fn connect(address: SocketAddr, opening: &Opening, count: usize) -> Result<Self> {
        let mut streams = Vec::with_capacity(count);
        for _ in 0..count {
            let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
            // Before connecting, so that the server's kernel soon has no room.
            set_socket_recv_buffer_size(&socket, 4096)?;
            connect(&socket, &address)?;
            let mut stream = TcpStream::from(socket);
            opening.make(&mut stream)?;
            streams.push(stream);
        }
        Ok(Self(streams))
    }

    /// How many of them the server has told to come back later. Reads all that is there.
    pub(crate) fn ended(mut self) -> Result<usize> {
        let mut ended = 0;
        for stream in &mut self.0 {
            stream.set_read_timeout(Some(std::time::Duration::from_millis(200)))?;
            let (mut tail, mut chunk) = (Vec::<u8>::new(), vec![0; 64 << 10]);
            loop {
                match stream.read(&mut chunk) {
                    Ok(0) => break,
                    Ok(read) => {
                        tail.extend(&chunk[..read]);
                        tail.drain(..tail.len().saturating_sub(64));
                    }
                    Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                        break;
                    }
                    Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                    Err(error) => return Err(error.into()),
                }
            }
            ended += usize::from(tail.windows(4).any(|window| window == TRY_AGAIN_LATER));
        }
        Ok(ended)
    }
}

/// What the Close frame of a server begins with: 1013, and the reason `too slow`.
const TRY_AGAIN_LATER: [u8; 4] = [0x88, 10, 0x03, 0xf5];
