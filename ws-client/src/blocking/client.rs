//! From a URL to a WebSocket, in one thread.

use super::dial::{Dialer, within};
use super::park::wait;
use super::{ClientBuilder, Stream};
use crate::journey::Journey;
use crate::turns::Turns;
use crate::{Error, IntoRequest, Stage, observe};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Instant;
use ws_proto::http::{Request, Response};
use ws_sync::OpenError;

/// A socket of the client. See [`ws_sync::WebSocket`] for what it can do.
pub type WebSocket = ws_sync::WebSocket<Stream>;

/// Connects to a `ws://` or `wss://` URL, with the defaults of [`Client`]. Who connects more than once to `wss://` is better off with a
/// [`Client`]: it reads the system's certificates once, and its TLS sessions are resumed.
///
/// # Errors
/// [`Error`] says how far it got.
///
/// # Example
/// ```no_run
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut socket = ws_client::blocking::connect("wss://echo.example.com/")?;
/// socket.send("hello")?;
/// # Ok(()) }
/// ```
pub fn connect(target: impl IntoRequest) -> Result<WebSocket, Error> {
    Client::default().connect(target)
}

/// Connects, as often as you like, with the same settings. Clones share them, and the TLS sessions to be resumed; they may be in several
/// threads.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    settings: crate::ClientBuilder,
    turns: Turns,
}

impl Client {
    /// Starts from the defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    pub(super) fn new(settings: crate::ClientBuilder) -> Self {
        Self(Arc::new(Shared { settings, turns: Turns::default() }))
    }

    /// Connects to a `ws://` or `wss://` URL: its text, an `http::Uri`, or an `http::Request<()>` with headers for this connection alone
    /// (see [`IntoRequest`]).
    ///
    /// # Errors
    /// [`Error`] says how far it got. It takes no longer than [`connect_timeout`](ClientBuilder::connect_timeout).
    pub fn connect(&self, target: impl IntoRequest) -> Result<WebSocket, Error> {
        Ok(self.connect_with_response(target)?.0)
    }

    /// The same, and the server's response with it, for those who look at its headers.
    ///
    /// # Errors
    /// [`Error`] says how far it got.
    pub fn connect_with_response(
        &self,
        target: impl IntoRequest,
    ) -> Result<(WebSocket, Response<()>), Error> {
        let connecting = observe::connecting(async {
            let ended = target.into_request().and_then(|request| self.open(request));
            observe::ended(&ended);
            ended
        });
        // Nothing is awaited in there: it blocks.
        wait(connecting, None).unwrap_or(Err(Error::Timeout(Stage::Request)))
    }

    fn open(&self, request: Request<()>) -> Result<(WebSocket, Response<()>), Error> {
        let settings = &self.0.settings;
        let mut journey = Journey::new(settings, request)?;
        let deadline = Instant::now().checked_add(settings.connect_timeout);
        let dialer = Dialer { settings, turns: &self.0.turns, deadline };
        loop {
            let (stream, turn) = dialer.dial(journey.target(), journey.identity())?;
            let opened = within(deadline, Stage::Handshake, stream, |stream| {
                Ok(ws_sync::connect(stream, journey.request(), Arc::clone(&settings.config))?)
            });
            drop(turn);
            match opened {
                Ok((mut socket, response)) => {
                    journey.keep_cookies(response.headers());
                    socket.get_mut().set_deadline(None).map_err(Error::Io)?;
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

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Handshake(error) => error.into(),
            OpenError::Misuse(error) => Self::Misuse(error),
            OpenError::Io(error) => Self::Io(error),
            // The driver may learn of more ways to fail; all of them are behind TCP and TLS.
            error => Self::Io(io::Error::other(error)),
        }
    }
}
