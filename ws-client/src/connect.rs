//! From a URL to a WebSocket.

use crate::builder::ClientBuilder;
use crate::dial::{dial, within};
use crate::stream::{Io, Stream};
use crate::uri::Target;
use crate::{Error, Stage};
use std::fmt;
use std::sync::Arc;
use tokio::time::Instant;
use ws_proto::http::{HeaderValue, Request, Response, header};

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
pub async fn connect(url: &str) -> Result<WebSocket, Error> {
    Client::default().connect(url).await
}

/// Connects, as often as you like, with the same settings. Clones share them, and the TLS sessions to be resumed.
#[derive(Clone)]
pub struct Client(Arc<ClientBuilder>);

impl Client {
    /// Starts from the defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    pub(crate) fn new(settings: ClientBuilder) -> Self {
        Self(Arc::new(settings))
    }

    /// Connects to a `ws://` or `wss://` URL.
    ///
    /// # Errors
    /// [`Error`] says how far it got.
    ///
    /// # Cancel safety
    /// Dropping the future closes what was opened: there is nothing to be continued.
    pub async fn connect(&self, url: &str) -> Result<WebSocket, Error> {
        Ok(self.connect_with_response(url).await?.0)
    }

    /// The same, and the server's response with it, for those who look at its headers: cookies, for example.
    ///
    /// # Errors
    /// [`Error`] says how far it got.
    ///
    /// # Cancel safety
    /// Dropping the future closes what was opened: there is nothing to be continued.
    pub async fn connect_with_response(&self, url: &str) -> Result<(WebSocket, Response<()>), Error> {
        let settings = &*self.0;
        let deadline = Instant::now().checked_add(settings.connect_timeout);
        let target = Target::parse(url)?;
        let request = self.request(&target);
        let io = if target.secure {
            self.dial_tls(&target, deadline).await?
        } else {
            Io::Plain(dial(&target, deadline).await?)
        };
        let opening = ws_tokio::connect(Stream::new(io), request, Arc::clone(&settings.config));
        Ok(within(deadline, Stage::Handshake, opening).await??)
    }

    fn request(&self, target: &Target) -> Request<()> {
        let mut request = Request::new(());
        *request.uri_mut() = target.uri.clone();
        let headers = request.headers_mut();
        headers.clone_from(&self.0.headers);
        for subprotocol in &self.0.subprotocols {
            #[expect(clippy::expect_used, reason = "by the invariant of the type")]
            let name = HeaderValue::from_str(subprotocol.as_str()).expect("a token is visible ASCII");
            headers.append(header::SEC_WEBSOCKET_PROTOCOL, name);
        }
        request
    }

    #[cfg(feature = "tls")]
    async fn dial_tls(&self, target: &Target, deadline: Option<Instant>) -> Result<Io, Error> {
        let config = within(deadline, Stage::Tls, self.0.tls.config()).await??;
        let tcp = dial(target, deadline).await?;
        let tls = within(deadline, Stage::Tls, crate::tls::connect(config, &target.host, tcp)).await??;
        Ok(Io::Tls(Box::new(tls)))
    }

    #[cfg(not(feature = "tls"))]
    async fn dial_tls(&self, _: &Target, _: Option<Instant>) -> Result<Io, Error> {
        Err(Error::NoTls)
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0).finish()
    }
}
