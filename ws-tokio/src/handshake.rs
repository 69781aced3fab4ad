//! The opening handshake over a byte stream ([RFC 6455 §4]), both roles.
//!
//! [RFC 6455 §4]: https://www.rfc-editor.org/rfc/rfc6455#section-4

use crate::WebSocket;
use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode};
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use ws_proto::handshake::{
    Acceptance, ClientHandshake, ClientHandshakeEvent, HandshakeError, ServerHandshake, ServerHandshakeEvent,
    Subprotocol, Upgrade,
};
use ws_proto::{ApiMisuse, Config};

mod exchange;
#[cfg(test)]
mod tests;

use exchange::{by, drive, now, refuse, write};

/// Sends the opening request over an established stream, checks the response, and makes the WebSocket of it.
///
/// The URI of `request` is absolute; it is not resolved, it only says what to ask for. Headers of yours go along, and the names in a
/// `Sec-WebSocket-Protocol` of yours are offered as subprotocols. The whole takes no longer than
/// [`handshake_timeout`](ws_proto::ConfigBuilder::handshake_timeout), by the clock of the tokio runtime. Bytes that the server sent
/// behind its response are the first input of the WebSocket.
///
/// # Errors
/// - [`OpenError::Misuse`] for a request that cannot be sent; nothing was written
/// - [`OpenError::Handshake`] where the server breaks a rule, refuses ([`HandshakeError::Refused`]), ends the stream, or
///   takes too long
/// - [`OpenError::Io`] where the stream fails
///
/// After an error the stream is closed.
///
/// # Cancel safety
/// Dropping the future closes the stream: there is nothing to be continued.
///
/// # Example
/// ```
/// # async fn example(stream: tokio::net::TcpStream) -> Result<(), Box<dyn std::error::Error>> {
/// use ws_proto::{Config, http};
///
/// let request = http::Request::get("ws://example.com/chat").header("authorization", "Bearer 7f3a").body(())?;
/// let (mut socket, response) = ws_tokio::connect(stream, request, Config::default()).await?;
/// println!("{:?}", response.headers().get("server"));
/// socket.send("hello").await?;
/// # Ok(())
/// # }
/// ```
pub async fn connect<S>(
    mut stream: S,
    request: Request<()>,
    config: impl Into<Arc<Config>>,
) -> Result<(WebSocket<S>, Response<()>), OpenError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = config.into();
    let mut handshake = ClientHandshake::new(request, Arc::clone(&config), now())?;
    let mut input = BytesMut::new();
    match drive(&mut stream, &mut handshake, &mut input).await? {
        ClientHandshakeEvent::Response(response) => {
            let negotiated = handshake.finish().ok_or(ApiMisuse::HandshakeNotWaiting)?;
            Ok((WebSocket::from_parts(stream, input, negotiated, config), response))
        }
        ClientHandshakeEvent::Failed(error) => Err(error.into()),
        // The core may learn to tell more; none of it is a WebSocket yet.
        _ => Err(HandshakeError::EndOfStream.into()),
    }
}

/// Reads an opening request from an established stream and checks it; whether it is accepted is up to you.
///
/// The request has to be there within [`handshake_timeout`](ws_proto::ConfigBuilder::handshake_timeout), by the clock of the tokio
/// runtime. A request that breaks a rule is answered here: the error comes back after the response was written, the write side shut
/// down, and what the client still sends read away, until it ends or
/// [`close_timeout`](ws_proto::ConfigBuilder::close_timeout) is over. Closing at once could make the kernel reset the connection
/// before the client has read the response.
///
/// # Errors
/// - [`OpenError::Handshake`] where the client breaks a rule, ends the stream or takes too long; it has been answered
/// - [`OpenError::Io`] where the stream fails
///
/// After an error the stream is closed.
///
/// # Cancel safety
/// Dropping the future closes the stream: there is nothing to be continued.
///
/// # Example
/// ```
/// # async fn example(stream: tokio::net::TcpStream) -> Result<(), Box<dyn std::error::Error>> {
/// use ws_proto::Config;
/// use ws_proto::bytes::Bytes;
/// use ws_proto::handshake::Acceptance;
/// use ws_proto::http::{Response, StatusCode};
///
/// let incoming = ws_tokio::accept(stream, Config::default()).await?;
/// if incoming.request().uri().path() != "/chat" {
///     let mut response = Response::new(Bytes::from_static(b"no such place\n"));
///     *response.status_mut() = StatusCode::NOT_FOUND;
///     return Ok(incoming.reject(response).await?);
/// }
/// let mut socket = incoming.accept(Acceptance::default()).await?;
/// socket.send("welcome").await?;
/// # Ok(())
/// # }
/// ```
pub async fn accept<S>(stream: S, config: impl Into<Arc<Config>>) -> Result<Incoming<S>, OpenError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    accept_since(stream, config, Instant::now()).await
}

/// The same as [`accept`], with the time that already passed counted: `began` is when the client connected. For streams on which
/// something had to be opened before, such as TLS, so that one deadline holds for both.
///
/// # Errors
/// As [`accept`].
///
/// # Cancel safety
/// As [`accept`].
pub async fn accept_since<S>(
    stream: S,
    config: impl Into<Arc<Config>>,
    began: Instant,
) -> Result<Incoming<S>, OpenError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = config.into();
    let handshake = ServerHandshake::new(Arc::clone(&config), began.into_std());
    let incoming = request(stream, handshake, config, |_| None).await?;
    incoming.ok_or_else(|| HandshakeError::MissingUpgrade.into())
}

/// The same as [`accept_since`], for a port that answers plain requests too: health checks, a page. `answer` is called for a GET or HEAD
/// that does not ask for WebSocket; what it gives is sent, and `None` is 426. `Ok(None)` says that such a request was answered; the
/// stream is then closed.
///
/// # Errors
/// As [`accept`], for requests that `answer` does not know as well.
///
/// # Cancel safety
/// As [`accept`].
pub async fn accept_or_answer<S>(
    stream: S,
    config: impl Into<Arc<Config>>,
    began: Instant,
    answer: impl FnOnce(&Request<()>) -> Option<Response<Bytes>>,
) -> Result<Option<Incoming<S>>, OpenError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = config.into();
    let handshake = ServerHandshake::new(Arc::clone(&config), began.into_std()).tell_plain_requests();
    request(stream, handshake, config, answer).await
}

async fn request<S>(
    mut stream: S,
    mut handshake: ServerHandshake,
    config: Arc<Config>,
    answer: impl FnOnce(&Request<()>) -> Option<Response<Bytes>>,
) -> Result<Option<Incoming<S>>, OpenError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut input = BytesMut::new();
    match drive(&mut stream, &mut handshake, &mut input).await? {
        ServerHandshakeEvent::Request(upgrade) => {
            Ok(Some(Incoming(Box::new(Waiting { stream, input, handshake, upgrade, config }))))
        }
        ServerHandshakeEvent::PlainRequest(request) => {
            let unknown = HandshakeError::MissingUpgrade;
            let (response, answered) = match answer(&request) {
                Some(response) => (response, Ok(None)),
                None => (unknown.response().unwrap_or_default(), Err(unknown.into())),
            };
            if let Err(misuse) = handshake.reject(response, now()) {
                fail(&mut stream, &mut handshake).await;
                return Err(misuse.into());
            }
            // That the answer could not be delivered is no news.
            let _ = refuse(&mut stream, &mut handshake).await;
            answered
        }
        ServerHandshakeEvent::Failed(error) => {
            // That the answer could not be delivered is no news beside the fault itself.
            let _ = refuse(&mut stream, &mut handshake).await;
            Err(error.into())
        }
        // The core may learn to tell more; none of it is a request.
        _ => Err(HandshakeError::EndOfStream.into()),
    }
}

/// A client that has sent a valid opening request and waits for the answer: [`accept`](Self::accept) or [`reject`](Self::reject) it.
/// Dropping it closes the stream without an answer.
///
/// How long you take to decide is not limited here.
#[must_use = "the client waits for an answer"]
// In a box, so that the task that holds it is not as large as the request for as long as it lives.
pub struct Incoming<S>(Box<Waiting<S>>);

struct Waiting<S> {
    stream: S,
    /// What came behind the head of the request.
    input: BytesMut,
    handshake: ServerHandshake,
    upgrade: Upgrade,
    config: Arc<Config>,
}

impl<S> Incoming<S> {
    /// The request: path, query and all its headers.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        self.0.upgrade.request()
    }

    /// The subprotocols that the client offers, in its order of preference; none where it offers none.
    #[must_use]
    pub fn subprotocols(&self) -> &[Subprotocol] {
        self.0.upgrade.subprotocols()
    }

    /// The stream below, to ask it for the peer's address or certificate. Do not read or write.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.0.stream
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Incoming<S> {
    /// Accepts: writes the response with status 101 and makes the WebSocket.
    ///
    /// permessage-deflate is agreed on where the client offers it in a way that the config allows. Bytes that the client sent behind
    /// its request are the first input of the WebSocket.
    ///
    /// # Errors
    /// - [`OpenError::Misuse`] where `acceptance` names a subprotocol that was not offered, or a header that the handshake sets
    ///   itself; the client was answered 500
    /// - [`OpenError::Handshake`] with [`HandshakeError::Timeout`] where the response cannot be written within
    ///   [`handshake_timeout`](ws_proto::ConfigBuilder::handshake_timeout) from now
    /// - [`OpenError::Io`] where the stream fails
    ///
    /// # Cancel safety
    /// Dropping the future closes the stream: there is nothing to be continued.
    pub async fn accept(self, acceptance: Acceptance) -> Result<WebSocket<S>, OpenError> {
        let mut waiting = self.0;
        if let Err(misuse) = waiting.handshake.accept(acceptance) {
            fail(&mut waiting.stream, &mut waiting.handshake).await;
            return Err(misuse.into());
        }
        let deadline = now().checked_add(waiting.config.handshake_timeout());
        let written = by(deadline, write(&mut waiting.stream, waiting.handshake.transmit())).await?;
        written.ok_or(HandshakeError::Timeout)?;
        // Taken out of its box behind the last `await` only: else the future would be as large.
        let Waiting { stream, input, handshake, config, .. } = *waiting;
        let negotiated = handshake.finish().ok_or(ApiMisuse::HandshakeNotWaiting)?;
        Ok(WebSocket::from_parts(stream, input, negotiated, config))
    }

    /// Refuses with any status from 200 on, any headers and any body; `Content-Length` and `Connection: close` are added.
    ///
    /// Returns after the response was written, the write side shut down, and what the client still sends read away, until it ends or
    /// [`close_timeout`](ws_proto::ConfigBuilder::close_timeout) is over.
    ///
    /// # Errors
    /// - [`OpenError::Misuse`] for a status below 200, or a `Transfer-Encoding`; the client was answered 500
    /// - [`OpenError::Io`] where the response could not be written
    ///
    /// # Cancel safety
    /// Dropping the future closes the stream: there is nothing to be continued.
    pub async fn reject(self, response: Response<Bytes>) -> Result<(), OpenError> {
        let mut waiting = self.0;
        if let Err(misuse) = waiting.handshake.reject(response, now()) {
            fail(&mut waiting.stream, &mut waiting.handshake).await;
            return Err(misuse.into());
        }
        Ok(refuse(&mut waiting.stream, &mut waiting.handshake).await?)
    }
}

/// The fault is ours: says so to the client, who waits.
async fn fail<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, handshake: &mut ServerHandshake) {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    if handshake.reject(response, now()).is_ok() {
        // In a box: this is rare, and everybody's future would have room for it.
        let _ = Box::pin(refuse(stream, handshake)).await;
    }
}

impl<S: fmt::Debug> fmt::Debug for Incoming<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("request", self.request())
            .field("stream", self.get_ref())
            .finish_non_exhaustive()
    }
}

/// Why there is no WebSocket.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The peer broke a rule of the opening handshake, took too long, or refused.
    Handshake(HandshakeError),
    /// The caller asked for what cannot be sent.
    Misuse(ApiMisuse),
    /// The stream failed.
    Io(io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handshake(error) => error.fmt(f),
            Self::Misuse(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

/// The source goes on where `Display` ends, so that a printed chain says nothing twice.
impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Handshake(error) => error.source(),
            Self::Misuse(error) => error.source(),
            Self::Io(error) => error.source(),
        }
    }
}

impl From<HandshakeError> for OpenError {
    fn from(error: HandshakeError) -> Self {
        Self::Handshake(error)
    }
}

impl From<ApiMisuse> for OpenError {
    fn from(error: ApiMisuse) -> Self {
        Self::Misuse(error)
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
