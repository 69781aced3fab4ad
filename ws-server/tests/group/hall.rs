//! Members over pipes of a few bytes, which read when a test wants it.

use bytes::BytesMut;
use std::future::poll_fn;
use std::task::Poll;
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use ws_server::proto::{Config, Negotiated, Role};
use ws_server::{CloseCode, Member, Message, QueueLimits};
use ws_tokio::{Closer, WebSocket};

/// Both ends of a member's connection.
pub(crate) struct Guest {
    pub(crate) member: Member<DuplexStream>,
    pub(crate) client: WebSocket<DuplexStream>,
    /// What its handler would be: it receives, until the connection ends.
    pub(crate) handler: JoinHandle<()>,
}

/// A member whose network holds so many bytes.
pub(crate) fn guest(capacity: usize, limits: QueueLimits) -> Guest {
    guest_with(capacity, limits, Config::default)
}

/// The same, with settings of its own.
pub(crate) fn guest_with(capacity: usize, limits: QueueLimits, config: fn() -> Config) -> Guest {
    let (near, far) = tokio::io::duplex(capacity);
    let of = |stream, role| WebSocket::from_parts(stream, BytesMut::new(), Negotiated::new(role), config());
    let (mut hears, says) = of(near, Role::Server).split();
    let member = Member::with_limits(says, limits);
    let handler = tokio::spawn(async move { while let Ok(Some(_)) = hears.recv().await {} });
    Guest { member, client: of(far, Role::Client), handler }
}

/// At most so many messages wait.
pub(crate) fn messages(max_messages: usize) -> QueueLimits {
    QueueLimits { max_messages, ..QueueLimits::default() }
}

impl Guest {
    /// The texts that come until nothing more does without anybody's help.
    pub(crate) async fn texts(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        while let Some(message) = self.next_if_any().await {
            texts.push(text(&message));
        }
        texts
    }

    /// The next message, where one comes though nobody sends.
    pub(crate) async fn next_if_any(&mut self) -> Option<Message> {
        // As in `settle`.
        tokio::time::timeout(std::time::Duration::from_millis(1), self.client.recv()).await.ok()?.ok()?
    }

    pub(crate) fn closer(&self) -> Closer<DuplexStream> {
        self.member.closer()
    }
}

/// The texts that come before the connection ends, and the code that it ends with.
pub(crate) async fn to_the_end(client: &mut WebSocket<DuplexStream>) -> (Vec<String>, Option<CloseCode>) {
    let mut texts = Vec::new();
    while let Ok(Some(message)) = client.recv().await {
        texts.push(text(&message));
    }
    (texts, client.close_info().map(|info| info.received.code))
}

pub(crate) fn text(message: &Message) -> String {
    message.as_text().unwrap_or_default().to_owned()
}

/// Lets all tasks that can do something do it.
pub(crate) async fn settle() {
    // Paused, the clock moves when no task has anything to do any more.
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
}

/// Is this future ready when it is polled for the first time?
pub(crate) async fn is_ready(future: &mut (impl Future<Output = ()> + Unpin)) -> bool {
    poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_ready())).await
}
