//! A connection's place in the registry.

use super::{Ending, Registry};
use crate::limits::AddressKey;
use crate::observe::{self, Began, Seen, Traffic};
use crate::stream::PeerAddr;
use crate::{Error, Stream, WebSocket};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use ws_tokio::Closer;

/// A connection's place in the registry. Its stream and its task share it; when both are gone, the connection has ended.
pub(crate) struct Entry {
    pub(super) registry: Arc<Registry>,
    pub(super) id: u64,
    began: Began,
    ends: Mutex<Ends>,
}

/// Who a connection is of, and the ways to end it from outside.
#[derive(Debug)]
pub(super) struct Ends {
    peer_addr: PeerAddr,
    /// What it counts for.
    address: Option<AddressKey>,
    pub(super) closer: Option<Closer<Stream>>,
    pub(super) task: Option<AbortHandle>,
    /// When it has lived for long enough.
    pub(super) expires: Option<Instant>,
    pub(super) seen: Seen,
    /// How its socket has ended: nothing as long as that has not.
    pub(super) ending: Ending,
}

impl Entry {
    pub(super) fn new(
        registry: Arc<Registry>,
        id: u64,
        peer_addr: PeerAddr,
        address: Option<AddressKey>,
        expires: Option<Instant>,
    ) -> Self {
        let (seen, ending) = (Seen::default(), Ending::default());
        let ends = Ends { peer_addr, address, closer: None, task: None, expires, seen, ending };
        Self { registry, id, began: observe::connection_began(), ends: Mutex::new(ends) }
    }

    /// Never held together with the registry's lock, nor while a socket is asked for anything.
    pub(super) fn ends(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address that the connection came from, as far as it is known by now.
    pub(crate) fn peer_addr(&self) -> PeerAddr {
        self.ends().peer_addr
    }

    /// A proxy has told by the PROXY protocol where the connection came from.
    pub(crate) fn came_from(&self, peer_addr: SocketAddr) {
        self.ends().peer_addr = Some(peer_addr);
    }

    /// A proxy that is trusted has told whom the connection is of.
    ///
    /// # Errors
    /// [`Error::TooManyConnectionsOfAddress`]
    pub(crate) fn is_of(&self, address: IpAddr) -> Result<(), Error> {
        let counted = self.registry.lock().count(Some(address), &self.registry.limits)?;
        let before = std::mem::replace(&mut self.ends().address, counted);
        if let Some(before) = before {
            self.registry.lock().uncount(before);
        }
        Ok(())
    }

    /// The connection has a socket now.
    pub(crate) fn has_socket(&self, socket: &mut WebSocket) {
        if let Some(budget) = &self.registry.limits.memory_budget {
            socket.set_memory_budget(budget.clone());
        }
        let closer = socket.closer();
        self.ends().closer = Some(closer.clone());
        // Looked at behind that: who begins to close the server either finds the socket, or is found here.
        let farewell = self.registry.lock().farewell;
        if let Some(farewell) = farewell {
            farewell.say(&closer);
        }
    }

    /// The stream is being dropped, and its socket still knows how the connection has ended.
    pub(crate) fn stream_ended(&self) {
        let closer = self.ends().closer.take();
        let Some(status) = closer.and_then(|closer| closer.status()) else { return };
        observe::socket_ended(&status);
        let mut traffic = Traffic::default();
        let mut ends = self.ends();
        traffic.ended(&mut ends.seen, &status);
        ends.ending = Ending { clean: status.close_info.is_some(), unsent: status.unsent_bytes > 0 };
        drop(ends);
        traffic.publish_new();
    }

    /// The connection has a task.
    pub(crate) fn has_task(&self, task: AbortHandle) {
        self.ends().task = Some(task);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let (address, ending) = {
            let mut ends = self.ends();
            ends.seen.forget();
            (ends.address.take(), ends.ending)
        };
        let mut table = self.registry.lock();
        table.connections.remove(&self.id);
        if table.farewell.is_some() {
            table.endings.count(ending);
        }
        if let Some(address) = address {
            table.uncount(address);
        }
        let is_last = table.connections.is_empty();
        drop(table);
        observe::connection_ended(self.began);
        if is_last {
            self.registry.emptied.notify_waiters();
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entry").field(&self.id).finish()
    }
}
