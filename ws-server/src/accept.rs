//! From a TCP connection to a WebSocket.

use crate::Error;
use crate::listener::Shared;
use crate::registry::Entry;
use crate::stream::{Io, Stream};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::Instant;
use ws_proto::bytes::Bytes;
#[cfg(feature = "tls")]
use ws_proto::handshake::HandshakeError;
use ws_proto::handshake::{Acceptance, Subprotocol};
use ws_proto::http::{Request, Response, StatusCode};
use ws_tokio::OpenError;

/// A socket of the server. See [`ws_tokio::WebSocket`] for what it can do.
pub type WebSocket = ws_tokio::WebSocket<Stream>;

/// A TCP connection that was accepted, before TLS and the opening request.
#[must_use = "the client waits"]
pub struct Connecting {
    pub(crate) tcp: TcpStream,
    pub(crate) peer_addr: SocketAddr,
    pub(crate) began: Instant,
    pub(crate) entry: Arc<Entry>,
    pub(crate) shared: Arc<Shared>,
}

impl Connecting {
    /// The address that the connection came from: the client's, or that of a proxy between.
    #[must_use]
    pub const fn peer_addr(&self) -> SocketAddr {
        self.peer_addr
    }

    /// Makes the TLS handshake, where the server has TLS, and reads the opening request. A request that breaks a rule is answered with
    /// the right status before the error comes back, as [`ws_tokio::accept`] tells.
    ///
    /// # Errors
    /// [`Error::Tls`] or [`Error::Open`]. When both together take longer than `handshake_timeout`, counted from when the connection was
    /// accepted, that is `Error::Open` with `HandshakeError::Timeout`.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection: there is nothing to be continued.
    pub async fn handshake(self) -> Result<Incoming, Error> {
        let Self { tcp, peer_addr, began, entry, shared } = self;
        #[cfg(feature = "tls")]
        let io = match &shared.tls {
            None => Io::Plain(tcp),
            Some(tls) => {
                let deadline = began.checked_add(shared.config.handshake_timeout());
                Io::Tls(Box::new(accept_tls(Arc::clone(tls.config()), tcp, deadline).await?))
            }
        };
        #[cfg(not(feature = "tls"))]
        let io = Io::Plain(tcp);
        let stream = Stream::new(io, peer_addr, Arc::clone(&entry));
        let incoming =
            ws_tokio::accept_since(stream, Arc::clone(&shared.config), began).await.map_err(Error::Open)?;
        Ok(Incoming { request: Some(incoming), entry })
    }
}

#[cfg(feature = "tls")]
async fn accept_tls(
    config: Arc<rustls::ServerConfig>,
    tcp: TcpStream,
    deadline: Option<Instant>,
) -> Result<tokio_rustls::server::TlsStream<TcpStream>, Error> {
    let accept = tokio_rustls::TlsAcceptor::from(config).accept(tcp);
    let accepted = match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline, accept).await,
        None => Ok(accept.await),
    };
    accepted.map_err(|_| Error::Open(HandshakeError::Timeout.into()))?.map_err(Error::Tls)
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting").field("peer_addr", &self.peer_addr).finish_non_exhaustive()
    }
}

/// A client that has sent a valid opening request and waits for the answer: [`accept`](Self::accept) or [`reject`](Self::reject) it.
///
/// How long you take to decide is not limited here. Dropping it answers 500: so a handler that panics is no riddle to the client.
#[must_use = "the client waits for an answer"]
#[derive(Debug)]
pub struct Incoming {
    /// Invariant: `Some` until the answer.
    request: Option<ws_tokio::Incoming<Stream>>,
    entry: Arc<Entry>,
}

impl Incoming {
    /// The request: path, query and all its headers.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        self.waiting().request()
    }

    /// The subprotocols that the client offers, in its order of preference; none where it offers none.
    #[must_use]
    pub fn subprotocols(&self) -> &[Subprotocol] {
        self.waiting().subprotocols()
    }

    /// The address that the connection came from: the client's, or that of a proxy between.
    #[must_use]
    pub fn peer_addr(&self) -> SocketAddr {
        self.stream().peer_addr()
    }

    /// The stream below, with the TLS session.
    #[must_use]
    pub fn stream(&self) -> &Stream {
        self.waiting().get_ref()
    }

    /// Accepts: writes the response with status 101 and makes the socket. When the server is stopping, the socket is closing with 1001
    /// from the beginning.
    ///
    /// # Errors
    /// As [`ws_tokio::Incoming::accept`].
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection: there is nothing to be continued.
    pub async fn accept(mut self, acceptance: Acceptance) -> Result<WebSocket, OpenError> {
        let socket = self.take().accept(acceptance).await?;
        self.entry.has_socket(socket.closer());
        Ok(socket)
    }

    /// Refuses with any status from 200 on, any headers and any body; `Content-Length` and `Connection: close` are added. Returns
    /// when the client has ended its side too, or `close_timeout` is over, so that the response is not lost.
    ///
    /// # Errors
    /// As [`ws_tokio::Incoming::reject`].
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection: there is nothing to be continued.
    pub async fn reject(mut self, response: Response<Bytes>) -> Result<(), OpenError> {
        self.take().reject(response).await
    }
}

#[expect(clippy::expect_used, reason = "by the invariant of the field")]
impl Incoming {
    fn waiting(&self) -> &ws_tokio::Incoming<Stream> {
        self.request.as_ref().expect("answering consumes it")
    }

    fn take(&mut self) -> ws_tokio::Incoming<Stream> {
        self.request.take().expect("answering consumes it")
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Outside of a runtime, or in one that shuts down, nothing can be written any more.
        if let (Some(incoming), Ok(runtime)) = (self.request.take(), Handle::try_current()) {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            runtime.spawn(incoming.reject(response));
        }
    }
}
