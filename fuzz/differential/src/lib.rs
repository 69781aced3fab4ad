//! The same bytes through our core and through two other implementations of RFC 6455, without extensions.
//!
//! [`read`] tells what a reader makes of the bytes that a peer wrote before it ended the stream: the messages in their order, and the end.
//! Where readers disagree the RFC decides: [`deviations`] lists, as data, where the others may judge in another way and why; whatever is not
//! listed there must be the same.

pub mod deviations;
mod one;
mod ours;
mod two;

use ws_proto::{Message, Role};

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// `ws-proto`.
    Ours,
    /// The first of the others.
    One,
    /// The second of the others.
    Two,
}

/// How a conversation ended, as coarse as all readers can tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By a Close frame with this code; 1005 where it had none.
    Closed(u16),
    /// By a violation.
    Failed,
    /// By the end of the stream.
    EndOfStream,
}

/// What a reader made of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The messages.
    pub messages: Vec<Message>,
    /// The end.
    pub end: End,
}

/// What `reader` as `role` makes of `bytes`, after which the stream ends.
pub fn read(reader: Reader, role: Role, bytes: &[u8]) -> Outcome {
    match reader {
        Reader::Ours => ours::read(role, bytes),
        Reader::One => one::read(role, bytes),
        Reader::Two => two::read(role, bytes),
    }
}
