//! TLS by rustls.

use super::Stream;
use rustls::{ConnectionCommon, SideData, StreamOwned};
use std::io::{self, ErrorKind};
use std::ops::DerefMut;
use std::time::Duration;

impl<C, T, D> Stream for StreamOwned<C, T>
where
    C: DerefMut<Target = ConnectionCommon<D>>,
    T: Stream,
    D: SideData,
{
    /// Sends `close_notify` (RFC 8446 §6.1), then ends our side of the stream below.
    fn shutdown_write(&mut self) -> io::Result<()> {
        self.conn.send_close_notify();
        while self.conn.wants_write() {
            if self.conn.write_tls(&mut self.sock)? == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
        }
        self.sock.flush()?;
        self.sock.shutdown_write()
    }

    fn set_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.sock.set_timeout(timeout)
    }

    fn set_nonblocking(&mut self, nonblocking: bool) -> io::Result<()> {
        self.sock.set_nonblocking(nonblocking)
    }

    /// Records of its own that could not be written; or bytes of ours, unless the TLS handshake waits for the peer first.
    fn wants_write(&self, queued: bool) -> bool {
        self.conn.wants_write() || (queued && !self.conn.is_handshaking())
    }
}
