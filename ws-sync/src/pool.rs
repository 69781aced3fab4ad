//! Buffers of the thread, not of the socket.

use std::cell::RefCell;
use ws_proto::{Connection, Pool};

thread_local! {
    static POOL: RefCell<ThreadPool> = RefCell::default();
}

/// What the sockets of one thread share.
#[derive(Default)]
struct ThreadPool {
    core: Pool,
    /// Each [`READ_BYTES`] long.
    read: Vec<Vec<u8>>,
    /// Counts read buffers that were taken.
    taken: u32,
}

impl ThreadPool {
    fn take_read_buffer(&mut self) -> Option<Vec<u8>> {
        self.taken = self.taken.wrapping_add(1);
        if self.taken.is_multiple_of(TURNS) {
            // As the core's pool: nothing stays for long above what a burst has freed.
            self.read.clear();
        }
        self.read.pop()
    }
}

/// Lends the thread's buffers and contexts to a connection that is about to be driven.
pub(crate) fn lend(connection: &mut Connection) {
    // A thread that is ending has no pool any more; the connection does without.
    let _ended = POOL.try_with(|pool| connection.lend(&mut pool.borrow_mut().core));
}

/// Takes back what the connection does not need any more.
pub(crate) fn reclaim(connection: &mut Connection) {
    let _ended = POOL.try_with(|pool| connection.reclaim(&mut pool.borrow_mut().core));
}

/// A buffer to read into, initialised once and never cleared.
pub(crate) fn take_read_buffer() -> Vec<u8> {
    let pooled = POOL.try_with(|pool| pool.borrow_mut().take_read_buffer()).ok().flatten();
    pooled.unwrap_or_else(|| vec![0; READ_BYTES])
}

/// Gives a buffer back that nothing is left in.
pub(crate) fn give_read_buffer(buffer: Vec<u8>) {
    if buffer.len() != READ_BYTES {
        return;
    }
    let _ended = POOL.try_with(|pool| {
        let read = &mut pool.borrow_mut().read;
        if read.len() < SPARE_BUFFERS {
            read.push(buffer);
        }
    });
}

/// What one read of a busy socket brings at most; larger frames are read straight to where they end up.
pub(crate) const READ_BYTES: usize = 64 << 10;
/// Read buffers that a thread keeps: one is in use at a time, but for sockets that are left with input not handed out.
const SPARE_BUFFERS: usize = 4;
/// So often one is taken before they are made anew.
const TURNS: u32 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_does_not_keep_what_its_sockets_needed_at_their_worst() {
        let spare = || POOL.with_borrow(|pool| pool.read.len());
        let buffers: Vec<_> = (0..=SPARE_BUFFERS).map(|_| take_read_buffer()).collect();
        buffers.into_iter().for_each(give_read_buffer);
        assert_eq!(spare(), SPARE_BUFFERS);
        for _ in 0..TURNS {
            give_read_buffer(take_read_buffer());
        }
        assert_eq!(spare(), 1);
    }
}
