//! Which of a host's addresses to connect to ([RFC 8305]): the first that answers, without waiting long for any.
//!
//! [RFC 8305]: https://www.rfc-editor.org/rfc/rfc8305

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::time::timeout;

/// The families take turns, beginning with that of the first address (§4).
pub(crate) fn interleave(addresses: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let addresses: Vec<_> = addresses.into_iter().take(MOST_ADDRESSES).collect();
    let Some(first) = addresses.first() else { return addresses };
    let (same, other): (Vec<_>, Vec<_>) = addresses.iter().partition(|it| it.is_ipv4() == first.is_ipv4());
    let mut other = other.into_iter();
    let mut sorted = Vec::with_capacity(addresses.len());
    for address in same {
        sorted.push(address);
        sorted.extend(other.next());
    }
    sorted.extend(other);
    sorted
}

/// Connects to the addresses in their order, to the next as soon as one has failed or [`DELAY`] has passed (§5). The first that succeeds
/// wins, and all others are dropped; where none does, the last error is told. `None` where there is no address.
pub(crate) async fn race<T, E, F>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> Option<Result<T, E>>
where
    F: Future<Output = Result<T, E>>,
{
    let mut addresses = addresses.into_iter();
    let mut running = Vec::new();
    let mut last = None;
    loop {
        match addresses.next() {
            Some(address) => running.push(Box::pin(connect(address))),
            None if running.is_empty() => return last,
            None => {}
        }
        let ended = if addresses.len() == 0 {
            first(&mut running).await
        } else if let Ok(ended) = timeout(DELAY, first(&mut running)).await {
            ended
        } else {
            continue;
        };
        if ended.is_ok() {
            return Some(ended);
        }
        last = Some(ended);
    }
}

/// The output of the first that ends; it is taken out.
async fn first<F: Future>(running: &mut Vec<Pin<Box<F>>>) -> F::Output {
    poll_fn(|cx| {
        for (index, future) in running.iter_mut().enumerate() {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                running.swap_remove(index);
                return Poll::Ready(output);
            }
        }
        Poll::Pending
    })
    .await
}

/// The Connection Attempt Delay, as §8 recommends it.
const DELAY: Duration = Duration::from_millis(250);

/// More are no help, and each may cost an attempt: a resolver may answer with thousands.
const MOST_ADDRESSES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use tokio::time::{Instant, sleep};

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn families_take_turns() {
        let sorted = interleave(["[::1]:1", "[::2]:1", "[::3]:1", "1.0.0.1:1", "1.0.0.2:1"].map(address));
        assert_eq!(sorted, ["[::1]:1", "1.0.0.1:1", "[::2]:1", "1.0.0.2:1", "[::3]:1"].map(address));
        let sorted = interleave(["1.0.0.1:1", "[::1]:1", "[::2]:1"].map(address));
        assert_eq!(sorted, ["1.0.0.1:1", "[::1]:1", "[::2]:1"].map(address));
        assert_eq!(interleave([]), []);
        assert_eq!(interleave((1..1000).map(|port| SocketAddr::from(([127, 0, 0, 1], port)))).len(), 32);
    }

    /// Each address says by its port how many milliseconds it takes; one that ends in 1 fails.
    async fn run(ports: &[u16]) -> (Option<Result<u16, u16>>, Vec<(u16, u128)>, u128) {
        let start = Instant::now();
        let started = RefCell::new(Vec::new());
        let addresses = ports.iter().map(|&port| SocketAddr::from(([127, 0, 0, 1], port))).collect();
        let ended = race(addresses, |address| {
            let port = address.port();
            started.borrow_mut().push((port, start.elapsed().as_millis()));
            async move {
                sleep(Duration::from_millis(port.into())).await;
                if port % 10 == 1 { Err(port) } else { Ok(port) }
            }
        })
        .await;
        (ended, started.into_inner(), start.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_that_answers_wins_and_nobody_is_waited_for_long() {
        assert_eq!(run(&[100, 20]).await, (Some(Ok(100)), vec![(100, 0)], 100));
        assert_eq!(run(&[9000, 20, 10]).await, (Some(Ok(20)), vec![(9000, 0), (20, 250)], 270));
        assert_eq!(run(&[300, 9000]).await, (Some(Ok(300)), vec![(300, 0), (9000, 250)], 300));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_fails_makes_way_at_once() {
        assert_eq!(run(&[11, 21, 30]).await, (Some(Ok(30)), vec![(11, 0), (21, 11), (30, 32)], 62));
        assert_eq!(run(&[9001, 31, 40]).await, (Some(Ok(40)), vec![(9001, 0), (31, 250), (40, 281)], 321));
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_error_is_told_when_all_have_failed() {
        assert_eq!(run(&[9001, 31]).await, (Some(Err(9001)), vec![(9001, 0), (31, 250)], 9001));
        assert_eq!(run(&[]).await.0, None);
    }
}
