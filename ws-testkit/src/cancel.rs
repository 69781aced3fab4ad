//! Cancel safety at every point: futures dropped after a number of polls, over a stream that is interrupted at every byte.
//!
//! [`Interruption::every`] gives all the ways to disturb a conversation whose bytes are known. For each run your code over
//! [`io`](Interruption::io), make every call with [`insist`](Interruption::insist), and compare what came of it:
//!
//! ```
//! use tokio::io::AsyncReadExt;
//! use ws_testkit::cancel::Interruption;
//!
//! let input = b"some bytes that must not be lost";
//! for interruption in Interruption::every(input.len(), 0) {
//!     let (mut io, _peer) = interruption.io(input);
//!     let (mut got, mut buf) = (Vec::new(), [0; 8]);
//!     // `read` is cancel safe; with `read_exact`, which is not, this finds bytes missing.
//!     while let Ok(n @ 1..) = interruption.insist(async || io.read(&mut buf).await) {
//!         got.extend_from_slice(&buf[..n]);
//!     }
//!     assert_eq!(got, interruption.arrives(input), "{interruption:?}");
//! }
//! ```

use crate::{ScriptedIo, ScriptedPeer};
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// One way to disturb a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interruption {
    /// Every future is dropped behind so many polls, where it is not ready then.
    pub polls: usize,
    /// What the stream does.
    pub fault: Fault,
}

/// What a stream does to whoever uses it. "Not ready" lasts for one poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The input comes in two parts, cut behind so many bytes; not ready before either, and behind both it has ended.
    CutInput(usize),
    /// A write takes at most so many bytes, and the next is not ready. The input comes at once, and has ended behind that.
    ShortWrites(usize),
    /// Both directions move byte by byte, and are not ready between any two.
    ByteByByte,
    /// The input ends behind so many bytes.
    EndedInput(usize),
    /// Reading fails behind so many bytes.
    BrokenInput(usize),
    /// Writing fails behind so many bytes, which were taken one by one.
    BrokenOutput(usize),
}

impl Interruption {
    /// All the ways to disturb a conversation of `input_bytes` to the code under test and `output_bytes` from it: each fault at each byte,
    /// each with futures dropped behind 1, 2 and 3 polls, and never.
    pub fn every(input_bytes: usize, output_bytes: usize) -> impl Iterator<Item = Self> {
        let inside = |bytes: usize| -> RangeInclusive<usize> { 1..=bytes.saturating_sub(1) };
        let faults = [Fault::ByteByByte]
            .into_iter()
            .chain(inside(input_bytes).map(Fault::CutInput))
            .chain(inside(output_bytes).map(Fault::ShortWrites))
            .chain((0..input_bytes).map(Fault::EndedInput))
            .chain((0..input_bytes).map(Fault::BrokenInput))
            .chain((0..output_bytes).map(Fault::BrokenOutput));
        faults.flat_map(|fault| [1, 2, 3, usize::MAX].map(|polls| Self { polls, fault }))
    }

    /// A stream that brings `input` and is disturbed like this, and its other end.
    #[must_use]
    pub fn io(&self, input: &[u8]) -> (ScriptedIo, ScriptedPeer) {
        let (io, peer) = ScriptedIo::new();
        match self.fault {
            Fault::CutInput(at) => {
                let (front, back) = input.split_at(at.min(input.len()));
                peer.not_ready().send(front).not_ready().send(back).not_ready().end();
            }
            Fault::ShortWrites(most) => {
                // Enough of them for any answer; behind the script a write takes everything.
                for _ in 0..MOST_WRITES {
                    peer.take_at_most(most).refuse_write();
                }
                peer.send(input).end();
            }
            Fault::ByteByByte => {
                for byte in input {
                    peer.send([*byte]).not_ready();
                }
                for _ in 0..MOST_WRITES {
                    peer.take_at_most(1).refuse_write();
                }
                peer.end();
            }
            Fault::EndedInput(at) => {
                peer.send(input.get(..at).unwrap_or(input)).not_ready().end();
            }
            Fault::BrokenInput(at) => {
                peer.send(input.get(..at).unwrap_or(input))
                    .not_ready()
                    .fail_read(ErrorKind::ConnectionReset)
                    .end();
            }
            Fault::BrokenOutput(at) => {
                for _ in 0..at {
                    peer.take_at_most(1).refuse_write();
                }
                peer.fail_writes(ErrorKind::BrokenPipe).send(input).end();
            }
        }
        (io, peer)
    }

    /// Does everything arrive, in both directions?
    #[must_use]
    pub const fn is_lossless(&self) -> bool {
        matches!(self.fault, Fault::CutInput(_) | Fault::ShortWrites(_) | Fault::ByteByByte)
    }

    /// What of `input` arrives at the code under test.
    #[must_use]
    pub fn arrives<'a>(&self, input: &'a [u8]) -> &'a [u8] {
        match self.fault {
            Fault::EndedInput(at) | Fault::BrokenInput(at) => input.get(..at).unwrap_or(input),
            Fault::CutInput(_) | Fault::ShortWrites(_) | Fault::ByteByByte | Fault::BrokenOutput(_) => input,
        }
    }

    /// Polls `future` as often as this interruption lets it be, and drops it where it is not ready then.
    ///
    /// # Panics
    /// When it is never dropped and makes no progress.
    pub fn within<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let cx = &mut Context::from_waker(Waker::noop());
        for _ in 0..self.polls.min(MOST_POLLS) {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Some(output);
            }
        }
        assert!(self.polls <= MOST_POLLS, "{self:?}: no progress within a million polls");
        None
    }

    /// Makes the same call again, as often as it is dropped, until one is ready: what a caller of a cancel-safe function may do. It needs
    /// no runtime, and drives none.
    ///
    /// # Panics
    /// When it makes no progress.
    pub fn insist<T>(&self, mut again: impl AsyncFnMut() -> T) -> T {
        for _ in 0..MOST_POLLS {
            if let Some(output) = self.within(again()) {
                return output;
            }
        }
        panic!("{self:?}: no progress within a million calls");
    }
}

/// The same as [`Interruption::insist`], inside of a runtime: others run between two calls.
pub async fn insist<T>(polls: usize, mut again: impl AsyncFnMut() -> T) -> T {
    loop {
        if let Some(output) = within(polls, again()).await {
            return output;
        }
        tokio::task::yield_now().await;
    }
}

async fn within<F: Future>(mut polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if polls <= 1 => Poll::Ready(None),
        Poll::Pending => {
            polls -= 1;
            Poll::Pending
        }
    })
    .await
}

/// More than any test takes.
const MOST_POLLS: usize = 1_000_000;
/// Scripted writes of a stream that is short of room.
const MOST_WRITES: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[test]
    fn a_read_that_is_not_cancel_safe_is_found_out() {
        let input = b"bytes that get lost";
        let lost =
            Interruption::every(input.len(), 0).filter(Interruption::is_lossless).any(|interruption| {
                let (mut io, _peer) = interruption.io(input);
                let mut got = vec![0; input.len()];
                // Forgets what it has read when it is dropped.
                interruption.insist(async || io.read_exact(&mut got).await).is_err()
            });
        assert!(lost);
    }

    #[test]
    fn a_write_that_is_not_cancel_safe_is_found_out() {
        let output = b"bytes that get doubled";
        let doubled =
            Interruption::every(0, output.len()).filter(Interruption::is_lossless).any(|interruption| {
                let (mut io, peer) = interruption.io(b"");
                interruption.insist(async || io.write_all(output).await.is_ok());
                peer.written() != output
            });
        assert!(doubled);
    }
}
