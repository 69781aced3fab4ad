//! A stream, with what both the handshake and the connection need when they read from it and write to it.

use crate::Stream;
use bytes::{Buf, Bytes};
use std::io::{self, ErrorKind, IoSlice};
use std::time::{Duration, Instant};
use ws_proto::Transmit;

#[derive(Debug)]
pub(crate) struct Wire<S> {
    pub(crate) stream: S,
    /// What the opening handshake could not write; it leaves before anything else.
    head: Bytes,
    mode: Mode,
    /// Was something written since the stream was last flushed?
    unflushed: bool,
    /// Is our side ended?
    shut: bool,
}

/// Who decides how long the stream may block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Its owner: "would block" is handed on.
    AsIs,
    /// We do, so that timers fire in time; `timeout` is what it was told last.
    Bounded { timeout: Option<Duration> },
}

/// What a read came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrived {
    Bytes(usize),
    End,
    /// Nothing came in the time that the read was given; read again.
    Nothing,
    /// Nothing is there, and the stream does not wait.
    WouldBlock,
}

/// How long a write may block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Forever,
    /// As long as the peer takes some bytes in every such time.
    Stalled(Duration),
    /// Until then, whatever the peer takes.
    Until(Instant),
}

impl<S> Wire<S> {
    pub(crate) const fn new(stream: S) -> Self {
        Self { stream, head: Bytes::new(), mode: Mode::AsIs, unflushed: false, shut: false }
    }

    /// These bytes leave before anything else.
    pub(crate) fn put_first(&mut self, head: Bytes) {
        self.head = head;
    }

    /// Is anything not known to have left?
    pub(crate) fn has_unsent(&self) -> bool {
        self.unflushed || !self.head.is_empty()
    }

    /// How much of what was put first is not written.
    pub(crate) fn head_bytes(&self) -> usize {
        self.head.len()
    }

    /// What was put first and is not written.
    pub(crate) fn take_unsent(&mut self) -> Bytes {
        self.unflushed = false;
        std::mem::take(&mut self.head)
    }
}

impl<S: Stream> Wire<S> {
    /// Hands "would block" on from now on, or lets the stream block, and bounds that for the sake of the timers.
    pub(crate) fn set_nonblocking(&mut self, nonblocking: bool) -> io::Result<()> {
        self.stream.set_nonblocking(nonblocking)?;
        if nonblocking {
            if let Mode::Bounded { timeout: Some(_) } = self.mode {
                self.stream.set_timeout(None)?;
            }
            self.mode = Mode::AsIs;
        } else if self.mode == Mode::AsIs {
            self.stream.set_timeout(None)?;
            self.mode = Mode::Bounded { timeout: None };
        }
        Ok(())
    }

    /// Reads once; a read that blocks ends not much later than `deadline`.
    pub(crate) fn read(&mut self, buf: &mut [u8], deadline: Option<Instant>) -> io::Result<Arrived> {
        let began = match self.mode {
            Mode::AsIs => None,
            Mode::Bounded { .. } => {
                let now = Instant::now();
                self.bound_read(deadline.map(|deadline| deadline.saturating_duration_since(now)))?;
                Some(now)
            }
        };
        loop {
            return match self.stream.read(buf) {
                Ok(0) => Ok(Arrived::End),
                Ok(n) => Ok(Arrived::Bytes(n)),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // TLS without its closing alert: whether that matters, the closing handshake decides.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(Arrived::End),
                Err(error) if gave_up(&error) => Ok(if began.is_some_and(|began| self.has_waited(began)) {
                    Arrived::Nothing
                } else {
                    Arrived::WouldBlock
                }),
                Err(error) => Err(error),
            };
        }
    }

    /// Writes `transmit`, and flushes the stream behind it. False where the stream takes no more now, and does not wait.
    ///
    /// Fails with [`ErrorKind::TimedOut`] where `patience` ends.
    pub(crate) fn write(&mut self, transmit: &mut Transmit, patience: Patience) -> io::Result<bool> {
        if self.head.is_empty() && transmit.is_empty() && !self.unflushed {
            return Ok(true);
        }
        // When the last byte was taken, and when the current attempt began.
        let mut clock = match self.mode {
            Mode::AsIs => None,
            Mode::Bounded { .. } => {
                let now = Instant::now();
                Some((now, now))
            }
        };
        loop {
            if let Some((taken, attempt)) = &mut clock {
                let left = patience.left(*taken, *attempt);
                if left.is_some_and(|left| left.is_zero()) {
                    return Err(ErrorKind::TimedOut.into());
                }
                self.bound_write(left)?;
            }
            match self.write_some(transmit) {
                Ok(true) => return Ok(true),
                Ok(false) => {
                    if let Some((taken, attempt)) = &mut clock {
                        *attempt = Instant::now();
                        *taken = *attempt;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if gave_up(&error) => match &mut clock {
                    Some((_, attempt)) if self.has_waited(*attempt) => *attempt = Instant::now(),
                    _ => return Ok(false),
                },
                Err(error) => return Err(error),
            }
        }
    }

    /// Ends our side. False where the stream cannot do it now.
    pub(crate) fn shutdown_write(&mut self) -> io::Result<bool> {
        while !self.shut {
            match self.stream.shutdown_write() {
                Ok(()) => self.shut = true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if gave_up(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// One call on the stream: a write, or the flush behind the last of them. True when nothing is left to do.
    fn write_some(&mut self, transmit: &mut Transmit) -> io::Result<bool> {
        if self.head.is_empty() && transmit.is_empty() {
            if self.unflushed {
                self.stream.flush()?;
                self.unflushed = false;
            }
            return Ok(true);
        }
        let n = if self.head.is_empty() && transmit.chunk().len() == transmit.len() {
            self.stream.write(transmit.chunk())?
        } else {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let [first, others @ ..] = &mut slices;
            *first = IoSlice::new(&self.head);
            let filled = 1 + transmit.chunks_vectored(others);
            let skipped = usize::from(self.head.is_empty());
            self.stream.write_vectored(slices.get(skipped..filled).unwrap_or_default())?
        };
        if n == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        let of_head = n.min(self.head.len());
        self.head.advance(of_head);
        transmit.advance(n - of_head);
        self.unflushed = true;
        Ok(false)
    }

    /// Bounds a read to about `left`. Telling the stream costs a system call, so a bound that is near enough stays: one that is late by an
    /// eighth, or that makes one more read necessary.
    fn bound_read(&mut self, left: Option<Duration>) -> io::Result<()> {
        let left = left.map(|left| left.max(SHORTEST));
        match (self.mode, left) {
            (Mode::Bounded { timeout: Some(timeout) }, Some(left))
                if timeout >= left / 2 && timeout <= left + left / 8 =>
            {
                Ok(())
            }
            (Mode::Bounded { timeout }, left) if timeout != left => self.set_timeout(left),
            _ => Ok(()),
        }
    }

    /// Bounds a write to at most about `left`: a shorter bound does no harm.
    fn bound_write(&mut self, left: Option<Duration>) -> io::Result<()> {
        let Some(left) = left.map(|left| left.max(SHORTEST)) else { return Ok(()) };
        match self.mode {
            Mode::Bounded { timeout } if timeout.is_none_or(|timeout| timeout > left + left / 8) => {
                self.set_timeout(Some(left))
            }
            Mode::Bounded { .. } | Mode::AsIs => Ok(()),
        }
    }

    fn set_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.stream.set_timeout(timeout)?;
        self.mode = Mode::Bounded { timeout };
        Ok(())
    }

    /// Did a call that began then and gave up use the time it was given? If not, the stream does not block, whatever we believe, and
    /// trying again at once would be a busy loop.
    fn has_waited(&self, began: Instant) -> bool {
        match self.mode {
            Mode::Bounded { timeout: Some(timeout) } => began.elapsed() >= timeout / 2,
            Mode::Bounded { timeout: None } | Mode::AsIs => false,
        }
    }
}

impl Patience {
    /// What is left of it, when the last byte was taken then.
    fn left(self, taken: Instant, now: Instant) -> Option<Duration> {
        match self {
            Self::Forever => None,
            Self::Stalled(most) => Some(most.saturating_sub(now.saturating_duration_since(taken))),
            Self::Until(deadline) => Some(deadline.saturating_duration_since(now)),
        }
    }
}

/// Did the stream return because it would have had to wait, or wait longer?
fn gave_up(error: &io::Error) -> bool {
    match error.kind() {
        ErrorKind::WouldBlock => true,
        // Of a kernel, only Windows says this for a timeout of ours; elsewhere it says that the peer has not answered for minutes.
        ErrorKind::TimedOut => cfg!(windows) || error.raw_os_error().is_none(),
        _ => false,
    }
}

/// The shortest time that a call is allowed to block: sockets know no zero, and coarse clocks little less.
const SHORTEST: Duration = Duration::from_millis(1);
/// Most slices of one gathered write.
const SLICES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    /// Remembers what it was told; every read waits for as long as it may.
    #[derive(Default)]
    struct Patient {
        told: Vec<Option<Duration>>,
    }

    impl Read for Patient {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            Ok(buf.len())
        }
    }

    impl Write for Patient {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            Ok(buf.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Stream for Patient {
        fn set_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
            self.told.push(timeout);
            Ok(())
        }
    }

    #[test]
    fn a_bound_that_is_near_enough_is_not_told_again() {
        let mut wire = Wire::new(Patient::default());
        let at = |seconds| Some(Instant::now() + Duration::from_secs(seconds));
        wire.read(&mut [0], at(20)).unwrap();
        assert!(wire.stream.told.is_empty(), "the owner's business");
        wire.set_nonblocking(false).unwrap();
        for left in [20, 20, 19, 18, 30, 5, 5, 20] {
            wire.read(&mut [0], at(left)).unwrap();
        }
        wire.read(&mut [0], None).unwrap();
        wire.write(&mut Transmit::default(), Patience::Until(Instant::now())).unwrap();
        let told: Vec<_> = wire
            .stream
            .told
            .iter()
            .map(|told| told.map_or(0, |told| told.as_millis().div_ceil(1000)))
            .collect();
        assert_eq!(told, [0, 20, 5, 20, 0]);
    }

    #[test]
    fn a_bound_is_never_zero() {
        let mut wire = Wire::new(Patient::default());
        wire.set_nonblocking(false).unwrap();
        wire.read(&mut [0], Some(Instant::now())).unwrap();
        assert_eq!(wire.stream.told.last(), Some(&Some(SHORTEST)));
    }
}
