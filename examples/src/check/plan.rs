//! What is sent, as a file says it.

use serde::Deserialize;

/// What is sent; `.ci/interop/matrix.json` is one.
#[derive(Clone, Debug, Deserialize)]
pub struct Plan {
    /// Each is sent, and its echo awaited.
    pub(super) messages: Vec<Planned>,
    /// All are sent before the first echo is looked at.
    pub(super) burst: Burst,
    /// Pings with payloads of so many bytes.
    pub(super) pings: Vec<usize>,
    /// Each closes a connection of its own.
    pub(super) closes: Vec<Close>,
}

/// A message.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Planned {
    /// What it is made of.
    pub(super) kind: Kind,
    /// How long it is.
    pub(super) bytes: usize,
    /// In how many fragments it leaves, with a ping behind the first.
    pub(super) fragments: Option<usize>,
}

/// Messages of one kind.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Burst {
    /// What they are made of.
    pub(super) kind: Kind,
    /// How long each is.
    pub(super) bytes: usize,
    /// How many there are.
    pub(super) count: usize,
}

/// What a message is made of.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// Words, sent as text.
    Text,
    /// Words, sent as binary.
    Binary,
    /// What does not compress, sent as binary.
    Noise,
}

/// A Close frame.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Close {
    /// Its code; `None` for a frame without.
    pub(super) code: Option<u16>,
    /// Its reason.
    pub(super) reason: String,
}
