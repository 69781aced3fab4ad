//! What was read and not parsed yet.

use crate::pool;
use bytes::BytesMut;
use ws_proto::ReceiveBuffer;

/// What was read and not parsed yet, in a buffer that belongs to the thread. Where nothing is left there may be none, and an idle socket
/// has room for a pointer only.
#[derive(Debug, Default)]
pub(crate) struct Input(Option<Box<ReceiveBuffer>>);

impl Input {
    /// Is nothing left?
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|buffer| buffer.is_empty())
    }

    /// The buffer, where something is left in it.
    #[inline]
    pub(crate) fn unread(&mut self) -> Option<&mut ReceiveBuffer> {
        self.0.as_deref_mut().filter(|buffer| !buffer.is_empty())
    }

    /// All that is left.
    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |buffer| buffer.as_slice())
    }

    /// The buffer, to be parsed.
    #[inline]
    pub(crate) fn buffer(&mut self) -> &mut ReceiveBuffer {
        self.0.get_or_insert_with(pool::take_receive_buffer)
    }

    /// Room to read into, when nothing is left.
    #[inline]
    pub(crate) fn room(&mut self) -> &mut BytesMut {
        self.buffer().refill(pool::RECEIVE_BYTES, pool::take_receive_memory)
    }

    /// Memory of the buffer, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |buffer| buffer.memory_bytes())
    }

    /// Gives the buffer back when nothing is left in it.
    #[inline]
    pub(crate) fn release(&mut self) {
        if let Some(buffer) = self.0.take_if(|buffer| buffer.is_empty()) {
            pool::give_receive_buffer(buffer);
        }
    }

    /// What is left.
    pub(crate) fn into_bytes(mut self) -> BytesMut {
        self.0.take().map_or_else(BytesMut::new, |buffer| buffer.into_bytes())
    }
}

/// A socket that ends gives its buffer back too.
impl Drop for Input {
    fn drop(&mut self) {
        self.release();
    }
}

impl From<BytesMut> for Input {
    fn from(leftover: BytesMut) -> Self {
        Self((!leftover.is_empty()).then(|| Box::new(leftover.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_of_a_socket_that_ends_serves_the_next() {
        let mut input = Input::default();
        assert_eq!(input.buffer().memory_bytes(), 0, "the thread has none yet");
        input.room();
        drop(input);
        assert_eq!(Input::default().buffer().memory_bytes(), pool::RECEIVE_BYTES);
    }
}
