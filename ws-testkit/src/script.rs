//! A byte stream that does what a script says.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

mod blocking;
#[cfg(feature = "tokio")]
mod tokio;

/// A byte stream whose every read and write does what its [`ScriptedPeer`] says: short, slow, broken or ended at any byte.
///
/// It implements `std::io::{Read, Write}`, where "not ready" is [`ErrorKind::WouldBlock`], and with the feature `tokio` also
/// `AsyncRead` and `AsyncWrite`, where it is `Pending`. A scripted "not ready" lasts for one call and wakes its task at once; behind the
/// end of the script reads are not ready until the peer sends more, and writes take everything.
///
/// ```
/// use std::io::{Read, Write};
/// use ws_testkit::ScriptedIo;
///
/// let (mut io, peer) = ScriptedIo::new();
/// peer.send("Hello").not_ready().end();
/// peer.take_at_most(2).refuse_write();
/// let mut buf = [0; 3];
/// assert_eq!((io.read(&mut buf).unwrap(), &buf), (3, b"Hel"));
/// assert_eq!((io.read(&mut buf).unwrap(), &buf[..2]), (2, &b"lo"[..]));
/// assert!(io.read(&mut buf).is_err(), "not ready, once");
/// assert_eq!(io.read(&mut buf).unwrap(), 0);
/// assert_eq!(io.write(b"World").unwrap(), 2);
/// assert!(io.write(b"rld").is_err(), "not ready, once");
/// io.write_all(b"rld").unwrap();
/// assert_eq!(peer.written(), b"World");
/// ```
#[derive(Debug)]
pub struct ScriptedIo(Arc<Mutex<Script>>);

/// The other end of a [`ScriptedIo`]: it writes the script, also while the stream is in use, and sees what was written. A clone is the
/// same peer.
#[derive(Clone, Debug)]
pub struct ScriptedPeer(Arc<Mutex<Script>>);

#[derive(Debug, Default)]
struct Script {
    reads: VecDeque<Read>,
    writes: VecDeque<Write>,
    written: Vec<u8>,
    is_shut: bool,
    is_dropped: bool,
    flushes: usize,
    reader: Option<Waker>,
}

#[derive(Debug)]
enum Read {
    Bytes(VecDeque<u8>),
    NotReady,
    Error(ErrorKind),
    End,
}

#[derive(Debug)]
enum Write {
    AtMost(usize),
    NotReady,
    Error(ErrorKind),
}

/// What a read or write came to.
enum Progress<T> {
    Done(io::Result<T>),
    /// Not ready this time; the next call gets on.
    NotNow,
    /// Not ready until the peer does something.
    NotYet,
}

impl ScriptedIo {
    /// A stream without a script: nothing to read, and every write is taken.
    #[must_use]
    pub fn new() -> (Self, ScriptedPeer) {
        let script = Arc::default();
        (Self(Arc::clone(&script)), ScriptedPeer(script))
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        // A test that panicked while holding the lock fails anyway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ScriptedIo {
    fn drop(&mut self) {
        self.script().is_dropped = true;
    }
}

impl ScriptedPeer {
    /// These bytes are read next: one read never gets bytes of two sends.
    pub fn send(&self, bytes: impl AsRef<[u8]>) -> &Self {
        let bytes: VecDeque<u8> = bytes.as_ref().iter().copied().collect();
        if bytes.is_empty() { self } else { self.read(Read::Bytes(bytes)) }
    }

    /// These bytes are read next, `size` at a time.
    pub fn send_in(&self, bytes: impl AsRef<[u8]>, size: usize) -> &Self {
        for piece in bytes.as_ref().chunks(size.max(1)) {
            self.send(piece);
        }
        self
    }

    /// Then a read is not ready, once.
    pub fn not_ready(&self) -> &Self {
        self.read(Read::NotReady)
    }

    /// Then a read fails, once.
    pub fn fail_read(&self, kind: ErrorKind) -> &Self {
        self.read(Read::Error(kind))
    }

    /// Then every read finds the end of the stream.
    pub fn end(&self) -> &Self {
        self.read(Read::End)
    }

    /// The next write takes at most `n` bytes.
    pub fn take_at_most(&self, n: usize) -> &Self {
        self.write(Write::AtMost(n))
    }

    /// Then a write is not ready, once.
    pub fn refuse_write(&self) -> &Self {
        self.write(Write::NotReady)
    }

    /// Then every write fails.
    pub fn fail_writes(&self, kind: ErrorKind) -> &Self {
        self.write(Write::Error(kind))
    }

    /// All that was written so far.
    #[must_use]
    pub fn written(&self) -> Vec<u8> {
        self.script().written.clone()
    }

    /// What was written since this was last asked.
    #[must_use]
    pub fn take_written(&self) -> Vec<u8> {
        std::mem::take(&mut self.script().written)
    }

    /// How often the stream was flushed.
    #[must_use]
    pub fn flushes(&self) -> usize {
        self.script().flushes
    }

    /// Was the write side shut down (tokio only; `std::io::Write` has no word for it)?
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.script().is_shut
    }

    /// Was the stream dropped?
    #[must_use]
    pub fn is_dropped(&self) -> bool {
        self.script().is_dropped
    }

    fn read(&self, step: Read) -> &Self {
        let mut script = self.script();
        script.reads.push_back(step);
        if let Some(waker) = script.reader.take() {
            waker.wake();
        }
        drop(script);
        self
    }

    fn write(&self, step: Write) -> &Self {
        self.script().writes.push_back(step);
        self
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Script {
    /// One read of up to `most` bytes, handed to `sink`.
    fn take(&mut self, most: usize, sink: impl FnOnce(&[u8])) -> Progress<usize> {
        let Some(step) = self.reads.front_mut() else { return Progress::NotYet };
        match step {
            // The end stays: whoever reads again finds it again.
            Read::End => return Progress::Done(Ok(0)),
            Read::Bytes(bytes) => {
                let taken: Vec<u8> = bytes.drain(..most.min(bytes.len())).collect();
                let n = taken.len();
                if bytes.is_empty() {
                    self.reads.pop_front();
                }
                sink(&taken);
                return Progress::Done(Ok(n));
            }
            Read::NotReady | Read::Error(_) => {}
        }
        match self.reads.pop_front() {
            Some(Read::Error(kind)) => Progress::Done(Err(kind.into())),
            _ => Progress::NotNow,
        }
    }

    /// One write of these slices.
    fn put(&mut self, slices: &[IoSlice<'_>]) -> Progress<usize> {
        let mut room = match self.writes.front() {
            // A broken stream stays broken.
            Some(Write::Error(kind)) => return Progress::Done(Err((*kind).into())),
            _ if self.is_shut => return Progress::Done(Err(ErrorKind::BrokenPipe.into())),
            Some(Write::NotReady) => {
                self.writes.pop_front();
                return Progress::NotNow;
            }
            Some(Write::AtMost(n)) => *n,
            None => usize::MAX,
        };
        self.writes.pop_front();
        let before = self.written.len();
        for slice in slices {
            let n = slice.len().min(room);
            self.written.extend(slice.iter().take(n));
            room -= n;
        }
        Progress::Done(Ok(self.written.len() - before))
    }
}
