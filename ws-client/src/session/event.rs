//! What a session tells.

use super::why::Why;
use std::sync::Arc;
use std::time::Duration;
use ws_proto::Message;
use ws_proto::http::Response;
use ws_tokio::Fragment;

/// What happened in a [`Session`](super::Session), in order.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionEvent {
    /// An attempt begins.
    Connecting {
        /// How many attempts failed, or led to a connection that did not last, since the last stable one: 0 for the first.
        attempt: u32,
    },
    /// There is a connection.
    Connected {
        /// The response to the opening request, with its headers.
        response: Response<()>,
    },
    /// Messages that were handed to an earlier connection, and not acknowledged, were handed to this one. Sent before they count, too.
    Resent {
        /// How many.
        messages: usize,
    },
    /// A message came.
    Message(Message),
    /// A piece of a message came, with [`Delivery::Streaming`](ws_proto::Delivery::Streaming). With the connection the rest of it is lost.
    Fragment(Fragment),
    /// There is no connection: an attempt failed, or what there was is gone.
    Disconnected {
        /// Why.
        why: Arc<Why>,
        /// Messages that will not be sent because of it; see [`Resend`](super::Resend).
        dropped: usize,
    },
    /// Nothing is done for this time; then it is tried again.
    Waiting {
        /// How long.
        delay: Duration,
    },
    /// The session has ended. Nothing follows.
    Ended {
        /// Why no further attempt is made; `None` where the session was closed by us.
        fatal: Option<Arc<Why>>,
        /// What was not acknowledged, in order; see [acknowledgements](super::Session#what-arrives).
        unsent: Vec<Message>,
    },
}
