//! From a host's name to a TCP connection.

use crate::uri::Target;
use crate::{Error, Stage};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// Resolves the host and connects to the first of its addresses that answers. `deadline` is that of connecting as a whole.
pub(crate) async fn dial(target: &Target, deadline: Option<Instant>) -> Result<TcpStream, Error> {
    let resolving = tokio::net::lookup_host((target.host.as_str(), target.port));
    let addresses = within(deadline, Stage::Resolve, resolving).await?.map_err(Error::Resolve)?.collect();
    let tcp = connect_to_any(addresses, deadline).await?;
    // Small messages must not wait for the acknowledgement of others. Where it cannot be set, the stream still works.
    let _ = tcp.set_nodelay(true);
    Ok(tcp)
}

/// What `work` gives, unless the deadline comes first.
pub(crate) async fn within<T>(
    deadline: Option<Instant>,
    stage: Stage,
    work: impl Future<Output = T>,
) -> Result<T, Error> {
    match deadline {
        Some(deadline) => timeout_at(deadline, work).await.map_err(|_| Error::Timeout(stage)),
        None => Ok(work.await),
    }
}

async fn connect_to_any(addresses: Vec<SocketAddr>, deadline: Option<Instant>) -> Result<TcpStream, Error> {
    let mut left = addresses.len();
    let mut last = None;
    for address in addresses {
        let until = deadline.map(|deadline| turn(Instant::now(), deadline, left));
        left -= 1;
        last = Some(match within(until, Stage::Tcp, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => Error::Tcp(error),
            Err(timeout) => timeout,
        });
    }
    Err(last.unwrap_or_else(|| {
        Error::Resolve(io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
    }))
}

/// Until when to wait for one of the addresses that are left: each has the same share of the time, so that one that does not answer
/// leaves some to the others; but no share is so short that a distant host could not answer.
fn turn(now: Instant, deadline: Instant, left: usize) -> Instant {
    let time = deadline.saturating_duration_since(now);
    let share = time / u32::try_from(left.max(1)).unwrap_or(u32::MAX);
    now + share.max(SHORTEST_TURN).min(time)
}

const SHORTEST_TURN: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_share_the_time_that_is_left() {
        let now = Instant::now();
        let turn = |seconds, left| turn(now, now + Duration::from_secs(seconds), left) - now;
        assert_eq!(turn(30, 3), Duration::from_secs(10));
        assert_eq!(turn(30, 1), Duration::from_secs(30));
        assert_eq!(turn(10, 100), Duration::from_secs(2));
        assert_eq!(turn(1, 100), Duration::from_secs(1));
        assert_eq!(turn(0, 1), Duration::ZERO);
    }

    #[tokio::test]
    async fn the_next_address_is_tried_when_one_refuses() {
        let refusing = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let listening = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = vec![refusing, listening.local_addr().unwrap()];
        let tcp = connect_to_any(addresses, None).await.unwrap();
        assert_eq!(tcp.peer_addr().unwrap(), listening.local_addr().unwrap());
        assert!(matches!(connect_to_any(vec![refusing], None).await, Err(Error::Tcp(_))));
        assert!(matches!(connect_to_any(Vec::new(), None).await, Err(Error::Resolve(_))));
    }
}
