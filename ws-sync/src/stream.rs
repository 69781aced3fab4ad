//! What a byte stream needs beyond `Read` and `Write` to carry a WebSocket well.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

#[cfg(feature = "rustls")]
mod tls;

/// A byte stream that a WebSocket can be driven over: [`Read`] and [`Write`], and what those two have no words for.
///
/// It is there for `TcpStream`, `UnixStream`, references to them, boxes, and (feature `rustls`) `rustls::StreamOwned` over any of
/// these. For a type of yours `impl Stream for Yours {}` is enough; a type of somebody else goes into [`Plain`]. What the provided
/// methods leave out is missed as each of them says.
///
/// From `read`, [`ErrorKind::WouldBlock`] means that nothing has come yet, `Ok(0)` and [`ErrorKind::UnexpectedEof`] that the peer has
/// ended its side. From `write` and `flush`, `WouldBlock` means that no more is taken now. [`ErrorKind::Interrupted`] is tried again.
pub trait Stream: Read + Write {
    /// Ends our side: the peer finds the end of the stream behind what was written, and may go on sending. Called again it does
    /// nothing. On [`ErrorKind::WouldBlock`] it will be called again.
    ///
    /// Without it, a connection that fails is closed as soon as its Close frame was written, and where the peer was in the middle of
    /// sending, the kernel's reset may overtake that frame (RFC 6455 §7.1.1).
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`], which is the default; or what the system says.
    fn shutdown_write(&mut self) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    /// Bounds how long each of the following reads and writes may block; `None` (so it is at first) lets them block for as long as it
    /// takes. One that came to its bound returns [`ErrorKind::WouldBlock`], or `TimedOut`. Called on blocking streams only, rarely, and
    /// never with zero. A stream that never blocks ignores it.
    ///
    /// Without it, which is the default, timers are looked at only when a read or write returns: a silent peer is never noticed.
    ///
    /// # Errors
    /// What the system says.
    fn set_timeout(&mut self, _timeout: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    /// Makes reads and writes return [`ErrorKind::WouldBlock`] instead of blocking, or not. The default does nothing: the stream is what
    /// it is.
    ///
    /// # Errors
    /// What the system says.
    fn set_nonblocking(&mut self, _nonblocking: bool) -> io::Result<()> {
        Ok(())
    }

    /// Is it worth waiting until more can be written? `queued` tells whether there are bytes for [`write`](Write::write), and that is
    /// the default's answer. A stream with a queue of its own, or one that must read before it can write, knows better: TLS does both.
    fn wants_write(&self, queued: bool) -> bool {
        queued
    }
}

/// Any `Read + Write`: nothing but bytes are asked of it.
///
/// So its timers run only when a read or write returns ([`Stream::set_timeout`]), and a connection that fails is closed at once
/// ([`Stream::shutdown_write`]). Where the type can do more, a newtype with its own [`Stream`] is better.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain<S>(
    /// The stream.
    pub S,
);

impl<S: Read + Write> Stream for Plain<S> {}

impl<S: Read> Read for Plain<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl<S: Write> Write for Plain<S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

macro_rules! sockets {
    ($($(#[$attr:meta])* $socket:ty),*) => {
        $($(#[$attr])* impl Stream for $socket {
            fn shutdown_write(&mut self) -> io::Result<()> {
                self.shutdown(Shutdown::Write)
            }

            /// Replaces the read and the write timeout of the socket.
            fn set_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
                self.set_read_timeout(timeout)?;
                self.set_write_timeout(timeout)
            }

            fn set_nonblocking(&mut self, nonblocking: bool) -> io::Result<()> {
                (*self).set_nonblocking(nonblocking)
            }
        })*
    };
}

sockets!(
    TcpStream,
    &TcpStream,
    #[cfg(unix)]
    UnixStream,
    #[cfg(unix)]
    &UnixStream
);

macro_rules! forwarded {
    ($($pointer:ty),*) => {
        $(impl<S: Stream + ?Sized> Stream for $pointer {
            fn shutdown_write(&mut self) -> io::Result<()> {
                (**self).shutdown_write()
            }

            fn set_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
                (**self).set_timeout(timeout)
            }

            fn set_nonblocking(&mut self, nonblocking: bool) -> io::Result<()> {
                (**self).set_nonblocking(nonblocking)
            }

            fn wants_write(&self, queued: bool) -> bool {
                (**self).wants_write(queued)
            }
        })*
    };
}

forwarded!(Box<S>, &mut S);
