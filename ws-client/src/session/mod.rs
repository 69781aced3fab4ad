//! Staying connected.

mod backoff;
mod builder;
mod driver;
mod event;
mod outbox;
mod sender;
mod verdict;
mod why;

pub use backoff::Backoff;
pub use builder::SessionBuilder;
pub use event::SessionEvent;
pub use outbox::Resend;
pub use sender::{NotQueued, SessionSendError, SessionSender};
pub use verdict::Verdict;
pub use why::{BoxError, Why};

use crate::{Client, IntoRequest};
use std::fmt;
use tokio::sync::mpsc;
use ws_proto::{CloseCode, Message};

/// A connection that is made again when it is gone, until it is closed or trying again does not help.
///
/// It runs in a task of its own. [`next`](Self::next) tells what happens, messages among it; [`sender`](Self::sender) gives handles for
/// sending, which work at any time. Take the events: the task holds 16, and reads nothing more from the connection until there is room,
/// so a session that nobody listens to stands still.
///
/// # Example
/// ```no_run
/// use ws_client::{Client, Session, SessionEvent};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut session = Session::builder(Client::default(), "wss://example.com/feed").start()?;
/// let sender = session.sender();
/// tokio::spawn(async move {
///     // Also while there is no connection.
///     sender.send("subscribe").await
/// });
/// while let Some(event) = session.next().await {
///     match event {
///         SessionEvent::Message(message) => println!("{message:?}"),
///         SessionEvent::Disconnected { why, .. } => eprintln!("{why}"),
///         SessionEvent::Ended { fatal: Some(why), .. } => return Err(why.to_string().into()),
///         _ => {}
///     }
/// }
/// # Ok(()) }
/// ```
///
/// # What is final
///
/// | what happened | |
/// |---|---|
/// | the URL, the request, the settings cannot work; a redirect that is not followed | final |
/// | a certificate is not accepted | final |
/// | refused with 408, 425, 429 or 5xx | again; with 429 and 503 not before `Retry-After` (seconds or a date; at most an hour) |
/// | refused with any other status, 401, 403 and 404 among them | final |
/// | the server breaks a rule of the opening handshake | final |
/// | name not resolved, no connection, stream failed or ended, deadline passed | again |
/// | closed with 1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000 (unauthorized) or 3003 (forbidden) | final |
/// | we closed because the server broke a rule or passed a limit | final |
/// | closed with 1012 or 1013 | again, 5 to 30 s later at the earliest |
/// | closed with any other code or none, ended without a close, silent | again |
/// | a proxy refuses us, or does not speak as a proxy does | final; again with 408, 425, 429, 5xx, or where it found no way |
/// | [`headers`](SessionBuilder::headers) failed | again |
///
/// Another opinion is a [classifier](SessionBuilder::classify).
///
/// # What arrives
///
/// A message is **acknowledged when a pong came that answers a ping which was sent behind it**: frames are read in order (RFC 6455 §5.4,
/// §5.5.2), so the peer has read all that stood before that ping. Until then it stays in the outbox, and, with [`Resend::KeepUnsent`], it
/// is sent again over the next connection, in order. So each message reaches the peer's WebSocket *at least once*, whatever TCP had taken
/// when the server was killed. What was read and not acknowledged in time comes twice: number messages, or make them such that twice does no
/// harm. Across all connections the first copies are in order.
///
/// What the peer's application did with a message after its WebSocket had read it, nobody but that application can tell. A server that reads
/// one message at a time, as those of this project do, answers the ping when it asks for the message behind it.
///
/// Pings are sent behind messages, one at a time and at least 20 ms apart; the last one stands behind the last message. A peer that breaks the rule to answer them fills the
/// outbox. With [`Resend::Drop`] none is sent, and a message counts as sent when it was encoded for the connection.
///
/// # Keepalive
///
/// It is on by default: `ping_interval` and `pong_timeout` of the [client's config](crate::ClientBuilder::config), 20 s each. A computer
/// that slept notices a connection that died meanwhile within `pong_timeout` where its clock goes on in its sleep, because the ping is due
/// at once, else within both together. [`round_trip`](SessionSender::round_trip) tells the last round trip.
///
/// # Dropping
///
/// A session that is dropped is closed with 1001, as [`SessionSender::close`] does it.
pub struct Session {
    events: mpsc::Receiver<SessionEvent>,
    sender: SessionSender,
}

impl Session {
    /// Starts from the defaults; `client` connects to `target`.
    pub fn builder(client: Client, target: impl IntoRequest) -> SessionBuilder {
        SessionBuilder::new(client, target)
    }

    /// The next event; `None` behind [`SessionEvent::Ended`], or when the runtime of the session is gone.
    ///
    /// # Cancel safety
    /// Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Option<SessionEvent> {
        self.events.recv().await
    }

    /// A handle that sends into this session.
    #[must_use]
    pub fn sender(&self) -> SessionSender {
        self.sender.clone()
    }

    /// Ends the session for good, as [`SessionSender::close`] does, waits for the end, and gives back what was not acknowledged. Messages
    /// that still come are discarded; where they matter, close through a sender and take the events until `None`.
    ///
    /// # Cancel safety
    /// Dropping the future drops the session, which is closed then too.
    pub async fn close(mut self, code: CloseCode, reason: &str) -> Vec<Message> {
        self.sender.close(code, reason);
        while let Some(event) = self.next().await {
            if let SessionEvent::Ended { unsent, .. } = event {
                return unsent;
            }
        }
        Vec::new()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.sender.close(CloseCode::GOING_AWAY, "");
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
