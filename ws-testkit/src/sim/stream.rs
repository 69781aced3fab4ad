//! The same bad lines as a stream of tokio.

use super::line::{Line, Read};
use super::{Accident, Weather};
use crate::Rng;
use std::fmt;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// One end of a simulated TCP connection, for code on tokio. Make both with [`stream_pair`].
///
/// Its time is that of tokio: in a test with `start_paused` an hour costs nothing, and every run is the same. Dropping it closes the
/// connection as the kernel does: where something was left unread, the other end is reset.
pub struct SimStream {
    wire: Arc<Mutex<Wire>>,
    /// Which of both it is.
    end: usize,
    /// Until the next bytes arrive, or something breaks.
    sleep: Option<Pin<Box<Sleep>>>,
}

struct Wire {
    weather: Weather,
    rng: Rng,
    /// To this end.
    lines: [Line; 2],
    readers: [Option<Waker>; 2],
    writers: [Option<Waker>; 2],
    is_reset: bool,
    ahead: Option<(std::time::Instant, Accident)>,
}

/// Two ends of a simulated TCP connection in this weather; all that happens follows from the seed, and from when the ends are polled.
///
/// # Panics
/// Never by itself; reading and writing need a tokio runtime with time enabled.
#[must_use]
pub fn stream_pair(seed: u64, weather: Weather) -> (SimStream, SimStream) {
    let mut rng = Rng::new(seed);
    let now = now();
    let lines = [(); 2].map(|()| Line::new(weather, Rng::new(rng.next_u64()), now));
    let ahead = weather.accident(&mut rng).map(|(after, accident)| (now + after, accident));
    let wire =
        Wire { weather, rng, lines, readers: [None, None], writers: [None, None], is_reset: false, ahead };
    let wire = Arc::new(Mutex::new(wire));
    let end = |end| SimStream { wire: Arc::clone(&wire), end, sleep: None };
    (end(0), end(1))
}

impl SimStream {
    fn wire(&self) -> MutexGuard<'_, Wire> {
        // A test that panicked while holding the lock fails anyway.
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wire {
    fn wake_all(&mut self) {
        for waker in self.readers.iter_mut().chain(&mut self.writers).filter_map(Option::take) {
            waker.wake();
        }
    }

    fn break_down(&mut self, now: std::time::Instant) {
        let Some((_, accident)) = self.ahead.take_if(|(at, _)| *at <= now) else { return };
        match accident {
            Accident::Reset => self.reset(now),
            Accident::Cut => self.lines.iter_mut().for_each(Line::cut),
            Accident::HalfClose => {
                let direction = self.rng.below(2);
                self.lines[direction].end_early(now);
            }
        }
        self.wake_all();
    }

    fn reset(&mut self, now: std::time::Instant) {
        self.is_reset = true;
        self.lines.iter_mut().for_each(|line| line.reset(now));
    }
}

impl AsyncRead for SimStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (this, now) = (&mut *self, now());
        let end = this.end;
        let mut wire = this.wire.lock().unwrap_or_else(PoisonError::into_inner);
        wire.break_down(now);
        match wire.lines[end].read(buf.remaining(), now) {
            Read::Bytes(bytes) => {
                buf.put_slice(&bytes);
                if let Some(writer) = wire.writers[1 - end].take() {
                    writer.wake();
                }
                return Poll::Ready(Ok(()));
            }
            Read::End if wire.is_reset => return Poll::Ready(Err(ErrorKind::ConnectionReset.into())),
            Read::End => return Poll::Ready(Ok(())),
            Read::Nothing => wire.readers[end] = Some(cx.waker().clone()),
        }
        let next = [wire.lines[end].next_arrival(), wire.ahead.map(|(at, _)| at)].into_iter().flatten().min();
        drop(wire);
        if let Some(next) = next {
            let sleep = this.sleep.get_or_insert_with(|| Box::pin(sleep_until(next.into())));
            sleep.as_mut().reset(next.into());
            if sleep.as_mut().poll(cx).is_ready() {
                cx.waker().wake_by_ref();
            }
        }
        Poll::Pending
    }
}

impl AsyncWrite for SimStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let (end, now) = (self.end, now());
        let mut guard = self.wire();
        let wire = &mut *guard;
        wire.break_down(now);
        let line = &mut wire.lines[1 - end];
        if line.is_gone() {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        let n = wire.weather.piece(&mut wire.rng, buf.len().min(line.room()));
        if n == 0 && !buf.is_empty() {
            wire.writers[end] = Some(cx.waker().clone());
            return Poll::Pending;
        }
        line.write(buf.iter().take(n).copied().collect(), now);
        if let Some(reader) = wire.readers[1 - end].take() {
            reader.wake();
        }
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut wire = self.wire();
        wire.lines[1 - self.end].end(now());
        wire.wake_all();
        Poll::Ready(Ok(()))
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        let (end, now) = (self.end, now());
        let mut wire = self.wire();
        if wire.lines[end].abandon() {
            wire.is_reset = true;
            wire.lines[1 - end].reset(now);
        } else {
            wire.lines[1 - end].end(now);
        }
        wire.wake_all();
    }
}

impl fmt::Debug for SimStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimStream").field("end", &self.end).finish_non_exhaustive()
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}
