//! From a URL to a WebSocket.

use crate::builder::ClientBuilder;
use crate::deadline::Deadline;
use crate::dial::Dialer;
use crate::journey::Journey;
use crate::stream::Stream;
use crate::turns::Turns;
use crate::{Error, IntoRequest, Stage, observe};
use std::fmt;
use std::sync::Arc;
use ws_proto::http::{Request, Response};

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
        let mut journey = Journey::new(settings, request)?;
        let deadline = Deadline::after(settings.connect_timeout);
        let dialer = Dialer { settings, turns: &self.0.turns, deadline };
        loop {
            let (stream, turn) = dialer.dial(journey.target(), journey.identity()).await?;
            let opening = ws_tokio::connect(stream, journey.request(), Arc::clone(&settings.config));
            let opened = deadline.hold(Stage::Handshake, opening).await?.map_err(Error::from);
            drop(turn);
            match opened {
                Ok((socket, response)) => {
                    journey.keep_cookies(response.headers());
                    return Ok((socket, response));
                }
                Err(error) => journey.go_on(error)?,
            }
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
