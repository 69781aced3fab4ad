//! How a server stops.

use crate::registry::{Farewell, Registry};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use ws_proto::CloseCode;

/// How a server stops; see [`ServerHandle::stop`](crate::ServerHandle::stop), which takes the time of grace alone as well.
///
/// ```
/// # use std::time::Duration;
/// use ws_server::{CloseCode, Drain};
///
/// let drain = Drain::new(Duration::from_secs(30)).restarts();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Drain {
    pub(crate) grace: Duration,
    pub(crate) farewell: Farewell,
    spread: Option<Duration>,
}

impl Drain {
    /// Gives connections so long to end; then they are cut.
    pub const fn new(grace: Duration) -> Self {
        let farewell = Farewell { code: CloseCode::GOING_AWAY, reason: "the server is stopping" };
        Self { grace, farewell, spread: None }
    }

    /// Says 1012, that the server restarts, which tells clients that it is worth while to connect again soon. Default: 1001, that it goes
    /// away.
    pub const fn restarts(mut self) -> Self {
        self.farewell = Farewell { code: CloseCode::SERVICE_RESTART, reason: "the server restarts" };
        self
    }

    /// Sends the Close frames over so long, evenly and in no order, so that not all clients connect elsewhere at the same moment. Default:
    /// 1 ms for each connection, but no more than half of the time of grace.
    pub const fn spread(mut self, time: Duration) -> Self {
        self.spread = Some(time);
        self
    }

    /// Sends a Close frame on every socket that is open.
    pub(crate) async fn close_all(self, registry: &Registry) {
        let closers = registry.closers();
        let count = u32::try_from(closers.len()).unwrap_or(u32::MAX);
        let spread = self.spread.unwrap_or_else(|| (Duration::from_millis(1) * count).min(self.grace / 2));
        let began = Instant::now();
        for (index, closer) in (0..count).zip(closers) {
            let offset = spread.mul_f64(f64::from(index) / f64::from(count));
            // Not one by one where they are close together: the timer counts in milliseconds.
            if offset > began.elapsed() + Duration::from_millis(1) {
                sleep(offset.saturating_sub(began.elapsed())).await;
            }
            self.farewell.say(&closer);
        }
    }
}

impl From<Duration> for Drain {
    fn from(grace: Duration) -> Self {
        Self::new(grace)
    }
}
