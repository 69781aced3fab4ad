//! The same bytes through our core and through two other implementations of RFC 6455, without extensions.
//!
//! [`ours`] and [`theirs`] tell what a reader makes of the bytes that a peer wrote before it ended the stream: the messages in their order, and the end.
//! Where readers disagree the RFC decides: [`deviations`] lists, as data, where the others may judge in another way and why; whatever is not
//! listed there must be the same.

pub mod deviations;
mod one;
mod ours;
mod two;

use proptest::prelude::*;
use ws_proto::{Failure, Message, Role};
use ws_testkit::strategies;

/// Who reads beside us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
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
    /// By a panic of the reader; what it had told before is not known.
    Panicked,
    /// By a text that was handed out and is not UTF-8.
    NotUtf8,
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

/// What we make of `bytes` as `role`, after which the stream ends, and the rule that was broken where one was.
pub fn ours(role: Role, bytes: &[u8]) -> (Outcome, Option<Failure>) {
    ours::read(role, bytes)
}

/// The same of another reader. One that panics has failed.
pub fn theirs(reader: Reader, role: Role, bytes: &[u8]) -> Outcome {
    let read = match reader {
        Reader::One => one::read,
        Reader::Two => two::read,
    };
    let failed = Outcome { messages: Vec::new(), end: End::Panicked };
    std::panic::catch_unwind(|| read(role, bytes)).unwrap_or(failed)
}

/// A conversation of a peer of `role`, in which a few bytes may be changed.
pub fn wire(role: Role) -> impl Strategy<Value = Vec<u8>> {
    let spoilt = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (strategies::conversation(role, 300), spoilt, prop::bool::weighted(0.3)).prop_map(
        |(mut bytes, spoilt, spoil)| {
            for (index, byte) in spoilt {
                if spoil && !bytes.is_empty() {
                    let index = index.index(bytes.len());
                    bytes[index] ^= byte;
                }
            }
            bytes
        },
    )
}
