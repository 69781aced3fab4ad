//! What a non-blocking caller waits for.

use std::fmt;
use std::time::Instant;

/// What to wait for before the call that would have blocked is made again: any of these.
///
/// It changes with every call on the socket. How an event loop goes with it, the [crate docs](crate#non-blocking) show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wait {
    /// Until there is something to read. Leave it out while you do not want to receive.
    pub readable: bool,
    /// Until more can be written.
    pub writable: bool,
    /// Until this time, and then call [`recv`](crate::WebSocket::recv) (or what else you were in), which sees to the timer. Being late
    /// is harmless. `None` where no timer runs.
    pub deadline: Option<Instant>,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.readable, self.writable) {
            (true, true) => "the stream is to become readable or writable first",
            (true, false) => "the stream is to become readable first",
            (false, true) => "the stream is to become writable first",
            (false, false) => "a timer is to fire first",
        })
    }
}
