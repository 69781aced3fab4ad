//! The opening handshake over a byte stream ([RFC 6455 §4]), both roles.
//!
//! [RFC 6455 §4]: https://www.rfc-editor.org/rfc/rfc6455#section-4

use crate::WebSocket;
use bytes::{Buf, BytesMut};
use http::{Request, Response, StatusCode};
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use ws_proto::bytes::Bytes;
use ws_proto::handshake::{
    Acceptance, ClientHandshake, ClientHandshakeEvent, HandshakeError, ServerHandshake, ServerHandshakeEvent,
    Subprotocol, Upgrade,
};
use ws_proto::{ApiMisuse, Config, Transmit, Transport};

#[cfg(test)]
mod tests;

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
    mut stream: S,
    config: impl Into<Arc<Config>>,
    began: Instant,
) -> Result<Incoming<S>, OpenError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = config.into();
    let mut handshake = ServerHandshake::new(Arc::clone(&config), began.into_std());
    let mut input = BytesMut::new();
    match drive(&mut stream, &mut handshake, &mut input).await? {
        ServerHandshakeEvent::Request(upgrade) => {
            Ok(Incoming(Box::new(Waiting { stream, input, handshake, upgrade, config })))
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
            waiting.fail().await;
            return Err(misuse.into());
        }
        let deadline = now().checked_add(waiting.config.handshake_timeout());
        let Waiting { mut stream, input, mut handshake, config, .. } = *waiting;
        let written = by(deadline, write(&mut stream, handshake.transmit())).await?;
        written.ok_or(HandshakeError::Timeout)?;
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
            waiting.fail().await;
            return Err(misuse.into());
        }
        Ok(refuse(&mut waiting.stream, &mut waiting.handshake).await?)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Waiting<S> {
    /// The fault is ours: says so to the client, who waits.
    async fn fail(&mut self) {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        if self.handshake.reject(response, now()).is_ok() {
            let _ = refuse(&mut self.stream, &mut self.handshake).await;
        }
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

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Handshake(error) => Some(error),
            Self::Misuse(error) => Some(error),
            Self::Io(error) => Some(error),
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

/// What the two handshakes of the core have in common.
trait Opening {
    type Event;
    fn poll_event(&mut self, input: &mut &[u8]) -> Option<Self::Event>;
    fn handle_eof(&mut self);
    fn handle_timeout(&mut self);
    fn poll_timeout(&self) -> Option<std::time::Instant>;
    fn transmit(&mut self) -> &mut Transmit;
}

macro_rules! opening {
    ($handshake:ty, $event:ty) => {
        impl Opening for $handshake {
            type Event = $event;
            fn poll_event(&mut self, input: &mut &[u8]) -> Option<$event> {
                self.poll_event(input, now())
            }
            fn handle_eof(&mut self) {
                self.handle_eof(now());
            }
            fn handle_timeout(&mut self) {
                self.handle_timeout(now());
            }
            fn poll_timeout(&self) -> Option<std::time::Instant> {
                self.poll_timeout()
            }
            fn transmit(&mut self) -> &mut Transmit {
                self.transmit()
            }
        }
    };
}

opening!(ClientHandshake, ClientHandshakeEvent);
opening!(ServerHandshake, ServerHandshakeEvent);

/// Writes and reads until the handshake has something to tell. What came behind the head is then in `input`.
async fn drive<S, H>(stream: &mut S, handshake: &mut H, input: &mut BytesMut) -> io::Result<H::Event>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Opening,
{
    loop {
        let mut rest = &input[..];
        let event = handshake.poll_event(&mut rest);
        let taken = input.len() - rest.len();
        input.advance(taken);
        if let Some(event) = event {
            return Ok(event);
        }
        let deadline = handshake.poll_timeout();
        if !handshake.transmit().is_empty() {
            if by(deadline, write(stream, handshake.transmit())).await?.is_none() {
                handshake.handle_timeout();
            }
            continue;
        }
        input.reserve(CHUNK_BYTES);
        match by(deadline, stream.read_buf(input)).await? {
            Some(0) => handshake.handle_eof(),
            Some(_) => {}
            None => handshake.handle_timeout(),
        }
    }
}

/// Writes a refusal, shuts down the write side, and discards what the client still sends until the core says that it is time to close.
async fn refuse<S>(stream: &mut S, handshake: &mut ServerHandshake) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let deadline = handshake.poll_timeout();
    if by(deadline, write(stream, handshake.transmit())).await?.is_none() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    // The response is out. From here on failures only mean that the client does not want it.
    if handshake.transport() == Transport::ShutdownWrite
        && !matches!(by(deadline, stream.shutdown()).await, Ok(Some(())))
    {
        return Ok(());
    }
    let mut discarded = BytesMut::with_capacity(CHUNK_BYTES);
    while handshake.transport() != Transport::Close {
        discarded.clear();
        match by(deadline, stream.read_buf(&mut discarded)).await {
            Ok(Some(0)) => handshake.handle_eof(now()),
            Ok(Some(_)) => {}
            Ok(None) => handshake.handle_timeout(now()),
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, transmit: &mut Transmit) -> io::Result<()> {
    stream.write_all_buf(transmit).await?;
    stream.flush().await
}

/// What `io` gives, or `None` where the deadline comes first.
async fn by<T>(
    deadline: Option<std::time::Instant>,
    io: impl Future<Output = io::Result<T>>,
) -> io::Result<Option<T>> {
    match deadline {
        None => io.await.map(Some),
        Some(deadline) => match timeout_at(deadline.into(), io).await {
            Ok(result) => result.map(Some),
            Err(_) => Ok(None),
        },
    }
}

/// The clock of the runtime, so that a test can stop it.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

/// A usual request has 200 to 700 bytes: one read. What comes behind it is handed on, so there is no use in reading far ahead.
const CHUNK_BYTES: usize = 2048;
