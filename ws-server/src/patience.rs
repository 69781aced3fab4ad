//! Accepting when the system cannot: errors of single connections are passed over, behind all others there is a pause.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Whoever accepts, while the system cannot. It outlives the future that waits, which may be dropped at any time.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    /// The pause that was made last, and its end; `None` once something was accepted.
    pause: Option<(Duration, Instant)>,
}

impl Patience {
    /// Accepts; errors of single connections are passed over, behind all others there is a pause, which doubles while they go on.
    pub(crate) async fn accept<T>(
        &mut self,
        mut accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>,
        report: impl Fn(io::Error),
    ) -> T {
        loop {
            if let Some((_, end)) = self.pause {
                sleep_until(end).await;
            }
            match poll_fn(&mut accept).await {
                Ok(accepted) => {
                    self.pause = None;
                    return accepted;
                }
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    report(error);
                    let pause = self.pause.map_or(FIRST_PAUSE, |(last, _)| (last * 2).min(LONGEST_PAUSE));
                    self.pause = Some((pause, Instant::now() + pause));
                }
            }
        }
    }
}

/// Was this error one of the connection that would have been accepted, so that the next may be all right?
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind;
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn accepting_pauses_ever_longer_while_it_is_not_possible() {
        let attempts = Cell::new(0);
        let reports = RefCell::new(Vec::new());
        let began = Instant::now();
        let accept = |_: &mut Context<'_>| {
            attempts.set(attempts.get() + 1);
            // EMFILE: the process has no file descriptors left.
            let no_descriptors = io::Error::from_raw_os_error(24);
            Poll::Ready(if attempts.get() <= 9 { Err(no_descriptors) } else { Ok("accepted") })
        };
        let report = |error| reports.borrow_mut().push(error);
        assert_eq!(Patience::default().accept(accept, report).await, "accepted");
        assert_eq!(attempts.get(), 10);
        assert_eq!(reports.borrow().len(), 9);
        // 10 + 20 + 40 + … + 640 ms, then 1 s twice.
        assert_eq!(began.elapsed(), Duration::from_millis(1270 + 2000));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_stops_waiting_and_begins_again_does_not_shorten_the_pause() {
        let attempts = Cell::new(0);
        let mut patience = Patience::default();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(10) {
            let accept = |_: &mut Context<'_>| {
                attempts.set(attempts.get() + 1);
                Poll::Ready(Err::<(), _>(io::Error::from_raw_os_error(24)))
            };
            let waited = timeout(Duration::from_millis(3), patience.accept(accept, drop)).await;
            assert!(waited.is_err());
        }
        // 8 in the first 1.27 s, then one in each.
        assert_eq!(attempts.get(), 8 + 8);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_ends_before_it_is_accepted_makes_no_pause() {
        let attempts = Cell::new(0);
        let began = Instant::now();
        let accept = |_: &mut Context<'_>| {
            attempts.set(attempts.get() + 1);
            let aborted = io::ErrorKind::ConnectionAborted.into();
            Poll::Ready(if attempts.get() <= 3 { Err(aborted) } else { Ok(()) })
        };
        Patience::default().accept(accept, |error| panic!("{error}")).await;
        assert_eq!(attempts.get(), 4);
        assert!(began.elapsed().is_zero());
    }
}
