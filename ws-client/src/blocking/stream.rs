//! The stream below a blocking socket.

use super::socket::Socket;
#[cfg(feature = "tls")]
use rustls::{ClientConnection, StreamOwned};
use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The stream below a blocking socket: TCP as a rule, with TLS or without, through a proxy or not.
pub struct Stream(Io);

enum Io {
    Socket(Socket),
    /// TLS with the host, over any of these.
    #[cfg(feature = "tls")]
    Tls(Box<StreamOwned<ClientConnection, Stream>>),
    /// TLS with the proxy.
    #[cfg(feature = "tls")]
    ProxyTls(Box<StreamOwned<ClientConnection, Stream>>),
}

/// Calls the same on whichever stream it is.
macro_rules! forward {
    ($self:ident, $io:ident => $call:expr) => {
        match &mut $self.0 {
            Io::Socket($io) => $call,
            #[cfg(feature = "tls")]
            Io::Tls($io) | Io::ProxyTls($io) => $call,
        }
    };
}

impl Stream {
    pub(super) const fn of_socket(socket: Socket) -> Self {
        Self(Io::Socket(socket))
    }

    #[cfg(feature = "tls")]
    pub(super) fn of_tls(tls: StreamOwned<ClientConnection, Self>) -> Self {
        Self(Io::Tls(Box::new(tls)))
    }

    #[cfg(feature = "tls")]
    pub(super) fn of_proxy_tls(tls: StreamOwned<ClientConnection, Self>) -> Self {
        Self(Io::ProxyTls(Box::new(tls)))
    }

    /// The TCP stream at the bottom, for socket options and addresses; with a proxy it leads there. `None` where it is a Unix socket. Do
    /// not read or write; the WebSocket sets the timeouts, and whether it blocks.
    #[must_use]
    pub fn tcp(&self) -> Option<&TcpStream> {
        match &self.0 {
            Io::Socket(socket) => socket.tcp(),
            #[cfg(feature = "tls")]
            Io::Tls(tls) | Io::ProxyTls(tls) => tls.sock.tcp(),
        }
    }

    /// The TLS session with the host, which knows its certificate; `None` without TLS. That with a proxy is not shown.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(&self) -> Option<&ClientConnection> {
        match &self.0 {
            Io::Tls(tls) => Some(&tls.conn),
            _ => None,
        }
    }

    /// As that of the [`Socket`] at the bottom.
    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) -> io::Result<()> {
        match &mut self.0 {
            Io::Socket(socket) => socket.set_deadline(deadline),
            #[cfg(feature = "tls")]
            Io::Tls(tls) | Io::ProxyTls(tls) => tls.sock.set_deadline(deadline),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        forward!(self, io => io.read(buf))
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        forward!(self, io => io.write(buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        forward!(self, io => io.write_vectored(bufs))
    }

    fn flush(&mut self) -> io::Result<()> {
        forward!(self, io => io.flush())
    }
}

impl ws_sync::Stream for Stream {
    fn shutdown_write(&mut self) -> io::Result<()> {
        forward!(self, io => io.shutdown_write())
    }

    fn set_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        forward!(self, io => io.set_timeout(timeout))
    }

    fn set_nonblocking(&mut self, nonblocking: bool) -> io::Result<()> {
        forward!(self, io => io.set_nonblocking(nonblocking))
    }

    fn wants_write(&self, queued: bool) -> bool {
        match &self.0 {
            Io::Socket(io) => io.wants_write(queued),
            #[cfg(feature = "tls")]
            Io::Tls(io) | Io::ProxyTls(io) => io.wants_write(queued),
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stream")
            .field(match &self.0 {
                Io::Socket(socket) => socket,
                #[cfg(feature = "tls")]
                Io::Tls(_) => &"TLS",
                #[cfg(feature = "tls")]
                Io::ProxyTls(_) => &"TLS with the proxy",
            })
            .finish()
    }
}

/// A stream that blocks, for code that awaits: it is never pending.
#[derive(Debug)]
pub(super) struct Awaited<'a>(pub(super) &'a mut Stream);

impl AsyncRead for Awaited<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Ready(again(|| self.0.read(buf.initialize_unfilled())).map(|read| buf.advance(read)))
    }
}

impl AsyncWrite for Awaited<'_> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(again(|| self.0.write(buf)))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(again(|| self.0.flush()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(ws_sync::Stream::shutdown_write(self.0))
    }
}

/// A signal may interrupt a call; whoever awaits does not know of that.
fn again<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}
