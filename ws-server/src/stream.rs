//! The stream below a socket of the server: TCP, with TLS or without, or a Unix socket.

use crate::registry::Entry;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
#[cfg(feature = "tls")]
use tokio_rustls::server::TlsStream;

/// The address of whoever connected; none on a Unix socket.
pub(crate) type PeerAddr = Option<SocketAddr>;

/// The stream below a socket of the server: TCP, with TLS or without, or a Unix socket. The server counts a connection as open for as long as this lives.
#[derive(Debug)]
pub struct Stream {
    io: Io,
    /// Knows where it came from, too.
    entry: Arc<Entry>,
}

#[derive(Debug)]
pub(crate) enum Io {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    /// In a box: a TLS session is more than 1 KiB, and all connections would be as large.
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream<TcpStream>>),
    /// A connection that an HTTP server gave away.
    #[cfg(feature = "hyper")]
    Upgraded(Box<hyper_util::rt::TokioIo<hyper::upgrade::Upgraded>>),
}

impl Stream {
    pub(crate) const fn new(io: Io, entry: Arc<Entry>) -> Self {
        Self { io, entry }
    }

    /// The address that the connection came from: the client's, that of a proxy between, or what a trusted proxy said by the PROXY
    /// protocol. `None` on a Unix socket.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.entry.peer_addr()
    }

    /// The TCP stream at the bottom, for socket options and addresses; `None` on a Unix socket, and behind an HTTP server, which has it. Do
    /// not read or write.
    #[must_use]
    pub fn tcp(&self) -> Option<&TcpStream> {
        match &self.io {
            Io::Tcp(tcp) => Some(tcp),
            #[cfg(unix)]
            Io::Unix(_) => None,
            #[cfg(feature = "tls")]
            Io::Tls(tls) => Some(tls.get_ref().0),
            #[cfg(feature = "hyper")]
            Io::Upgraded(_) => None,
        }
    }

    /// The Unix socket at the bottom, for the credentials of the peer; `None` on TCP. Do not read or write.
    #[cfg(unix)]
    #[must_use]
    pub const fn unix(&self) -> Option<&UnixStream> {
        match &self.io {
            Io::Unix(unix) => Some(unix),
            Io::Tcp(_) => None,
            #[cfg(feature = "tls")]
            Io::Tls(_) => None,
            #[cfg(feature = "hyper")]
            Io::Upgraded(_) => None,
        }
    }

    pub(crate) const fn is_tls(&self) -> bool {
        match &self.io {
            Io::Tcp(_) => false,
            #[cfg(unix)]
            Io::Unix(_) => false,
            #[cfg(feature = "tls")]
            Io::Tls(_) => true,
            #[cfg(feature = "hyper")]
            Io::Upgraded(_) => false,
        }
    }

    /// The TLS session, which knows the name that the client asked for and the certificate that it showed; `None` without TLS.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(&self) -> Option<&rustls::ServerConnection> {
        match &self.io {
            Io::Tls(tls) => Some(tls.get_ref().1),
            Io::Tcp(_) => None,
            #[cfg(unix)]
            Io::Unix(_) => None,
            #[cfg(feature = "hyper")]
            Io::Upgraded(_) => None,
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.entry.stream_ended();
    }
}

/// Calls the same on whichever stream it is.
macro_rules! forward {
    ($self:ident, $io:ident => $call:expr) => {
        match &mut $self.get_mut().io {
            Io::Tcp($io) => $call,
            #[cfg(unix)]
            Io::Unix($io) => $call,
            #[cfg(feature = "tls")]
            Io::Tls($io) => $call,
            #[cfg(feature = "hyper")]
            Io::Upgraded($io) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        forward!(self, io => Pin::new(io).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        forward!(self, io => Pin::new(io).poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self, io => Pin::new(io).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self, io => Pin::new(io).poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        forward!(self, io => Pin::new(io).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Tcp(io) => io.is_write_vectored(),
            #[cfg(unix)]
            Io::Unix(io) => io.is_write_vectored(),
            #[cfg(feature = "tls")]
            Io::Tls(io) => io.is_write_vectored(),
            #[cfg(feature = "hyper")]
            Io::Upgraded(io) => io.is_write_vectored(),
        }
    }
}
