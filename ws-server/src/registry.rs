//! Which connections are open, how many there may be, and how to end them.

use crate::limits::{AddressKey, Limits};
use crate::observe::{self, Began};
use crate::stream::PeerAddr;
use crate::{Error, MemoryBudget, Stream, WebSocket};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    connections: HashMap<u64, Ends>,
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

/// What a connection counts for, and the ways to end it from outside.
#[derive(Debug)]
struct Ends {
    closer: Option<Closer<Stream>>,
    task: Option<AbortHandle>,
    address: Option<AddressKey>,
    /// When it has lived for long enough.
    expires: Option<Instant>,
}

/// A connection's place in the registry. Its stream and its task share it; when both are gone, the connection has ended.
pub(crate) struct Entry {
    registry: Arc<Registry>,
    id: u64,
    began: Began,
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

    /// A connection was accepted, and is let in unless there are too many. When too many are in their handshakes, the oldest of those
    /// makes room: honest ones end theirs within moments, so it is one that was made to take room.
    ///
    /// # Errors
    /// [`Error::TooManyConnections`]
    pub(crate) fn enter(self: &Arc<Self>, peer: Option<IpAddr>) -> Result<(Arc<Entry>, Turn), Error> {
        let (sender, evicted) = oneshot::channel();
        let mut table = self.lock();
        if table.connections.len() >= self.limits.max_connections {
            return Err(Error::TooManyConnections { limit: self.limits.max_connections });
        }
        let id = table.next_id;
        let address = table.count(peer, &self.limits)?;
        table.next_id += 1;
        let expires = self.limits.lifetime().and_then(|lifetime| Instant::now().checked_add(lifetime));
        table.connections.insert(id, Ends { closer: None, task: None, address, expires });
        if table.under_way >= self.limits.max_handshakes {
            table.evict();
        }
        table.handshakes.push_back((id, sender));
        table.under_way += 1;
        drop(table);
        let entry = Arc::new(Entry { registry: Arc::clone(self), id, began: observe::connection_began() });
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
        let mut table = self.lock();
        table.farewell = Some(farewell);
        table.connections.values().filter_map(|ends| ends.closer.clone()).collect()
    }

    /// Sends 1001 on every socket that has lived for long enough. Each is told once: the closing handshake ends by itself.
    pub(crate) fn close_expired(&self) {
        let now = Instant::now();
        let expired: Vec<_> = {
            let mut table = self.lock();
            let expired = table.connections.values_mut().filter_map(|ends| {
                let closer = ends.closer.as_ref()?;
                ends.expires.take_if(|expires| *expires <= now).map(|_| closer.clone())
            });
            expired.collect()
        };
        // Not under the lock: a stream that is dropped by this takes it too.
        for closer in expired {
            EXPIRED.say(&closer);
        }
    }

    /// Ends those sockets that hold most of the budget, until an eighth of it is free: else the next one would be due at once. `told` gets
    /// what each held, and where it came from.
    pub(crate) fn make_room(&self, budget: &MemoryBudget, mut told: impl FnMut(usize, PeerAddr)) {
        let enough = budget.limit_bytes() - budget.limit_bytes() / 8;
        let closers: Vec<_> =
            self.lock().connections.values().filter_map(|ends| ends.closer.clone()).collect();
        // Not under the lock, as below.
        let held = closers.into_iter().filter_map(|closer| Some((closer.status()?.memory_bytes, closer)));
        let mut greediest: Vec<_> = held.filter(|(held, _)| *held > 0).collect();
        greediest.sort_unstable_by_key(|(held, _)| std::cmp::Reverse(*held));
        for (held, closer) in greediest {
            if budget.used_bytes() <= enough {
                break;
            }
            let peer = closer.with_stream(Stream::peer_addr).flatten();
            closer.give_up_memory(budget);
            told(held, peer);
        }
    }

    /// How the connections have ended since the server began to stop; those that are still open and have something unsent count for that.
    pub(crate) fn endings(&self) -> Endings {
        let (mut endings, closers) = {
            let table = self.lock();
            let closers = table.connections.values().filter_map(|ends| ends.closer.clone());
            (table.endings, closers.collect::<Vec<_>>())
        };
        // Not under the lock, as below.
        let statuses = closers.iter().filter_map(Closer::status);
        endings.unsent += statuses.filter(|status| status.unsent_bytes > 0).count();
        endings
    }

    /// Ends every task that has not ended by itself.
    pub(crate) fn abort_all(&self) {
        let tasks: Vec<_> = self.lock().connections.values().filter_map(|ends| ends.task.clone()).collect();
        for task in tasks {
            task.abort();
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
    /// A proxy that is trusted has told whom the connection is of.
    ///
    /// # Errors
    /// [`Error::TooManyConnectionsOfAddress`]
    pub(crate) fn is_of(&self, address: IpAddr) -> Result<(), Error> {
        let mut table = self.registry.lock();
        let counted = table.count(Some(address), &self.registry.limits)?;
        let before = table
            .connections
            .get_mut(&self.id)
            .and_then(|ends| std::mem::replace(&mut ends.address, counted));
        if let Some(before) = before {
            table.uncount(before);
        }
        Ok(())
    }

    /// The connection has a socket now.
    pub(crate) fn has_socket(&self, socket: &mut WebSocket) {
        if let Some(budget) = &self.registry.limits.memory_budget {
            socket.set_memory_budget(budget.clone());
        }
        let closer = socket.closer();
        let mut table = self.registry.lock();
        let farewell = table.farewell;
        if let Some(ends) = table.connections.get_mut(&self.id) {
            ends.closer = Some(closer.clone());
        }
        drop(table);
        if let Some(farewell) = farewell {
            farewell.say(&closer);
        }
    }

    /// The stream is being dropped, and its socket still knows how the connection has ended.
    pub(crate) fn stream_ended(&self) {
        let mut table = self.registry.lock();
        if table.farewell.is_none() && !observe::ASKS_FOR_ENDS {
            return;
        }
        let closer = table.connections.get_mut(&self.id).and_then(|ends| ends.closer.take());
        // Not under the lock: a socket's own lock may be held by whoever waits for this one.
        drop(table);
        let Some(status) = closer.and_then(|closer| closer.status()) else { return };
        observe::socket_ended(&status);
        let mut table = self.registry.lock();
        if table.farewell.is_some() {
            table.endings.clean += usize::from(status.close_info.is_some());
            table.endings.unsent += usize::from(status.unsent_bytes > 0);
        }
    }

    /// The connection has a task.
    pub(crate) fn has_task(&self, task: AbortHandle) {
        if let Some(ends) = self.registry.lock().connections.get_mut(&self.id) {
            ends.task = Some(task);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut table = self.registry.lock();
        if let Some(address) = table.connections.remove(&self.id).and_then(|ends| ends.address) {
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
#[derive(Clone, Copy, Debug)]
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

/// How often to look for connections that have lived for long enough.
pub(crate) const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);
