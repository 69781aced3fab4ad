//! What is sent to a group.

use super::member::{Member, MemberId};
use ws_proto::bytes::Bytes;
use ws_proto::{Message, Prepared, Utf8Bytes};

/// A message for a [`Group`](crate::Group), and for whom in it. Texts and bytes of many kinds become one by themselves.
///
/// ```
/// use ws_server::GroupMessage;
///
/// # fn example<S>(me: &ws_server::Member<S>) {
/// let for_the_others = GroupMessage::new("hello").except(me);
/// let position = GroupMessage::new(vec![1, 2, 3]).key(7);
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is to be sent"]
pub struct GroupMessage {
    pub(crate) message: Prepared,
    pub(crate) key: Option<u64>,
    pub(crate) audience: Audience,
}

/// For whom.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Audience {
    All,
    AllBut(MemberId),
    Only(MemberId),
}

impl GroupMessage {
    /// For all members.
    pub fn new(message: impl Into<Message>) -> Self {
        Self::prepared(Prepared::new(message))
    }

    /// For all members: one that other groups or connections get too.
    pub const fn prepared(message: Prepared) -> Self {
        Self { message, key: None, audience: Audience::All }
    }

    /// For all but this one: who said it, usually.
    pub fn except<S>(mut self, member: &Member<S>) -> Self {
        self.audience = Audience::AllBut(member.id());
        self
    }

    /// For this one alone, where it is a member, by the policy that it has in the group. Its order among the messages to all is kept.
    pub fn only<S>(mut self, member: &Member<S>) -> Self {
        self.audience = Audience::Only(member.id());
        self
    }

    /// The newest value of what has this key, for [`SlowConsumer::Coalesce`](crate::SlowConsumer::Coalesce); other policies do not look at it.
    pub const fn key(mut self, key: u64) -> Self {
        self.key = Some(key);
        self
    }
}

/// Not for whatever becomes a [`Message`]: a `Prepared` may become one too, some day.
macro_rules! from {
    ($($kind:ty),*) => {$(
        impl From<$kind> for GroupMessage {
            fn from(message: $kind) -> Self {
                Self::new(message)
            }
        }
    )*};
}

from!(Message, &str, String, Utf8Bytes, Bytes, Vec<u8>);

impl From<Prepared> for GroupMessage {
    fn from(message: Prepared) -> Self {
        Self::prepared(message)
    }
}
