//! Which connections are open, and how to end them.

use crate::Stream;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use ws_proto::CloseCode;
use ws_tokio::Closer;

/// The open connections of a server.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    table: Mutex<Table>,
    /// Told when the last connection has ended.
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Table {
    connections: HashMap<u64, Ends>,
    next_id: u64,
    /// Is the server stopping? Then sockets are closed as soon as they are there.
    closing: bool,
}

/// The ways to end a connection from outside.
#[derive(Debug, Default)]
struct Ends {
    closer: Option<Closer<Stream>>,
    task: Option<AbortHandle>,
}

/// A connection's place in the registry. Its stream and its task share it; when both are gone, the connection has ended.
pub(crate) struct Entry {
    registry: Arc<Registry>,
    id: u64,
}

impl Registry {
    /// A connection was accepted.
    pub(crate) fn enter(self: &Arc<Self>) -> Arc<Entry> {
        let mut table = self.lock();
        let id = table.next_id;
        table.next_id += 1;
        table.connections.insert(id, Ends::default());
        Arc::new(Entry { registry: Arc::clone(self), id })
    }

    /// How many connections are open.
    pub(crate) fn len(&self) -> usize {
        self.lock().connections.len()
    }

    /// Sends 1001 on every socket that is open, and on each that will be.
    pub(crate) fn close_all(&self) {
        let closers: Vec<_> = {
            let mut table = self.lock();
            table.closing = true;
            table.connections.values().filter_map(|ends| ends.closer.clone()).collect()
        };
        // Not under the lock: a stream that is dropped by this takes it too.
        for closer in closers {
            go_away(&closer);
        }
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

impl Entry {
    /// The connection has a socket now.
    pub(crate) fn has_socket(&self, closer: Closer<Stream>) {
        let mut table = self.registry.lock();
        if table.closing {
            drop(table);
            go_away(&closer);
        } else if let Some(ends) = table.connections.get_mut(&self.id) {
            ends.closer = Some(closer);
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
        let _ended = table.connections.remove(&self.id);
        if table.connections.is_empty() {
            drop(table);
            self.registry.emptied.notify_waiters();
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entry").field(&self.id).finish()
    }
}

fn go_away(closer: &Closer<Stream>) {
    // Fails for codes that cannot be sent only.
    let _sendable = closer.close(CloseCode::GOING_AWAY, "the server is stopping");
}
