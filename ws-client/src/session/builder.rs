//! The settings of a session.

use super::backoff::Backoff;
use super::driver::{Driver, EVENTS};
use super::outbox::{Outbox, Resend};
use super::verdict::Verdict;
use super::why::{BoxError, Why};
use super::{Session, SessionSender};
use crate::{Client, Error, IntoRequest};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::mpsc;
use ws_proto::http::{HeaderMap, Request};

/// The settings of a session, before it starts; see [`Session::builder`].
#[must_use]
pub struct SessionBuilder {
    client: Client,
    request: Result<Request<()>, Error>,
    backoff: Backoff,
    resend: Resend,
    max_messages: usize,
    max_bytes: usize,
    headers: Option<Box<Headers>>,
    classify: Box<Classify>,
}

/// Makes headers for an attempt.
pub(super) type Headers =
    dyn Fn(u32) -> Pin<Box<dyn Future<Output = Result<HeaderMap, BoxError>> + Send>> + Send + Sync;

/// Judges.
pub(super) type Classify = dyn Fn(&Why) -> Verdict + Send + Sync;

impl SessionBuilder {
    pub(super) fn new(client: Client, target: impl IntoRequest) -> Self {
        Self {
            client,
            request: target.into_request(),
            backoff: Backoff::default(),
            resend: Resend::default(),
            max_messages: 1024,
            max_bytes: 4 << 20,
            headers: None,
            classify: Box::new(Why::verdict),
        }
    }

    /// How long to wait before connecting again. Default: [`Backoff::default`].
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// What happens to messages that were not acknowledged when there is no connection. Default: [`Resend::KeepUnsent`].
    pub const fn resend(mut self, resend: Resend) -> Self {
        self.resend = resend;
        self
    }

    /// Most messages in the outbox, waiting or not acknowledged, at least 1. Default 1,024. At this many `send` waits.
    pub const fn max_outbox_messages(mut self, most: usize) -> Self {
        self.max_messages = if most == 0 { 1 } else { most };
        self
    }

    /// Mark of the outbox: `send` waits while its messages have at least so many bytes together, so it is bounded by this and one
    /// message. Default 4 MiB.
    pub const fn max_outbox_bytes(mut self, most: usize) -> Self {
        self.max_bytes = if most == 0 { 1 } else { most };
        self
    }

    /// Called before each attempt, with its number since the last stable connection: the headers that it gives go along with this one
    /// opening request, in place of those of the same name. For tokens that expire. Where it fails, the attempt has failed and is repeated
    /// ([`Why::Headers`]). It may take as long as it likes; closing the session drops it.
    ///
    /// ```
    /// use ws_client::proto::http::{HeaderMap, HeaderValue, header};
    /// use ws_client::{Client, Session};
    ///
    /// async fn fresh_token() -> Result<String, std::io::Error> {
    ///     Ok("7f3a".to_owned())
    /// }
    ///
    /// let session = Session::builder(Client::default(), "wss://example.com/").headers(|_attempt| async {
    ///     let mut headers = HeaderMap::new();
    ///     let value = HeaderValue::try_from(format!("Bearer {}", fresh_token().await?))?;
    ///     headers.insert(header::AUTHORIZATION, value);
    ///     Ok(headers)
    /// });
    /// ```
    pub fn headers<F>(mut self, headers: impl Fn(u32) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<HeaderMap, BoxError>> + Send + 'static,
    {
        self.headers = Some(Box::new(move |attempt| Box::pin(headers(attempt))));
        self
    }

    /// Judges by this in place of [`Why::verdict`], which it may ask for what it does not decide itself. A session that gives up after some
    /// time, for example, counts here.
    ///
    /// ```
    /// use ws_client::{Client, Session, Verdict, Why};
    ///
    /// let session = Session::builder(Client::default(), "wss://example.com/").classify(|why| match why.close_code() {
    ///     Some(code) if code.get() == 4401 => Verdict::Fatal,
    ///     _ => why.verdict(),
    /// });
    /// ```
    pub fn classify(mut self, classify: impl Fn(&Why) -> Verdict + Send + Sync + 'static) -> Self {
        self.classify = Box::new(classify);
        self
    }

    /// Starts the session in a task of its own, which needs the tokio runtime that this is called in.
    ///
    /// # Errors
    /// [`Error::Url`] where the text is no URL. What else is wrong with it is told by the first attempt.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(self) -> Result<Session, Error> {
        let outbox = Arc::new(Outbox::new(self.resend, self.max_messages, self.max_bytes));
        let (events, receiver) = mpsc::channel(EVENTS);
        let driver = Driver {
            client: self.client,
            request: self.request?,
            backoff: self.backoff,
            headers: self.headers,
            classify: self.classify,
            outbox: Arc::clone(&outbox),
            events,
        };
        tokio::spawn(driver.run());
        Ok(Session { events: receiver, sender: SessionSender(outbox) })
    }
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the request: its headers may hold credentials.
        f.debug_struct("SessionBuilder")
            .field("backoff", &self.backoff)
            .field("resend", &self.resend)
            .finish_non_exhaustive()
    }
}
