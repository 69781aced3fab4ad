//! Buffers of the thread, not of the connection.

use bytes::BytesMut;
use std::cell::RefCell;
use ws_proto::{Connection, Pool, ReceiveBuffer};

thread_local! {
    static POOL: RefCell<ThreadPool> = RefCell::default();
}

/// What the sockets of one thread share.
#[derive(Default)]
struct ThreadPool {
    core: Pool,
    #[expect(clippy::vec_box, reason = "a socket has room for a pointer, for as long as it lives")]
    receive: Vec<Box<ReceiveBuffer>>,
    /// Counts receive buffers that were taken.
    taken: u32,
}

impl ThreadPool {
    fn take_receive_buffer(&mut self) -> Option<Box<ReceiveBuffer>> {
        self.taken = self.taken.wrapping_add(1);
        if self.taken.is_multiple_of(TURNS) {
            // As the core's pool: nothing stays for long above what a burst has freed.
            self.receive.clear();
        }
        self.receive.pop()
    }
}

/// Lends the thread's buffers and contexts to a connection that is about to be driven.
#[inline]
pub(crate) fn lend(connection: &mut Connection) {
    if connection.wants_loan() {
        // A thread that is ending has no pool any more; the connection does without.
        let _ended = POOL.try_with(|pool| connection.lend(&mut pool.borrow_mut().core));
    }
}

/// Takes back what the connection does not need any more.
#[inline]
pub(crate) fn reclaim(connection: &mut Connection) {
    if connection.has_loan() {
        let _ended = POOL.try_with(|pool| connection.reclaim(&mut pool.borrow_mut().core));
    }
}

/// A receive buffer in which nothing is left.
pub(crate) fn take_receive_buffer() -> Box<ReceiveBuffer> {
    take_spare().unwrap_or_default()
}

/// Memory for a receive buffer whose own is held by messages.
#[cold]
pub(crate) fn take_receive_memory() -> BytesMut {
    let pooled = take_spare().and_then(|mut spare| spare.release());
    pooled.unwrap_or_else(|| BytesMut::with_capacity(RECEIVE_BYTES))
}

fn take_spare() -> Option<Box<ReceiveBuffer>> {
    POOL.try_with(|pool| pool.borrow_mut().take_receive_buffer()).ok().flatten()
}

/// Gives a receive buffer back in which nothing is left; it is kept if no message refers to its memory.
pub(crate) fn give_receive_buffer(mut buffer: Box<ReceiveBuffer>) {
    if !buffer.has_room(RECEIVE_BYTES) {
        return;
    }
    let _ended = POOL.try_with(|pool| {
        let receive = &mut pool.borrow_mut().receive;
        if receive.len() < SPARE_BUFFERS {
            receive.push(buffer);
        }
    });
}

/// Capacity of a receive buffer: what one read of a busy socket brings. With 64 KiB a burst of large messages takes four times the reads.
pub(crate) const RECEIVE_BYTES: usize = 256 << 10;
/// Receive buffers that a thread keeps.
const SPARE_BUFFERS: usize = 4;
/// So often one is taken before they are made anew.
const TURNS: u32 = 1024;
