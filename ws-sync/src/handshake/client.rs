//! The client's side.

use super::exchange::Exchange;
use crate::{OpenError, Stream, WebSocket};
use bytes::Buf;
use http::{Request, Response};
use std::io;
use std::sync::Arc;
use std::time::Instant;
use ws_proto::handshake::{ClientHandshake, ClientHandshakeEvent, HandshakeError};
use ws_proto::{ApiMisuse, Config};

/// Sends the opening request over a blocking stream, checks the response, and makes the WebSocket of it.
///
/// The URI of `request` is absolute; it is not resolved, it only says what to ask for. Headers of yours go along, and the names in a
/// `Sec-WebSocket-Protocol` of yours are offered as subprotocols. The whole takes no longer than
/// [`handshake_timeout`](ws_proto::ConfigBuilder::handshake_timeout) where the stream can be given a timeout ([`Stream::set_timeout`]).
/// Bytes that the server sent behind its response are the first input of the WebSocket, which is blocking too.
///
/// # Errors
/// - [`OpenError::Misuse`] for a request that cannot be sent; nothing was written
/// - [`OpenError::Handshake`] where the server breaks a rule, refuses ([`HandshakeError::Refused`]), ends the stream, or takes too long
/// - [`OpenError::Io`] where the stream fails
///
/// After an error the stream is closed.
///
/// # Example
/// ```no_run
/// use std::net::TcpStream;
/// use ws_proto::{Config, http};
///
/// let stream = TcpStream::connect("example.com:80")?;
/// let request = http::Request::get("ws://example.com/chat").header("authorization", "Bearer 7f3a").body(())?;
/// let (mut ws, response) = ws_sync::connect(stream, request, Config::default())?;
/// println!("{:?}", response.headers().get("server"));
/// ws.send("hello")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn connect<S: Stream>(
    stream: S,
    request: Request<()>,
    config: impl Into<Arc<Config>>,
) -> Result<(WebSocket<S>, Response<()>), OpenError> {
    let mut connecting = Connecting::new(stream, request, config)?;
    connecting.set_nonblocking(false)?;
    connecting.advance()
}

/// The opening handshake of a client under way: the form of [`connect`] for streams that do not block.
#[derive(Debug)]
pub struct Connecting<S>(Option<Box<Exchange<S, ClientHandshake>>>);

impl<S: Stream> Connecting<S> {
    /// Begins the handshake; [`advance`](Self::advance) does the rest. The stream is taken as it is. Its clock runs from now on, so a
    /// connection that is not established yet counts as well.
    ///
    /// # Errors
    /// [`OpenError::Misuse`] for a request that cannot be sent.
    pub fn new(stream: S, request: Request<()>, config: impl Into<Arc<Config>>) -> Result<Self, OpenError> {
        let config = config.into();
        let handshake = ClientHandshake::new(request, Arc::clone(&config), Instant::now())?;
        Ok(Self(Some(Box::new(Exchange::new(stream, handshake, config)))))
    }

    /// As [`WebSocket::set_nonblocking`], for the handshake and the WebSocket that comes of it.
    ///
    /// # Errors
    /// What the stream says.
    pub fn set_nonblocking(&mut self, nonblocking: bool) -> io::Result<()> {
        self.0.as_mut().map_or(Ok(()), |exchange| exchange.wire.set_nonblocking(nonblocking))
    }

    /// Writes and reads what can be written and read: the WebSocket and the response that accepted, once.
    ///
    /// # Errors
    /// [`OpenError::WouldBlock`]: call it again when the stream is ready, or the deadline has come. The others as [`connect`]; after
    /// them, and after success, there is nothing to be advanced, which is [`ApiMisuse::HandshakeNotWaiting`].
    pub fn advance(&mut self) -> Result<(WebSocket<S>, Response<()>), OpenError> {
        let exchange = self.0.as_mut().ok_or(ApiMisuse::HandshakeNotWaiting)?;
        let event = match exchange.next_event() {
            Err(error @ OpenError::WouldBlock(_)) => return Err(error),
            event => event,
        };
        let exchange = self.0.take().ok_or(ApiMisuse::HandshakeNotWaiting)?;
        match event? {
            ClientHandshakeEvent::Response(response) => {
                let Exchange { mut wire, mut handshake, leftover, config, .. } = *exchange;
                // A server may answer before the request has left as a whole.
                let unsent = handshake.transmit().len();
                wire.put_first(handshake.transmit().copy_to_bytes(unsent));
                let negotiated = handshake.finish().ok_or(ApiMisuse::HandshakeNotWaiting)?;
                Ok((WebSocket::new(wire, leftover, negotiated, config), response))
            }
            ClientHandshakeEvent::Failed(error) => Err(error.into()),
            // The core may learn to tell more; none of it is a WebSocket yet.
            _ => Err(HandshakeError::EndOfStream.into()),
        }
    }

    /// The stream, to register it with an event loop; `None` behind the end of the handshake.
    #[must_use]
    pub fn get_ref(&self) -> Option<&S> {
        self.0.as_ref().map(|exchange| &exchange.wire.stream)
    }

    /// As [`get_ref`](Self::get_ref). Do not read or write.
    pub fn get_mut(&mut self) -> Option<&mut S> {
        self.0.as_mut().map(|exchange| &mut exchange.wire.stream)
    }
}
