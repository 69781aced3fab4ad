//! Handing bytes to a connection in each of the ways a driver may, and taking what it wants to write.

use crate::{Chunks, Observed};
use bytes::{Buf, BytesMut};
use std::io::IoSlice;
use std::time::Instant;
use ws_proto::Connection;

/// In what a driver receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// A `&mut [u8]`: payloads borrow.
    Borrowed,
    /// A `BytesMut`: payloads are owned.
    Owned,
    /// The connection's own memory where it offers some ([`Connection::recv_buf`]), else a `&mut [u8]`.
    Direct,
}

impl Feed {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Borrowed, Self::Owned, Self::Direct];
}

/// Hands `input` to `connection` in reads of the sizes of `chunks`; returns the events.
///
/// # Panics
/// When the connection leaves input behind, or goes on telling events without end.
pub fn feed(
    connection: &mut Connection,
    input: &[u8],
    how: Feed,
    chunks: &mut Chunks,
    now: Instant,
) -> Vec<Observed> {
    let mut events = Vec::new();
    let mut rest = input;
    let mut owned = BytesMut::new();
    while !rest.is_empty() {
        if let (Feed::Direct, Some(room)) = (how, connection.recv_buf()) {
            let n = chunks.size(room.len().min(rest.len()));
            let (front, back) = rest.split_at(n);
            if let Some(room) = room.get_mut(..n) {
                room.copy_from_slice(front);
            }
            rest = back;
            connection.received(n, now);
            poll(connection, &mut Default::default(), now, &mut events);
            continue;
        }
        let (front, back) = rest.split_at(chunks.size(rest.len()));
        rest = back;
        if how == Feed::Owned {
            owned.extend_from_slice(front);
            while let Some(event) = connection.poll_event(&mut owned, now) {
                push(&mut events, event.into());
            }
            assert!(owned.is_empty(), "poll_event left {} bytes behind", owned.len());
        } else {
            poll(connection, &mut front.to_vec(), now, &mut events);
        }
    }
    events
}

/// Takes all that `connection` wants to write, in writes of the sizes of `chunks`.
///
/// # Panics
/// When the queue says that it holds something, and gives nothing.
pub fn wire(connection: &mut Connection, chunks: &mut Chunks) -> Vec<u8> {
    let mut wire = Vec::new();
    while !connection.transmit().is_empty() {
        let before = wire.len();
        let transmit = connection.transmit();
        let mut slices = [IoSlice::new(&[]); 4];
        let filled = transmit.chunks_vectored(&mut slices);
        let offered = slices.iter().take(filled).map(|slice| slice.len()).sum();
        assert_ne!(offered, 0, "a queue that is not empty gives something to write");
        let mut n = chunks.size(offered);
        for slice in slices.iter().take(filled) {
            let (taken, _) = slice.split_at(n.min(slice.len()));
            wire.extend_from_slice(taken);
            n -= taken.len();
        }
        transmit.advance(wire.len() - before);
    }
    wire
}

/// Polls until the connection has nothing more to tell about `input`.
pub(crate) fn poll(
    connection: &mut Connection,
    input: &mut Vec<u8>,
    now: Instant,
    events: &mut Vec<Observed>,
) {
    let mut rest = input.as_mut_slice();
    while let Some(event) = connection.poll_event(&mut rest, now) {
        push(events, event.into());
    }
    assert!(rest.is_empty(), "poll_event left {} bytes behind", rest.len());
}

fn push(events: &mut Vec<Observed>, event: Observed) {
    assert!(events.len() < TOO_MANY, "poll_event tells events without end");
    events.push(event);
}

/// More events than any test asks for.
const TOO_MANY: usize = 10_000_000;
