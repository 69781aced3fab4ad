//! How a stream of another crate becomes one of `ws-sync`'s: a newtype that says what `Read` and `Write` cannot.

use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use ws_sync::Stream;

/// A TCP stream that `mio` watches.
pub(super) struct Tcp(pub(super) mio::net::TcpStream);

impl Stream for Tcp {
    fn shutdown_write(&mut self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }
}

impl Read for Tcp {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for Tcp {
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
