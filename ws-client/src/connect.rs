//! From a URL to a WebSocket.

use crate::builder::ClientBuilder;
use crate::deadline::Deadline;
use crate::dial::Dialer;
use crate::stream::Stream;
use crate::target::Target;
use crate::turns::Turns;
use crate::{Error, IntoRequest, Stage, observe, redirect};
use std::fmt;
use std::sync::Arc;
use ws_proto::http::{HeaderMap, Request, Response, header};

/// A socket of the client. See [`ws_tokio::WebSocket`] for what it can do.
pub type WebSocket = ws_tokio::WebSocket<Stream>;

/// Connects to a `ws://` or `wss://` URL, with the defaults of [`Client`]. Who connects more than once to `wss://` is better off with
/// a [`Client`]: it reads the system's certificates once, and its TLS sessions are resumed.
///
/// # Errors
/// [`Error`] says how far it got.
///
/// # Cancel safety
/// Dropping the future closes what was opened: there is nothing to be continued.
///
/// # Example
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut socket = ws_client::connect("wss://echo.example.com/").await?;
/// socket.send("hello").await?;
/// # Ok(()) }
/// ```
pub async fn connect(target: impl IntoRequest) -> Result<WebSocket, Error> {
    Client::default().connect(target).await
}

/// Connects, as often as you like, with the same settings. Clones share them, and the TLS sessions to be resumed.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    settings: ClientBuilder,
    turns: Turns,
}

impl Client {
    /// Starts from the defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    pub(crate) fn new(settings: ClientBuilder) -> Self {
        Self(Arc::new(Shared { settings, turns: Turns::default() }))
    }

    /// Connects to a `ws://` or `wss://` URL: its text, an `http::Uri`, or an `http::Request<()>` with headers for this connection alone
    /// (see [`IntoRequest`]).
    ///
    /// # Errors
    /// [`Error`] says how far it got.
    ///
    /// # Cancel safety
    /// Dropping the future closes what was opened: there is nothing to be continued.
    ///
    /// # Example
    /// ```no_run
    /// use ws_client::Client;
    /// use ws_client::proto::http::Request;
    ///
    /// # async fn example(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let request = Request::get("wss://example.com/feed").header("x-request-id", "17").body(())?;
    /// let socket = client.connect(request).await?;
    /// # Ok(()) }
    /// ```
    pub async fn connect(&self, target: impl IntoRequest) -> Result<WebSocket, Error> {
        Ok(self.connect_with_response(target).await?.0)
    }

    /// The same, and the server's response with it, for those who look at its headers.
    ///
    /// # Errors
    /// [`Error`] says how far it got.
    ///
    /// # Cancel safety
    /// Dropping the future closes what was opened: there is nothing to be continued.
    pub async fn connect_with_response(
        &self,
        target: impl IntoRequest,
    ) -> Result<(WebSocket, Response<()>), Error> {
        let request = target.into_request();
        // In a box: it is large, and whoever awaits it would be as large.
        observe::connecting(Box::pin(async {
            let ended = self.open(request?).await;
            observe::ended(&ended);
            ended
        }))
        .await
    }

    async fn open(&self, request: Request<()>) -> Result<(WebSocket, Response<()>), Error> {
        let settings = &self.0.settings;
        if settings.broken_credentials {
            return Err(Error::Credentials);
        }
        let deadline = Deadline::after(settings.connect_timeout);
        let dialer = Dialer { settings, turns: &self.0.turns, deadline };
        let (mut parts, ()) = request.into_parts();
        parts.headers = settings.with_headers_of(parts.headers);
        let mut target = Target::new(parts.uri.clone())?;
        // Behind a redirect to another origin we do not say who we are.
        let mut identity = true;
        let mut followed = 0;
        loop {
            observe::target(&target);
            let (stream, turn) = dialer.dial(&target, identity).await?;
            parts.uri = target.uri.clone();
            let mut request = Request::from_parts(parts.clone(), ());
            self.add_cookies(&target, request.headers_mut());
            let opening = ws_tokio::connect(stream, request, Arc::clone(&settings.config));
            let opened = deadline.hold(Stage::Handshake, opening).await?.map_err(Error::from);
            drop(turn);
            let refusal = match opened {
                Ok((socket, response)) => {
                    self.keep_cookies(&target, response.headers());
                    return Ok((socket, response));
                }
                Err(Error::Refused(refusal)) => refusal,
                Err(error) => return Err(error),
            };
            self.keep_cookies(&target, &refusal.headers);
            let next = settings.redirects.next(&target, refusal.status, &refusal.headers, followed)?;
            let Some(next) = next else { return Err(Error::Refused(refusal)) };
            observe::redirected(&next);
            if !next.same_origin(&target) {
                redirect::drop_credentials(&mut parts.headers);
                identity = false;
            }
            followed = followed.saturating_add(1);
            target = next;
        }
    }

    fn add_cookies(&self, target: &Target, headers: &mut HeaderMap) {
        if let Some(jar) = &self.0.settings.cookies
            && !headers.contains_key(header::COOKIE)
            && let Some(mut cookies) = jar.cookies(&target.uri)
        {
            cookies.set_sensitive(true);
            headers.insert(header::COOKIE, cookies);
        }
    }

    fn keep_cookies(&self, target: &Target, headers: &HeaderMap) {
        if let Some(jar) = &self.0.settings.cookies
            && headers.contains_key(header::SET_COOKIE)
        {
            jar.set_cookies(&target.uri, &mut headers.get_all(header::SET_COOKIE).iter());
        }
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0.settings).finish()
    }
}
