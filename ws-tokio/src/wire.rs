//! A socket's stream, and what became of it.

use crate::Error;
use crate::driver::now;
use crate::input::Input;
use crate::trace;
use bytes::{Buf, BufMut};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use ws_proto::{Connection, Failure, Transmit};

/// A socket's stream, and what became of it: errors and ends of it are told once, and kept.
#[derive(Debug)]
pub(crate) struct Wire<S> {
    /// `None` once it was taken out, or dropped behind the end of the connection.
    pub(crate) stream: Option<S>,
    /// Was something written that the stream may hold in a buffer of its own?
    unflushed: bool,
    /// Was the write side shut down?
    shut: bool,
    /// Did the peer end its side? Then nothing is read any more.
    ended: bool,
    /// Why nothing can be written any more. What can still be read is read.
    write_error: Option<io::Error>,
    read_error: Option<io::Error>,
}

impl<S> Wire<S> {
    pub(crate) const fn new(stream: S) -> Self {
        let stream = Some(stream);
        Self { stream, unflushed: false, shut: false, ended: false, write_error: None, read_error: None }
    }

    /// May the stream hold what was written?
    #[inline]
    pub(crate) const fn is_unflushed(&self) -> bool {
        self.unflushed
    }

    /// Can nothing be written any more?
    #[inline]
    pub(crate) const fn is_broken(&self) -> bool {
        self.write_error.is_some()
    }

    /// The error of the stream, if it cannot be written to any more.
    pub(crate) fn check_writable(&self) -> Result<(), Error> {
        self.write_error.as_ref().map_or(Ok(()), |error| Err(Error::Io(again(error))))
    }

    /// Lets nothing be written any more.
    pub(crate) fn cut(&mut self) {
        self.write_error.get_or_insert_with(|| io::ErrorKind::ConnectionAborted.into());
    }

    /// What a user is told of a connection that failed: where it only ended, the stream's own error says more.
    pub(crate) fn error(&self, failure: &Failure) -> Error {
        if *failure == Failure::EndOfStream
            && let Some(error) = self.read_error.as_ref().or(self.write_error.as_ref())
            && error.kind() != io::ErrorKind::UnexpectedEof
        {
            return Error::Io(again(error));
        }
        Error::Failed(failure.clone())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Writes what is queued; ready when all of it was written and flushed, or when nothing can be written any more: then it is discarded.
    pub(crate) fn poll_write(&mut self, transmit: &mut Transmit, cx: &mut Context<'_>) -> Poll<()> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(()) };
        let mut stream = Pin::new(stream);
        while !transmit.is_empty() {
            let written = if self.write_error.is_some() {
                Ok(transmit.len())
            } else if transmit.chunk().len() == transmit.len() || !stream.is_write_vectored() {
                ready!(stream.as_mut().poll_write(cx, transmit.chunk()))
            } else {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let filled = transmit.chunks_vectored(&mut slices);
                ready!(stream.as_mut().poll_write_vectored(cx, slices.get(..filled).unwrap_or_default()))
            };
            match written {
                Ok(0) => self.write_error = Some(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    transmit.advance(n);
                    self.unflushed = true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    trace::stream_failed("write", &error);
                    self.write_error = Some(error);
                }
            }
        }
        if self.unflushed {
            if let Err(error) = ready!(stream.poll_flush(cx)) {
                trace::stream_failed("flush", &error);
                self.write_error.get_or_insert(error);
            }
            self.unflushed = false;
        }
        Poll::Ready(())
    }

    /// Reads once, to where the bytes belong; ready with the time. An end or error of the stream becomes state of the connection.
    pub(crate) fn poll_read(
        &mut self,
        connection: &mut Connection,
        input: &mut Input,
        cx: &mut Context<'_>,
    ) -> Poll<Instant> {
        let Some(stream) = self.stream.as_mut().filter(|_| !self.ended) else { return Poll::Pending };
        let read = if let Some(buf) = connection.recv_buf() {
            let mut buf = ReadBuf::new(buf);
            ready!(Pin::new(stream).poll_read(cx, &mut buf)).map(|()| (buf.filled().len(), true))
        } else {
            let buf = &mut input.room().limit(connection.recv_limit());
            ready!(pin!(stream.read_buf(buf)).poll(cx)).map(|n| (n, false))
        };
        let now = now();
        match read {
            Ok((0, _)) => {
                self.ended = true;
                connection.handle_eof(now);
            }
            Ok((n, true)) => connection.received(n, now),
            Ok((_, false)) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                trace::stream_failed("read", &error);
                self.ended = true;
                self.read_error = Some(error);
                connection.handle_eof(now);
            }
        }
        Poll::Ready(now)
    }

    /// Shuts the write side down.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(stream) = self.stream.as_mut().filter(|_| !self.shut) {
            // A peer that is gone has nothing to be told.
            let _gone = ready!(Pin::new(stream).poll_shutdown(cx));
        }
        self.shut = true;
        Poll::Ready(())
    }
}

/// The same error for one more caller.
fn again(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

/// Most slices of one gathered write.
const SLICES: usize = 64;
