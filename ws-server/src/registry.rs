//! Which connections are open, how many there may be, and how to end them.

mod entry;
mod handshakes;

pub(crate) use entry::Entry;
pub(crate) use handshakes::Turn;

use crate::limits::{AddressKey, Limits};
#[cfg(feature = "metrics")]
use crate::observe::Traffic;
use crate::stream::PeerAddr;
use crate::{Error, MemoryBudget, Stream};
use handshakes::Handshakes;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
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
    handshakes: Handshakes,
    next_id: u64,
    /// How those have ended that ended since the server began to stop.
    endings: Endings,
    /// Is the server stopping? Then sockets are closed like this as soon as they are there.
    farewell: Option<Farewell>,
}

/// How the socket of a connection has ended.
#[derive(Clone, Copy, Debug, Default)]
struct Ending {
    /// With both Close frames.
    clean: bool,
    /// With bytes that were queued and that the stream has not taken.
    unsent: bool,
}

/// How many connections have ended how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Endings {
    /// With both Close frames.
    pub(crate) clean: usize,
    /// With bytes that were queued and that the stream has not taken.
    pub(crate) unsent: usize,
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
        let entry = Arc::new(Entry::new(Arc::clone(self), id, peer_addr, address, expires));
        table.connections.insert(id, Arc::downgrade(&entry));
        table.handshakes.begin(id, sender, self.limits.max_handshakes);
        drop(table);
        Ok((Arc::clone(&entry), Turn::new(entry, evicted)))
    }

    /// Is the server stopping?
    pub(crate) fn is_closing(&self) -> bool {
        self.lock().farewell.is_some()
    }

    /// How many connections are open.
    pub(crate) fn len(&self) -> usize {
        self.lock().connections.len()
    }

    /// From now on every socket is closed in this way as soon as it is there, and how connections end is counted. Gives how many are open.
    pub(crate) fn begin_closing(&self, farewell: Farewell) -> usize {
        let mut table = self.lock();
        table.farewell = Some(farewell);
        table.connections.len()
    }

    /// The sockets that are there, in no order.
    pub(crate) fn closers(&self) -> Vec<Closer<Stream>> {
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
            let (closer, ending) = {
                let ends = entry.ends();
                (ends.closer.clone(), ends.ending)
            };
            // One whose socket has ended before its handler knows by itself.
            let status = closer.and_then(|closer| closer.status());
            let unsent = status.map_or(ending.unsent, |status| status.unsent_bytes > 0);
            endings.unsent += usize::from(unsent);
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

impl Endings {
    fn count(&mut self, ending: Ending) {
        self.clean += usize::from(ending.clean);
        self.unsent += usize::from(ending.unsent);
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
