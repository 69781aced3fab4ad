//! The listening socket.

use crate::accept::Connecting;
use crate::builder::{OnError, ServerBuilder};
use crate::registry::Registry;
use crate::{Config, Error};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::Instant;

/// A server that listens. [`serve`](Self::serve) runs a handler for each connection; [`accept`](Self::accept) is for those who run the
/// connections themselves. Dropping it stops listening.
pub struct Server {
    listener: TcpListener,
    pub(crate) shared: Arc<Shared>,
}

/// What all connections of a server have in common.
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<crate::Tls>,
    pub(crate) on_error: Box<OnError>,
    pub(crate) registry: Arc<Registry>,
}

impl Server {
    /// Starts from the defaults; ends with [`ServerBuilder::bind`].
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    pub(crate) fn new(listener: TcpListener, shared: Shared) -> Self {
        Self { listener, shared: Arc::new(shared) }
    }

    /// The address that it listens on, with the port that was chosen where 0 was asked for.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Waits for the next TCP connection. Its handshakes are still to be made: do that in a task of its own, or a slow client keeps the
    /// next one waiting.
    ///
    /// It never fails: what concerns one connection only is passed over, and when no connection can be accepted it tells
    /// [`on_error`](ServerBuilder::on_error) and tries again after a pause. `TCP_NODELAY` is set on each connection.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Example
    /// ```
    /// # async fn example(server: ws_server::Server) {
    /// use ws_server::Acceptance;
    ///
    /// loop {
    ///     let connecting = server.accept().await;
    ///     tokio::spawn(async move {
    ///         let Ok(incoming) = connecting.handshake().await else { return };
    ///         let Ok(mut socket) = incoming.accept(Acceptance::default()).await else { return };
    ///         while let Ok(Some(message)) = socket.recv().await {
    ///             println!("{message:?}");
    ///         }
    ///     });
    /// }
    /// # }
    /// ```
    pub async fn accept(&self) -> Connecting {
        let report = |error| self.shared.report(&Error::Accept(error), None);
        let (tcp, peer_addr) = accept_patiently(|| self.listener.accept(), report).await;
        // Small messages must not wait for the acknowledgement of others. Where it cannot be set, the stream still works.
        let _ = tcp.set_nodelay(true);
        let entry = self.shared.registry.enter();
        Connecting { tcp, peer_addr, began: Instant::now(), entry, shared: Arc::clone(&self.shared) }
    }
}

impl Shared {
    pub(crate) fn report(&self, error: &Error, peer: Option<SocketAddr>) {
        (self.on_error)(error, peer);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("listener", &self.listener).finish_non_exhaustive()
    }
}

/// Listens on one address.
pub(crate) fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that was restarted gets its port again, though connections of the old one are still in TIME_WAIT.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Accepts; errors of single connections are passed over, behind all others there is a pause, which doubles while they go on.
async fn accept_patiently<T, F>(mut accept: impl FnMut() -> F, report: impl Fn(io::Error)) -> T
where
    F: Future<Output = io::Result<T>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        match accept().await {
            Ok(accepted) => return accepted,
            Err(error) if concerns_one_connection(&error) => {}
            Err(error) => {
                report(error);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Was this error one of the connection that would have been accepted, so that the next may be all right?
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind;
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}

const BACKLOG: u32 = 1024;
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};
    use std::future::ready;

    #[tokio::test(start_paused = true)]
    async fn accepting_pauses_ever_longer_while_it_is_not_possible() {
        let attempts = Cell::new(0);
        let reports = RefCell::new(Vec::new());
        let began = Instant::now();
        let accept = || {
            attempts.set(attempts.get() + 1);
            // EMFILE: the process has no file descriptors left.
            ready(if attempts.get() <= 9 { Err(io::Error::from_raw_os_error(24)) } else { Ok("accepted") })
        };
        assert_eq!(accept_patiently(accept, |error| reports.borrow_mut().push(error)).await, "accepted");
        assert_eq!(attempts.get(), 10);
        assert_eq!(reports.borrow().len(), 9);
        // 10 + 20 + 40 + … + 640 ms, then 1 s twice.
        assert_eq!(began.elapsed(), Duration::from_millis(1270 + 2000));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_ends_before_it_is_accepted_makes_no_pause() {
        let attempts = Cell::new(0);
        let began = Instant::now();
        let accept = || {
            attempts.set(attempts.get() + 1);
            ready(if attempts.get() <= 3 { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) })
        };
        accept_patiently(accept, |error| panic!("{error}")).await;
        assert_eq!(attempts.get(), 4);
        assert!(began.elapsed().is_zero());
    }
}
