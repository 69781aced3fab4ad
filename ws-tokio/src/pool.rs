//! Buffers of the thread, not of the connection.

use bytes::BytesMut;
use std::cell::RefCell;
use ws_proto::{Connection, Pool};

thread_local! {
    static POOL: RefCell<ThreadPool> = RefCell::default();
}

/// What the sockets of one thread share.
#[derive(Default)]
struct ThreadPool {
    core: Pool,
    receive: Vec<BytesMut>,
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

/// An empty receive buffer with room for [`RECEIVE_BYTES`].
pub(crate) fn take_receive_buffer() -> BytesMut {
    let pooled = POOL.try_with(|pool| pool.borrow_mut().receive.pop()).ok().flatten();
    pooled.unwrap_or_else(|| BytesMut::with_capacity(RECEIVE_BYTES))
}

/// Gives an empty receive buffer back; it is kept if no message refers to its memory.
pub(crate) fn give_receive_buffer(mut buffer: BytesMut) {
    if buffer.capacity() < RECEIVE_BYTES && !buffer.try_reclaim(RECEIVE_BYTES) {
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
