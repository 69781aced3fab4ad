//! tokio's traits over a script.

use super::{Progress, ScriptedIo};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

impl AsyncRead for ScriptedIo {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut script = self.script();
        match script.take(buf.remaining(), |bytes| buf.put_slice(bytes)) {
            Progress::Done(result) => Poll::Ready(result.map(|_| ())),
            Progress::NotNow => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Progress::NotYet => {
                script.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for ScriptedIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.script().put(bufs) {
            Progress::Done(result) => Poll::Ready(result),
            Progress::NotNow | Progress::NotYet => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.script().flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.script().is_shut = true;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_read_that_is_not_ready_wakes_its_task() {
        let (mut io, peer) = ScriptedIo::new();
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let mut memory = [0; 4];
        let mut buf = ReadBuf::new(&mut memory);
        peer.not_ready();
        assert!(Pin::new(&mut io).poll_read(&mut cx, &mut buf).is_pending());
        assert_eq!(count.0.load(Ordering::Relaxed), 1, "scripted: at once");
        assert!(Pin::new(&mut io).poll_read(&mut cx, &mut buf).is_pending());
        assert_eq!(count.0.load(Ordering::Relaxed), 1, "behind the script: when the peer sends");
        peer.send("Hi");
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        assert!(Pin::new(&mut io).poll_read(&mut cx, &mut buf).is_ready());
        assert_eq!(buf.filled(), b"Hi");
    }

    #[test]
    fn behind_a_shutdown_writes_fail() {
        let (mut io, peer) = ScriptedIo::new();
        let mut cx = Context::from_waker(Waker::noop());
        peer.take_at_most(1).refuse_write();
        assert!(matches!(Pin::new(&mut io).poll_write(&mut cx, b"ab"), Poll::Ready(Ok(1))));
        assert!(Pin::new(&mut io).poll_write(&mut cx, b"b").is_pending());
        assert!(Pin::new(&mut io).poll_shutdown(&mut cx).is_ready());
        assert!(matches!(Pin::new(&mut io).poll_write(&mut cx, b"b"), Poll::Ready(Err(_))));
        assert!(peer.is_shut_down());
    }
}
