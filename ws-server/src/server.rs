//! The server that listens, and what all of its connections have in common.

use crate::accept::Connecting;
use crate::builder::{OnError, Plain, ServerBuilder};
use crate::patience::Patience;
use crate::registry::Registry;
use crate::stream::{Io, PeerAddr};
use crate::{Config, Error, Listener, Origins};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::Instant;

/// A server that listens. [`serve`](Self::serve) runs a handler for each connection; [`accept`](Self::accept) is for those who run the
/// connections themselves. Dropping it stops listening.
pub struct Server {
    listeners: Vec<Listener>,
    /// Which listener is asked first: each in turn, so that a busy one starves no other.
    first: usize,
    patience: Patience,
    pub(crate) shared: Arc<Shared>,
}

/// What all connections of a server have in common.
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<crate::Tls>,
    pub(crate) origins: Origins,
    pub(crate) hosts: Option<Vec<Box<str>>>,
    pub(crate) proxy_protocol: bool,
    pub(crate) plain: Option<Box<Plain>>,
    pub(crate) on_error: Box<OnError>,
    pub(crate) registry: Arc<Registry>,
}

impl Server {
    /// Starts from the defaults; ends with [`ServerBuilder::bind`].
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    pub(crate) fn new(listeners: Vec<Listener>, shared: Shared) -> Self {
        Self { listeners, first: 0, patience: Patience::default(), shared: Arc::new(shared) }
    }

    /// The address of the first TCP listener, with the port that was chosen where 0 was asked for.
    ///
    /// # Errors
    /// `AddrNotAvailable` where there are Unix sockets only.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let addr = self.listeners.iter().find_map(Listener::local_addr);
        addr.ok_or_else(|| {
            io::Error::new(io::ErrorKind::AddrNotAvailable, "the server listens on no TCP port")
        })
    }

    /// What it listens on.
    #[must_use]
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// Waits for the next connection, on any of the listeners. Its handshakes are still to be made: do that in a task of its own, or a
    /// slow client keeps the next one waiting.
    ///
    /// It never fails: what concerns one connection only is passed over; one that is too many is closed and told to
    /// [`on_error`](ServerBuilder::on_error), and when no connection can be accepted, that is told too and tried again after a pause.
    /// `TCP_NODELAY` is set on each connection.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Example
    /// ```
    /// # async fn example(mut server: ws_server::Server) {
    /// use ws_server::Acceptance;
    ///
    /// loop {
    ///     let connecting = server.accept().await;
    ///     tokio::spawn(async move {
    ///         let Ok(Some(incoming)) = connecting.handshake().await else { return };
    ///         let Ok(mut socket) = incoming.accept(Acceptance::default()).await else { return };
    ///         while let Ok(Some(message)) = socket.recv().await {
    ///             println!("{message:?}");
    ///         }
    ///     });
    /// }
    /// # }
    /// ```
    pub async fn accept(&mut self) -> Connecting {
        loop {
            let shared = Arc::clone(&self.shared);
            let report = |error| shared.report(&Error::Accept(error), None);
            let accept = |cx: &mut Context<'_>| poll_accept(&self.listeners, &mut self.first, cx);
            let (io, peer_addr, listener) = self.patience.accept(accept, report).await;
            let (entry, turn) = match self.shared.registry.enter(peer_addr, peer_addr.map(|addr| addr.ip())) {
                Ok(entered) => entered,
                Err(error) => {
                    self.shared.report(&error, peer_addr);
                    continue;
                }
            };
            #[cfg(feature = "tls")]
            let tls = self.listeners.get(listener).and_then(|listener| listener.tls.clone());
            #[cfg(not(feature = "tls"))]
            let _ = listener;
            return Connecting {
                io,
                #[cfg(feature = "tls")]
                tls,
                began: Instant::now(),
                entry,
                turn,
                shared: Arc::clone(&self.shared),
            };
        }
    }
}

/// Accepts on one of these, and tells on which; `first` is asked first, and then its neighbour is.
fn poll_accept(
    listeners: &[Listener],
    first: &mut usize,
    cx: &mut Context<'_>,
) -> Poll<io::Result<(Io, PeerAddr, usize)>> {
    let count = listeners.len();
    for turn in 0..count {
        let index = (*first + turn) % count;
        let Some(listener) = listeners.get(index) else { continue };
        if let Poll::Ready(accepted) = listener.poll_accept(cx) {
            *first = (index + 1) % count;
            return Poll::Ready(accepted.map(|(io, peer_addr)| (io, peer_addr, index)));
        }
    }
    Poll::Pending
}

impl Shared {
    /// The memory budget is reached: ends those that hold most of it.
    pub(crate) fn make_room(&self) {
        let Some(budget) = &self.registry.limits().memory_budget else { return };
        let limit = budget.limit_bytes();
        self.registry.make_room(budget, |held, peer| self.report(&Error::GaveUpMemory { held, limit }, peer));
    }

    pub(crate) fn report(&self, error: &Error, peer: PeerAddr) {
        crate::observe::error(error, peer);
        (self.on_error)(error, peer);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("listeners", &self.listeners).finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("registry", &self.registry).finish_non_exhaustive()
    }
}
