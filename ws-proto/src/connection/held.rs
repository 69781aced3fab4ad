//! The memory that a connection holds because of what its peer does, and how it lets go of it.

use super::Connection;
use crate::LimitError;
use crate::message::Memory;
use std::time::Instant;

impl Connection {
    /// Fails the connection with 1013 and [`LimitError::MemoryBudget`], because all connections of the process together hold `actual` bytes
    /// where `limit` is their budget, and this one is to make room. What it holds of input and of compression is freed; what is queued
    /// stays, for the Close frame is behind it. A connection that has failed or is closed stays as it is. Then write what `transmit` holds.
    pub fn give_up_memory(&mut self, limit: u64, actual: u64, now: Instant) {
        if !self.is_over() {
            self.fail(LimitError::MemoryBudget { limit, actual }.into(), now);
        }
        self.memory = None;
    }
    /// Memory that the connection holds, in bytes: the message that is being received, what is queued, contexts of permessage-deflate and
    /// what is kept of their windows. Not what each connection has anyway, which is less than 2 KiB.
    ///
    /// A payload that is queued by reference counts in full, but for that of a [`Prepared`](crate::Prepared) message, which is there once for
    /// many. No memory is looked at, some numbers are added: a driver may ask this each time it has driven the connection and
    /// [reclaimed](Self::reclaim) what is spare.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let message = self.message.as_ref().map_or(0, |message| message.memory_bytes());
        let spare = self.memory.as_deref().map_or(0, Memory::memory_bytes);
        #[cfg(feature = "deflate")]
        let contexts = self.deflate.as_ref().map_or(0, |deflate| deflate.memory_bytes());
        #[cfg(not(feature = "deflate"))]
        let contexts = 0;
        message + spare + contexts + self.transmit.memory_bytes()
    }
}
