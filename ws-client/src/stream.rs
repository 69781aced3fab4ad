//! The stream below a socket of the client: TCP as a rule, with TLS or without, through a proxy or not.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
#[cfg(feature = "tls")]
use tokio_rustls::client::TlsStream;

/// The stream below a socket of the client: TCP as a rule, with TLS or without, through a proxy or not.
pub struct Stream(Io);

enum Io {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    /// Of a connector.
    Other(Box<dyn Duplex>),
    /// TLS with the host, over any of these. In a box: a TLS session is more than 1 KiB, and all connections would be as large.
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream<Stream>>),
    /// TLS with the proxy.
    #[cfg(feature = "tls")]
    ProxyTls(Box<TlsStream<Stream>>),
}

/// What a connector may open.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Stream {
    pub(crate) const fn of_tcp(tcp: TcpStream) -> Self {
        Self(Io::Tcp(tcp))
    }

    #[cfg(unix)]
    pub(crate) const fn of_unix(unix: UnixStream) -> Self {
        Self(Io::Unix(unix))
    }

    pub(crate) const fn other(io: Box<dyn Duplex>) -> Self {
        Self(Io::Other(io))
    }

    #[cfg(feature = "tls")]
    pub(crate) fn of_tls(tls: TlsStream<Self>) -> Self {
        Self(Io::Tls(Box::new(tls)))
    }

    #[cfg(feature = "tls")]
    pub(crate) fn of_proxy_tls(tls: TlsStream<Self>) -> Self {
        Self(Io::ProxyTls(Box::new(tls)))
    }

    /// The TCP stream at the bottom, for socket options and addresses; with a proxy it leads there. `None` where it is a Unix socket, or
    /// a [connector](crate::ClientBuilder::connector) opened it. Do not read or write.
    #[must_use]
    pub fn tcp(&self) -> Option<&TcpStream> {
        match &self.0 {
            Io::Tcp(tcp) => Some(tcp),
            #[cfg(unix)]
            Io::Unix(_) => None,
            Io::Other(_) => None,
            #[cfg(feature = "tls")]
            Io::Tls(tls) | Io::ProxyTls(tls) => tls.get_ref().0.tcp(),
        }
    }

    /// The TLS session with the host, which knows its certificate; `None` without TLS. That with a proxy is not shown.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(&self) -> Option<&rustls::ClientConnection> {
        match &self.0 {
            Io::Tls(tls) => Some(tls.get_ref().1),
            _ => None,
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Io::Tcp(tcp) => f.debug_tuple("Tcp").field(tcp).finish(),
            #[cfg(unix)]
            Io::Unix(unix) => f.debug_tuple("Unix").field(unix).finish(),
            Io::Other(_) => f.debug_tuple("Other").finish_non_exhaustive(),
            #[cfg(feature = "tls")]
            Io::Tls(tls) => f.debug_tuple("Tls").field(tls.get_ref().0).finish(),
            #[cfg(feature = "tls")]
            Io::ProxyTls(tls) => f.debug_tuple("ProxyTls").field(tls.get_ref().0).finish(),
        }
    }
}

/// Calls the same on whichever stream it is.
macro_rules! forward {
    ($inner:expr, $io:ident => $call:expr) => {
        match $inner {
            Io::Tcp($io) => $call,
            #[cfg(unix)]
            Io::Unix($io) => $call,
            Io::Other($io) => $call,
            #[cfg(feature = "tls")]
            Io::Tls($io) | Io::ProxyTls($io) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        forward!(&mut self.get_mut().0, io => Pin::new(io).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        forward!(&mut self.get_mut().0, io => Pin::new(io).poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(&mut self.get_mut().0, io => Pin::new(io).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(&mut self.get_mut().0, io => Pin::new(io).poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        forward!(&mut self.get_mut().0, io => Pin::new(io).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        forward!(&self.0, io => io.is_write_vectored())
    }
}
