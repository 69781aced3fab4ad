//! What becomes of messages for a member that does not read as fast as its groups speak.

/// What becomes of messages for a member whose queue is full; see [`Group`](crate::Group).
///
/// Every one but [`Wait`](Self::Wait) lets the sender go on at once. What each of them does is counted, in
/// [`GroupStats`](crate::GroupStats) and [`MemberStats`](crate::MemberStats).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SlowConsumer {
    /// The sender waits until there is room. This is the only policy by which a member holds up others: all who send to the group, and so
    /// all who hear. For few members that are trusted, such as the parts of one system; give the send a timeout.
    Wait,
    /// The message is left out.
    DropNewest,
    /// The oldest messages of this group that still wait are left out, as many as make room.
    DropOldest,
    /// A message with a [key](crate::GroupMessage::key) takes the place of the one with this key that still waits: of a state only the
    /// newest value is of use. It takes its place in the queue too, so that no key is put off for ever by being changed often, and may so
    /// overtake messages of other keys. A message of another key, or without one, for which there is no room ends the connection as
    /// [`Disconnect`](Self::Disconnect) does, because without it the member's state would be wrong for good.
    Coalesce,
    /// The connection is closed with 1013 (try again later), and what waits for it is dropped: the client comes back and gets the state as
    /// it is then. The default, for it never leaves a gap that nobody knows of.
    #[default]
    Disconnect,
}

impl SlowConsumer {
    /// What metrics call it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::DropNewest => "drop_newest",
            Self::DropOldest => "drop_oldest",
            Self::Coalesce => "coalesce",
            Self::Disconnect => "disconnect",
        }
    }
}

/// How much may wait for one member, beside what its connection has taken already, which is at most 64 KiB or one message.
///
/// The queue refers to messages, which all members share. A message that is larger than the limit is let in where nothing else waits.
///
/// ```
/// use ws_server::QueueLimits;
///
/// let limits = QueueLimits { max_messages: 32, ..QueueLimits::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// Messages. Default: 256.
    pub max_messages: usize,
    /// Bytes of their payloads. Default: 1 MiB.
    pub max_bytes: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { max_messages: 256, max_bytes: 1 << 20 }
    }
}
