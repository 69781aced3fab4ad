//! Which connections are open, how many there may be, and how to end them.

use crate::limits::{AddressKey, Limits};
use crate::observe::{self, Began, Seen, Traffic};
use crate::stream::PeerAddr;
use crate::{Error, MemoryBudget, Stream, WebSocket};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use ws_proto::CloseCode;
use ws_tokio::Closer;

/// The open connections of a server.
#[derive(Debug)]
pub(crate) struct Registry {
    limits: Limits,
    table: Mutex<Table>,
    /// Told when the last connection has ended.
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Table {
    /// By number. A table has up to two places for each, so what they are is with them, where it needs no more than its bytes.
    connections: HashMap<u64, Weak<Entry>>,
    /// How many connections each address has. Invariant: none is zero.
    addresses: HashMap<AddressKey, usize>,
    /// The handshakes under way, the oldest first, and some that have ended since.
    handshakes: VecDeque<(u64, oneshot::Sender<()>)>,
    /// How many of `handshakes` are under way.
    under_way: usize,
    next_id: u64,
    /// How those have ended that ended since the server began to stop.
    endings: Endings,
    /// Is the server stopping? Then sockets are closed like this as soon as they are there.
    farewell: Option<Farewell>,
}

/// How connections have ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Endings {
    /// With both Close frames.
    pub(crate) clean: usize,
    /// With bytes that were queued and that the stream has not taken.
    pub(crate) unsent: usize,
}

/// A connection's place in the registry. Its stream and its task share it; when both are gone, the connection has ended.
pub(crate) struct Entry {
    registry: Arc<Registry>,
    id: u64,
    began: Began,
    ends: Mutex<Ends>,
}

/// Who a connection is of, and the ways to end it from outside.
#[derive(Debug)]
struct Ends {
    peer_addr: PeerAddr,
    /// What it counts for.
    address: Option<AddressKey>,
    closer: Option<Closer<Stream>>,
    task: Option<AbortHandle>,
    /// When it has lived for long enough.
    expires: Option<Instant>,
    seen: Seen,
}

/// A handshake under way: resolves when it has to make room for younger ones.
#[derive(Debug)]
pub(crate) struct Turn {
    entry: Arc<Entry>,
    evicted: oneshot::Receiver<()>,
}

impl Registry {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, table: Mutex::default(), emptied: Notify::new() })
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A connection was accepted, which counts for `address`, and is let in unless there are too many. When too many are in their
    /// handshakes, the oldest of those makes room: honest ones end theirs within moments, so it is one that was made to take room.
    ///
    /// # Errors
    /// [`Error::TooManyConnections`]
    pub(crate) fn enter(
        self: &Arc<Self>,
        peer_addr: PeerAddr,
        address: Option<IpAddr>,
    ) -> Result<(Arc<Entry>, Turn), Error> {
        let (sender, evicted) = oneshot::channel();
        let mut table = self.lock();
        if table.connections.len() >= self.limits.max_connections {
            return Err(Error::TooManyConnections { limit: self.limits.max_connections });
        }
        let id = table.next_id;
        let address = table.count(address, &self.limits)?;
        table.next_id += 1;
        let expires = self.limits.lifetime().and_then(|lifetime| Instant::now().checked_add(lifetime));
        let entry = Arc::new(Entry {
            registry: Arc::clone(self),
            id,
            began: observe::connection_began(),
            ends: Mutex::new(Ends {
                peer_addr,
                address,
                closer: None,
                task: None,
                expires,
                seen: Seen::default(),
            }),
        });
        table.connections.insert(id, Arc::downgrade(&entry));
        if table.under_way >= self.limits.max_handshakes {
            table.evict();
        }
        table.handshakes.push_back((id, sender));
        table.under_way += 1;
        drop(table);
        Ok((Arc::clone(&entry), Turn { entry, evicted }))
    }

    /// Is the server stopping?
    pub(crate) fn is_closing(&self) -> bool {
        self.lock().farewell.is_some()
    }

    /// How many connections are open.
    pub(crate) fn len(&self) -> usize {
        self.lock().connections.len()
    }

    /// From now on every socket is closed in this way as soon as it is there; gives those that are there already, in no order.
    pub(crate) fn begin_closing(&self, farewell: Farewell) -> Vec<Closer<Stream>> {
        self.lock().farewell = Some(farewell);
        self.entries().iter().filter_map(|entry| entry.ends().closer.clone()).collect()
    }

    /// Sends 1001 on every socket that has lived for long enough. Each is told once: the closing handshake ends by itself.
    pub(crate) fn close_expired(&self) {
        if self.limits.max_lifetime.is_none() {
            return;
        }
        let now = Instant::now();
        for entry in self.entries() {
            let closer = {
                let mut ends = entry.ends();
                let closer = ends.closer.clone();
                closer.filter(|_| ends.expires.take_if(|expires| *expires <= now).is_some())
            };
            if let Some(closer) = closer {
                EXPIRED.say(&closer);
            }
        }
    }

    /// Ends those sockets that hold most of the budget, until an eighth of it is free: else the next one would be due at once. `told` gets
    /// what each held, and where it came from.
    pub(crate) fn make_room(&self, budget: &MemoryBudget, mut told: impl FnMut(usize, PeerAddr)) {
        let enough = budget.limit_bytes() - budget.limit_bytes() / 8;
        let entries = self.entries();
        let held = entries.iter().filter_map(|entry| {
            let closer = entry.ends().closer.clone()?;
            Some((closer.status()?.memory_bytes, closer, entry))
        });
        let mut greediest: Vec<_> = held.filter(|(held, ..)| *held > 0).collect();
        greediest.sort_unstable_by_key(|(held, ..)| std::cmp::Reverse(*held));
        for (held, closer, entry) in greediest {
            if budget.used_bytes() <= enough {
                break;
            }
            closer.give_up_memory(budget);
            told(held, entry.peer_addr());
        }
    }

    /// Adds what the open connections have carried to the metrics.
    #[cfg(feature = "metrics")]
    pub(crate) fn sweep(&self) {
        let mut traffic = Traffic::default();
        for entry in self.entries() {
            let closer = entry.ends().closer.clone();
            if let Some(status) = closer.and_then(|closer| closer.status()) {
                traffic.open(&mut entry.ends().seen, &status);
            }
        }
        traffic.publish();
    }

    /// Nobody asks.
    #[cfg(not(feature = "metrics"))]
    pub(crate) const fn sweep(&self) {}

    /// How the connections have ended since the server began to stop; those that are still open and have something unsent count for that.
    pub(crate) fn endings(&self) -> Endings {
        let mut endings = self.lock().endings;
        for entry in self.entries() {
            let closer = entry.ends().closer.clone();
            let status = closer.and_then(|closer| closer.status());
            endings.unsent += usize::from(status.is_some_and(|status| status.unsent_bytes > 0));
        }
        endings
    }

    /// Ends every task that has not ended by itself.
    pub(crate) fn abort_all(&self) {
        for entry in self.entries() {
            let task = entry.ends().task.clone();
            if let Some(task) = task {
                task.abort();
            }
        }
    }

    /// Waits until no connection is open.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.len() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// The open connections, to be looked at without the lock: one that ends with this takes it.
    fn entries(&self) -> Vec<Arc<Entry>> {
        self.lock().connections.values().filter_map(Weak::upgrade).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // What is in the table is valid after each step, so a panic in between has broken nothing.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Counts a connection for its address, unless that has too many.
    fn count(&mut self, address: Option<IpAddr>, limits: &Limits) -> Result<Option<AddressKey>, Error> {
        let Some((address, limit)) = address.and_then(|address| limits.of_address(address)) else {
            return Ok(None);
        };
        let count = self.addresses.entry(address).or_insert(0);
        if *count >= limit {
            // It is not zero: a limit of zero is none that can be set.
            return Err(Error::TooManyConnectionsOfAddress { limit });
        }
        *count += 1;
        Ok(Some(address))
    }

    fn uncount(&mut self, address: AddressKey) {
        if let Some(count) = self.addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.addresses.remove(&address);
            }
        }
    }

    /// Ends the oldest handshake.
    fn evict(&mut self) {
        while let Some((_, oldest)) = self.handshakes.pop_front() {
            // Fails for one that has ended.
            if oldest.send(()).is_ok() {
                self.under_way -= 1;
                return;
            }
        }
    }

    /// A handshake has ended by itself, or the evicted one knows.
    fn handshake_ended(&mut self, id: u64, was_evicted: bool) {
        if !was_evicted {
            self.under_way -= 1;
        }
        while self.handshakes.front().is_some_and(|(front, sender)| *front == id || sender.is_closed()) {
            self.handshakes.pop_front();
        }
        // One that is slow may be in front of many that have ended.
        if self.handshakes.len() > 2 * self.under_way + 64 {
            self.handshakes.retain(|(other, sender)| *other != id && !sender.is_closed());
        }
    }
}

impl Entry {
    /// Never held together with the registry's lock, nor while a socket is asked for anything.
    fn ends(&self) -> MutexGuard<'_, Ends> {
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
        if self.registry.lock().farewell.is_none() && !observe::ASKS_FOR_ENDS {
            return;
        }
        let closer = self.ends().closer.take();
        let Some(status) = closer.and_then(|closer| closer.status()) else { return };
        observe::socket_ended(&status);
        let mut traffic = Traffic::default();
        traffic.ended(&mut self.ends().seen, &status);
        traffic.publish_new();
        let mut table = self.registry.lock();
        if table.farewell.is_some() {
            table.endings.clean += usize::from(status.close_info.is_some());
            table.endings.unsent += usize::from(status.unsent_bytes > 0);
        }
    }

    /// The connection has a task.
    pub(crate) fn has_task(&self, task: AbortHandle) {
        self.ends().task = Some(task);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let address = {
            let mut ends = self.ends();
            ends.seen.forget();
            ends.address.take()
        };
        let mut table = self.registry.lock();
        table.connections.remove(&self.id);
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

impl Turn {
    /// Resolves when the handshake has to make room.
    pub(crate) async fn over(&mut self) {
        // Fails where the registry has forgotten about it, which it does for those that have ended only.
        let _ = (&mut self.evicted).await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut table = self.entry.registry.lock();
        // Closed under the lock, so that it is evicted before or never.
        self.evicted.close();
        let was_evicted = self.evicted.is_terminated() || self.evicted.try_recv().is_ok();
        table.handshake_ended(self.entry.id, was_evicted);
    }
}

/// What the server's Close frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Farewell {
    pub(crate) code: CloseCode,
    pub(crate) reason: &'static str,
}

impl Farewell {
    pub(crate) fn say(self, closer: &Closer<Stream>) {
        // Fails for codes that cannot be sent only.
        let _sendable = closer.close(self.code, self.reason);
    }
}

const EXPIRED: Farewell =
    Farewell { code: CloseCode::GOING_AWAY, reason: "the connection has reached its maximum lifetime" };

/// How often to look at all connections: whether they have lived for long enough, and what they have carried.
pub(crate) const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);
