//! A socket of the system, with a deadline while it is connecting.

use crate::Error;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use std::{error, fmt};
use ws_sync::Stream;

/// A socket of the system, with a deadline while it is connecting.
#[derive(Debug)]
pub(super) struct Socket {
    kind: Kind,
    /// Behind it reads and writes fail with [`Expired`].
    deadline: Option<Instant>,
    /// What [`Stream::set_timeout`] said last.
    timeout: Option<Duration>,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// Calls the same on whichever socket it is.
macro_rules! forward {
    ($self:ident, $socket:ident => $call:expr) => {
        match &mut $self.kind {
            Kind::Tcp($socket) => $call,
            #[cfg(unix)]
            Kind::Unix($socket) => $call,
        }
    };
}

impl Socket {
    pub(super) const fn of_tcp(tcp: TcpStream) -> Self {
        Self { kind: Kind::Tcp(tcp), deadline: None, timeout: None }
    }

    #[cfg(unix)]
    pub(super) const fn of_unix(unix: UnixStream) -> Self {
        Self { kind: Kind::Unix(unix), deadline: None, timeout: None }
    }

    pub(super) const fn tcp(&self) -> Option<&TcpStream> {
        match &self.kind {
            Kind::Tcp(tcp) => Some(tcp),
            #[cfg(unix)]
            Kind::Unix(_) => None,
        }
    }

    /// Until when reads and writes may last, all together; `None` takes that back.
    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) -> io::Result<()> {
        self.deadline = deadline;
        let timeout = self.timeout;
        forward!(self, socket => socket.set_timeout(timeout))
    }

    fn within<T>(&mut self, call: impl Fn(&mut Self) -> io::Result<T>) -> io::Result<T> {
        let Some(deadline) = self.deadline else { return call(self) };
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::Error::other(Expired));
            }
            let timeout = self.timeout.map_or(left, |timeout| timeout.min(left));
            forward!(self, socket => socket.set_timeout(Some(timeout)))?;
            match call(self) {
                // The time was the deadline's, and not that of who set a shorter one.
                Err(error) if gave_up(&error) && self.timeout.is_none_or(|own| own > timeout) => {}
                outcome => return outcome,
            }
        }
    }
}

fn gave_up(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // The borrow of `buf` has to come back each time.
        let buf = std::cell::RefCell::new(buf);
        self.within(|this| forward!(this, socket => socket.read(&mut buf.borrow_mut())))
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.within(|this| forward!(this, socket => socket.write(buf)))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.within(|this| forward!(this, socket => socket.write_vectored(bufs)))
    }

    fn flush(&mut self) -> io::Result<()> {
        forward!(self, socket => socket.flush())
    }
}

impl Stream for Socket {
    fn shutdown_write(&mut self) -> io::Result<()> {
        forward!(self, socket => socket.shutdown_write())
    }

    fn set_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.timeout = timeout;
        forward!(self, socket => socket.set_timeout(timeout))
    }

    fn set_nonblocking(&mut self, nonblocking: bool) -> io::Result<()> {
        forward!(self, socket => Stream::set_nonblocking(socket, nonblocking))
    }
}

/// The deadline of a stage, or of connecting as a whole, has passed. It is no `TimedOut`: whoever gets that reads again.
#[derive(Debug)]
struct Expired;

impl fmt::Display for Expired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time for connecting is over")
    }
}

impl error::Error for Expired {}

/// Is it that the deadline has passed?
pub(super) fn is_expired(error: &Error) -> bool {
    let io = match error {
        Error::Tls(io) | Error::Io(io) => io,
        Error::Proxy(crate::ProxyError::Io(io) | crate::ProxyError::Tls(io)) => io,
        _ => return false,
    };
    io.get_ref().is_some_and(|inner| inner.is::<Expired>())
}
