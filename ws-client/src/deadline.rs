//! Until when connecting as a whole must be over, and each of its stages.

use crate::{Error, Stage};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The end of connecting as a whole; none where it is too far away for the clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) fn after(timeout: Duration) -> Self {
        Self(Instant::now().checked_add(timeout))
    }

    /// What `work` gives, unless the end comes first, or that of the stage, whose `timeout` begins now.
    pub(crate) async fn within<T>(
        self,
        timeout: Duration,
        stage: Stage,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        let of_stage = Instant::now().checked_add(timeout);
        match self.0.into_iter().chain(of_stage).min() {
            Some(deadline) => timeout_at(deadline, work).await.map_err(|_| Error::Timeout(stage)),
            None => Ok(work.await),
        }
    }

    /// The same without a time of its own for the stage.
    pub(crate) async fn hold<T>(self, stage: Stage, work: impl Future<Output = T>) -> Result<T, Error> {
        self.within(Duration::MAX, stage, work).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[tokio::test(start_paused = true)]
    async fn the_earlier_of_both_ends_counts() {
        let start = Instant::now();
        let whole = Deadline::after(Duration::from_secs(10));
        let ended = whole.within(Duration::from_secs(4), Stage::Dns, pending::<()>()).await;
        assert!(matches!(ended, Err(Error::Timeout(Stage::Dns))));
        assert_eq!(start.elapsed().as_secs(), 4);
        let ended = whole.within(Duration::from_secs(40), Stage::Tls, pending::<()>()).await;
        assert!(matches!(ended, Err(Error::Timeout(Stage::Tls))));
        assert_eq!(start.elapsed().as_secs(), 10);
        let never = Deadline::after(Duration::MAX);
        assert_eq!(never.hold(Stage::Proxy, async { 7 }).await.unwrap(), 7);
    }
}
