//! One connecting attempt to an address at a time ([RFC 6455 §4.1]).
//!
//! [RFC 6455 §4.1]: https://www.rfc-editor.org/rfc/rfc6455#section-4.1

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::OwnedMutexGuard;

/// Who waits for whom. An attempt holds the turn of one address only, and waits for none while it does, so nobody waits in a circle.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>);

/// Lasts until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn(#[expect(dead_code, reason = "held until it is dropped")] OwnedMutexGuard<()>);

impl Turns {
    /// Waits until no other attempt to this place is under way. A place is an IP address, or a host's name where its addresses are not known
    /// here.
    pub(crate) async fn take(&self, place: String) -> Turn {
        let lock = self.lock_of(place);
        Turn(lock.lock_owned().await)
    }

    /// Those who have or wait for a turn keep its lock alive; the table does not.
    fn lock_of(&self, place: String) -> Arc<tokio::sync::Mutex<()>> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = table.get(&place).and_then(Weak::upgrade) {
            return lock;
        }
        // So it is never larger than the number of attempts under way, and one.
        table.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::default();
        table.insert(place, Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn one_at_a_time_for_each_place_and_a_waiter_may_give_up() {
        let turns = Turns::default();
        let Poll::Ready(first) = poll(pin!(turns.take("a".into()))) else { panic!("nobody had it") };
        assert!(poll(pin!(turns.take("b".into()))).is_ready());
        let mut third = pin!(turns.take("a".into()));
        {
            let second = pin!(turns.take("a".into()));
            assert!(poll(second).is_pending());
        }
        assert!(poll(third.as_mut()).is_pending());
        drop(first);
        assert!(poll(third).is_ready());
    }

    #[test]
    fn the_table_forgets_whom_nobody_waits_for() {
        let turns = Turns::default();
        for place in 0..1000 {
            assert!(poll(pin!(turns.take(place.to_string()))).is_ready());
        }
        assert_eq!(turns.0.lock().unwrap().len(), 1);
    }
}
