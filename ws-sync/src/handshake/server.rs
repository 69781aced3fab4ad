//! The server's side.

use super::exchange::Exchange;
use crate::wire::Patience;
use crate::{OpenError, Stream, WebSocket};
use bytes::{Buf, Bytes};
use http::{Request, Response, StatusCode};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Instant;
use ws_proto::handshake::{
    Acceptance, HandshakeError, ServerHandshake, ServerHandshakeEvent, Subprotocol, Upgrade,
};
use ws_proto::{ApiMisuse, Config};

/// Reads an opening request from a blocking stream and checks it; whether it is accepted is up to you.
///
/// Where the stream can be given a timeout ([`Stream::set_timeout`]), the request has to be there within
/// [`handshake_timeout`](ws_proto::ConfigBuilder::handshake_timeout). A request that breaks a rule is answered here: the error comes
/// back after the response was written, our side ended, and what the client still sends read away, until it ends or
/// [`close_timeout`](ws_proto::ConfigBuilder::close_timeout) is over. Closing at once could make the kernel reset the connection before
/// the client has read the response.
///
/// # Errors
/// - [`OpenError::Handshake`] where the client breaks a rule, ends the stream or takes too long; it has been answered
/// - [`OpenError::Io`] where the stream fails
///
/// After an error the stream is closed.
///
/// # Example
/// ```
/// # fn example(stream: std::net::TcpStream) -> Result<(), Box<dyn std::error::Error>> {
/// use ws_proto::Config;
/// use ws_proto::bytes::Bytes;
/// use ws_proto::handshake::Acceptance;
/// use ws_proto::http::{Response, StatusCode};
///
/// let incoming = ws_sync::accept(stream, Config::default())?;
/// if incoming.request().uri().path() != "/chat" {
///     let mut response = Response::new(Bytes::from_static(b"no such place\n"));
///     *response.status_mut() = StatusCode::NOT_FOUND;
///     return Ok(incoming.reject(response)?);
/// }
/// let mut ws = incoming.accept(Acceptance::default())?;
/// ws.send("welcome")?;
/// # Ok(()) }
/// ```
pub fn accept<S: Stream>(stream: S, config: impl Into<Arc<Config>>) -> Result<Incoming<S>, OpenError> {
    let mut accepting = Accepting::new(stream, config);
    accepting.set_nonblocking(false)?;
    accepting.advance()
}

/// The opening handshake of a server under way: the form of [`accept`] for streams that do not block.
#[derive(Debug)]
pub struct Accepting<S> {
    exchange: Option<Box<Exchange<S, ServerHandshake>>>,
    /// Why the request is being refused.
    failed: Option<HandshakeError>,
}

impl<S: Stream> Accepting<S> {
    /// Waits for a request; [`advance`](Self::advance) reads it. The stream is taken as it is.
    pub fn new(stream: S, config: impl Into<Arc<Config>>) -> Self {
        let config = config.into();
        let handshake = ServerHandshake::new(Arc::clone(&config), Instant::now());
        Self { exchange: Some(Box::new(Exchange::new(stream, handshake, config))), failed: None }
    }

    /// As [`WebSocket::set_nonblocking`], for the handshake and the WebSocket that comes of it.
    ///
    /// # Errors
    /// What the stream says.
    pub fn set_nonblocking(&mut self, nonblocking: bool) -> io::Result<()> {
        self.exchange.as_mut().map_or(Ok(()), |exchange| exchange.wire.set_nonblocking(nonblocking))
    }

    /// Reads, and writes, what can be read and written: the request, once.
    ///
    /// # Errors
    /// [`OpenError::WouldBlock`]: call it again when the stream is ready, or the deadline has come. The others as [`accept`]; after
    /// them, and after success, there is nothing to be advanced, which is [`ApiMisuse::HandshakeNotWaiting`].
    pub fn advance(&mut self) -> Result<Incoming<S>, OpenError> {
        let outcome = self.try_advance();
        if matches!(&outcome, Err(error) if error.would_block().is_none()) {
            self.exchange = None;
        }
        outcome
    }

    fn try_advance(&mut self) -> Result<Incoming<S>, OpenError> {
        let exchange = self.exchange.as_mut().ok_or(ApiMisuse::HandshakeNotWaiting)?;
        if self.failed.is_none() {
            match exchange.next_event()? {
                ServerHandshakeEvent::Request(upgrade) => {
                    let exchange = self.exchange.take().ok_or(ApiMisuse::HandshakeNotWaiting)?;
                    return Ok(Incoming { exchange, upgrade });
                }
                ServerHandshakeEvent::Failed(error) => self.failed = Some(error),
                // The core may learn to tell more; none of it is a request.
                _ => self.failed = Some(HandshakeError::EndOfStream),
            }
        }
        match exchange.finish_refusal() {
            Err(error @ OpenError::WouldBlock(_)) => Err(error),
            // That the answer could not be delivered is no news beside the fault itself.
            Ok(()) | Err(_) => Err(self
                .failed
                .take()
                .map_or_else(|| ApiMisuse::HandshakeNotWaiting.into(), OpenError::Handshake)),
        }
    }

    /// The stream, to register it with an event loop; `None` behind the end of the handshake.
    #[must_use]
    pub fn get_ref(&self) -> Option<&S> {
        self.exchange.as_ref().map(|exchange| &exchange.wire.stream)
    }

    /// As [`get_ref`](Self::get_ref). Do not read or write.
    pub fn get_mut(&mut self) -> Option<&mut S> {
        self.exchange.as_mut().map(|exchange| &mut exchange.wire.stream)
    }
}

/// A client that has sent a valid opening request and waits for the answer: [`accept`](Self::accept) or [`reject`](Self::reject) it.
/// Dropping it closes the stream without an answer.
///
/// How long you take to decide is not limited here.
#[derive(Debug)]
#[must_use = "the client waits for an answer"]
pub struct Incoming<S> {
    exchange: Box<Exchange<S, ServerHandshake>>,
    upgrade: Upgrade,
}

impl<S: Stream> Incoming<S> {
    /// Accepts: writes the response with status 101 and makes the WebSocket, blocking or non-blocking as the handshake was. What a
    /// non-blocking stream does not take at once leaves before anything else.
    ///
    /// permessage-deflate is agreed on where the client offers it in a way that the config allows. Bytes that the client sent behind
    /// its request are the first input of the WebSocket.
    ///
    /// # Errors
    /// - [`OpenError::Misuse`] where `acceptance` names a subprotocol that was not offered, or a header that the handshake sets itself;
    ///   the client was answered 500
    /// - [`OpenError::Handshake`] with [`HandshakeError::Timeout`] where a blocking stream did not take the response within
    ///   [`handshake_timeout`](ws_proto::ConfigBuilder::handshake_timeout)
    /// - [`OpenError::Io`] where the stream fails
    pub fn accept(mut self, acceptance: Acceptance) -> Result<WebSocket<S>, OpenError> {
        if let Err(misuse) = self.exchange.handshake.accept(acceptance) {
            return Err(self.fail(misuse));
        }
        let Exchange { mut wire, mut handshake, leftover, config, .. } = *self.exchange;
        let patience =
            Instant::now().checked_add(config.handshake_timeout()).map_or(Patience::Forever, Patience::Until);
        match wire.write(handshake.transmit(), patience) {
            Ok(true) => {}
            Ok(false) => {
                let unsent = handshake.transmit().len();
                wire.put_first(handshake.transmit().copy_to_bytes(unsent));
            }
            Err(error) if error.kind() == ErrorKind::TimedOut => return Err(HandshakeError::Timeout.into()),
            Err(error) => return Err(error.into()),
        }
        let negotiated = handshake.finish().ok_or(ApiMisuse::HandshakeNotWaiting)?;
        Ok(WebSocket::new(wire, leftover, negotiated, config))
    }

    /// Refuses over a blocking stream, with any status from 200 on, any headers and any body; `Content-Length` and `Connection: close`
    /// are added.
    ///
    /// Returns after the response was written, our side ended, and what the client still sends read away, until it ends or
    /// [`close_timeout`](ws_proto::ConfigBuilder::close_timeout) is over.
    ///
    /// # Errors
    /// - [`OpenError::Misuse`] for a status below 200, or a `Transfer-Encoding`; the client was answered 500
    /// - [`OpenError::Io`] where the stream fails
    pub fn reject(self, response: Response<Bytes>) -> Result<(), OpenError> {
        self.start_rejecting(response)?.advance()
    }

    /// Refuses as [`reject`](Self::reject) does, over a stream that does not block: nothing is written yet.
    ///
    /// # Errors
    /// [`OpenError::Misuse`] as `reject`.
    pub fn start_rejecting(mut self, response: Response<Bytes>) -> Result<Rejecting<S>, OpenError> {
        match self.exchange.handshake.reject(response, Instant::now()) {
            Ok(()) => Ok(Rejecting(self.exchange)),
            Err(misuse) => Err(self.fail(misuse)),
        }
    }

    /// The fault is ours: says so to the client, who waits.
    fn fail(mut self, misuse: ApiMisuse) -> OpenError {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        if self.exchange.handshake.reject(response, Instant::now()).is_ok() {
            let _undelivered = self.exchange.finish_refusal();
        }
        misuse.into()
    }
}

impl<S> Incoming<S> {
    /// The request: path, query and all its headers.
    #[must_use]
    pub const fn request(&self) -> &Request<()> {
        self.upgrade.request()
    }

    /// The subprotocols that the client offers, in its order of preference; none where it offers none.
    #[must_use]
    pub fn subprotocols(&self) -> &[Subprotocol] {
        self.upgrade.subprotocols()
    }

    /// The stream below, to ask it for the peer's address or certificate. Do not read or write.
    #[must_use]
    pub const fn get_ref(&self) -> &S {
        &self.exchange.wire.stream
    }
}

/// A refusal under way: the form of [`Incoming::reject`] for streams that do not block.
#[derive(Debug)]
#[must_use = "nothing is written before it is advanced"]
pub struct Rejecting<S>(Box<Exchange<S, ServerHandshake>>);

impl<S: Stream> Rejecting<S> {
    /// Writes and reads what can be written and read. After `Ok` drop it.
    ///
    /// # Errors
    /// [`OpenError::WouldBlock`]: call it again when the stream is ready, or the deadline has come. [`OpenError::Io`]: the stream fails.
    pub fn advance(&mut self) -> Result<(), OpenError> {
        self.0.finish_refusal()
    }

    /// The stream, to register it with an event loop. Do not read or write.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.0.wire.stream
    }
}
