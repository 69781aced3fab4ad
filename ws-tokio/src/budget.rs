//! One bound for the memory of many sockets.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::watch;

/// One number for what all sockets hold that are [counted](crate::WebSocket::set_memory_budget) for it: of a server, of several, of the
/// process. Clones are the same budget.
///
/// **What counts**, in bytes of capacity: messages that are being received, receive buffers that are not empty, what is queued, contexts of
/// permessage-deflate and what is kept of their windows. A message that is queued by reference counts for each socket that queues it, but for
/// [`Prepared`](crate::Prepared) ones, which are made to be shared. Not what was handed out, nor what each socket has anyway (some KiB, with
/// its task), nor what the kernel or the stream holds: a stream's buffers, of TLS for one, have to be bounded by itself. Nor what
/// a thread keeps spare for all of its sockets: at most 16 buffers of 1 MiB together, 4 receive buffers of 256 KiB, 4 contexts for each direction
/// (1.7 MiB) and 2 MiB of large messages, or one larger.
///
/// **How exact**: each socket counts what it holds before each read and whenever a call into it ends; while the budget is reached and
/// somebody is about to make room, none reads more. So what is received passes the budget by what the calls take that run at the same
/// moment: for each thread of the runtime one read (256 KiB, or 1 MiB of a large message), what that inflates to (`max_message_bytes` at
/// most) and the old memory of a buffer that grows. What applications send is counted, but never held up: there each socket has its
/// `max_send_queue_bytes`.
///
/// **At the limit** nothing happens by itself: whoever has the budget is told, by [`Pressure`], and ends sockets with
/// [`Closer::give_up_memory`](crate::Closer::give_up_memory). `ws-server` does all of that.
///
/// It costs a shared counter for each call into a socket that changes what it holds; a socket without a budget pays one branch.
#[derive(Clone)]
pub struct MemoryBudget(Arc<Inner>);

struct Inner {
    limit: usize,
    used: AtomicUsize,
    /// Was all done that can be done, since the budget was reached, and it still is?
    stuck: AtomicBool,
    /// Told when more is held than before and the budget is reached.
    pressed: watch::Sender<()>,
}

impl MemoryBudget {
    /// A budget of so many bytes, of which nothing is used.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Inner {
            limit: bytes,
            used: AtomicUsize::new(0),
            stuck: AtomicBool::new(false),
            pressed: watch::Sender::new(()),
        }))
    }

    /// The budget, in bytes.
    #[must_use]
    pub fn limit_bytes(&self) -> usize {
        self.0.limit
    }

    /// What is held of it, in bytes. It may be more than the budget.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Is as much held as there may be?
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.used_bytes() >= self.0.limit
    }

    /// Tells from now on when something is to be done.
    #[must_use]
    pub fn pressure(&self) -> Pressure {
        let mut pressed = self.0.pressed.subscribe();
        if self.is_reached() {
            pressed.mark_changed();
        }
        Pressure { budget: self.clone(), pressed, at_work: false }
    }

    fn grow(&self, bytes: usize) {
        let before = self.0.used.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) >= self.0.limit {
            if before < self.0.limit {
                self.0.stuck.store(false, Ordering::Relaxed);
            }
            self.0.pressed.send_replace(());
        }
    }

    /// Is the budget reached, and somebody about to make room?
    fn is_about_to_have_room(&self) -> bool {
        self.is_reached() && !self.0.stuck.load(Ordering::Relaxed) && self.0.pressed.receiver_count() > 0
    }

    fn shrink(&self, bytes: usize) {
        self.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl fmt::Debug for MemoryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBudget")
            .field("limit", &self.0.limit)
            .field("used", &self.used_bytes())
            .finish()
    }
}

/// Tells when a [`MemoryBudget`] is reached.
#[derive(Debug)]
pub struct Pressure {
    budget: MemoryBudget,
    pressed: watch::Receiver<()>,
    /// Was it felt, and not asked for again since?
    at_work: bool,
}

impl Pressure {
    /// Waits until more was held than before while the budget was reached, since the last time. Several such moments are told once. Then make
    /// what room you can, and call it again: until then no socket of the budget reads.
    ///
    /// # Cancel safety
    /// Cancel safe: no moment is lost.
    pub async fn felt(&mut self) {
        if std::mem::take(&mut self.at_work) {
            // Those that hold it cannot be ended from here: the others go on.
            self.budget.0.stuck.store(self.budget.is_reached(), Ordering::Relaxed);
        }
        // Fails where the sender is gone only, and the budget has it.
        let _ = self.pressed.changed().await;
        self.at_work = true;
    }
}

/// What one socket holds of a budget. When it is dropped that is given back.
#[derive(Debug)]
pub(crate) struct Account {
    budget: MemoryBudget,
    /// What was counted, in bytes.
    counted: usize,
    /// What the receive buffer had when it was last used. It belongs to the handle that receives, so it is not seen from others.
    pub(crate) input: usize,
}

impl Account {
    pub(crate) fn new(budget: MemoryBudget) -> Self {
        Self { budget, counted: 0, input: 0 }
    }

    /// What was last counted, in bytes.
    pub(crate) const fn counted(&self) -> usize {
        self.counted
    }

    /// The connection holds so many bytes now.
    pub(crate) fn settle(&mut self, held: usize) {
        let now = held.saturating_add(self.input);
        match now.checked_sub(self.counted) {
            Some(0) => {}
            Some(more) => self.budget.grow(more),
            None => self.budget.shrink(self.counted - now),
        }
        self.counted = now;
    }

    /// Before more is read, with so many bytes held: are others to run first, so that whoever makes room can?
    pub(crate) fn gives_way(&mut self, held: usize) -> bool {
        self.settle(held);
        self.budget.is_about_to_have_room()
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.budget.shrink(self.counted);
    }
}
