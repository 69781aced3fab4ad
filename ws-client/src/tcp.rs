//! TCP sockets as the settings want them.

use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};

/// Options of a socket.
#[derive(Clone, Debug)]
pub(crate) struct TcpOptions {
    pub(crate) nodelay: bool,
    pub(crate) keepalive: Option<Duration>,
    pub(crate) send_buffer_bytes: Option<u32>,
    pub(crate) recv_buffer_bytes: Option<u32>,
    pub(crate) local_address: Option<IpAddr>,
}

impl TcpOptions {
    /// Can a socket with this local address, if one is set, connect there?
    pub(crate) fn can_reach(&self, remote: IpAddr) -> bool {
        self.local_address.is_none_or(|local| local.is_ipv4() == remote.is_ipv4())
    }

    pub(crate) fn unreachable() -> io::Error {
        io::Error::new(io::ErrorKind::AddrNotAvailable, "no address is of the family of the local one")
    }

    pub(crate) async fn connect(&self, to: SocketAddr) -> io::Result<TcpStream> {
        let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if let Some(local) = self.local_address {
            socket.bind(SocketAddr::new(local, 0))?;
        }
        if let Some(bytes) = self.send_buffer_bytes {
            socket.set_send_buffer_size(bytes)?;
        }
        if let Some(bytes) = self.recv_buffer_bytes {
            socket.set_recv_buffer_size(bytes)?;
        }
        if let Some(idle) = self.keepalive {
            SockRef::from(&socket).set_tcp_keepalive(&TcpKeepalive::new().with_time(idle))?;
        }
        // Where it cannot be set, the stream still works.
        let _ = socket.set_nodelay(self.nodelay);
        socket.connect(to).await
    }
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self {
            nodelay: true,
            keepalive: None,
            send_buffer_bytes: None,
            recv_buffer_bytes: None,
            local_address: None,
        }
    }
}
