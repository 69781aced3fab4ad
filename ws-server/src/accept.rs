//! From a connection to a WebSocket.

use crate::Error;
use crate::authority::Authority;
use crate::forwarded::Forwarded;
use crate::observe::{self, Handshake};
use crate::registry::{Entry, Turn};
use crate::router::Params;
use crate::server::Shared;
use crate::stream::{Io, Stream};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
#[cfg(feature = "tls")]
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::Instant;
use ws_proto::bytes::Bytes;
use ws_proto::handshake::{Acceptance, HandshakeError, Subprotocol};
use ws_proto::http::{HeaderValue, Request, Response, StatusCode, header};
use ws_tokio::OpenError;

/// A socket of the server. See [`ws_tokio::WebSocket`] for what it can do.
pub type WebSocket = ws_tokio::WebSocket<Stream>;

/// A connection that was accepted, before TLS and the opening request.
#[must_use = "the client waits"]
pub struct Connecting {
    pub(crate) io: Io,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<crate::Tls>,
    pub(crate) began: Instant,
    pub(crate) entry: Arc<Entry>,
    pub(crate) turn: Turn,
    pub(crate) shared: Arc<Shared>,
}

impl Connecting {
    /// The address that the connection came from: the client's, or that of a proxy between; `None` on a Unix socket.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.entry.peer_addr()
    }

    /// Makes the TLS handshake, where the server has TLS, reads the opening request, and checks what the server's settings want of it.
    /// A request that breaks a rule is answered with the right status before the error comes back, as [`ws_tokio::accept`] tells. `None`
    /// is a plain request that [`plain`](crate::ServerBuilder::plain) has answered.
    ///
    /// # Errors
    /// [`Error`] says why there is none. When TLS and the request together take longer than `handshake_timeout`, counted from when the
    /// connection was accepted, that is `Error::Open` with `HandshakeError::Timeout`.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection: there is nothing to be continued.
    pub async fn handshake(self) -> Result<Option<Incoming>, Error> {
        let mut turn = self.turn;
        let limit = self.shared.registry.limits().max_handshakes;
        let opening = Opening {
            #[cfg(feature = "tls")]
            tls: self.tls,
            began: self.began,
            entry: self.entry,
            shared: self.shared,
        };
        tokio::select! {
            biased;
            opened = opening.open(self.io) => opened,
            () = turn.over() => Err(Error::TooManyHandshakes { limit }),
        }
    }
}

/// What a connection needs to be opened.
struct Opening {
    #[cfg(feature = "tls")]
    tls: Option<crate::Tls>,
    began: Instant,
    entry: Arc<Entry>,
    shared: Arc<Shared>,
}

impl Opening {
    async fn open(self, io: Io) -> Result<Option<Incoming>, Error> {
        let limits = self.shared.registry.limits();
        let is_trusted = match self.entry.peer_addr() {
            Some(addr) => limits.trusts(addr.ip()),
            None => !limits.trusted_proxies.is_empty(),
        };
        let io =
            if is_trusted && self.shared.proxy_protocol { self.read_proxy_header(io).await? } else { io };
        #[cfg(feature = "tls")]
        let io = self.accept_tls(io).await?;
        let stream = Stream::new(io, Arc::clone(&self.entry));
        let is_tls = stream.is_tls();
        let config = Arc::clone(&self.shared.config);
        let incoming = match &self.shared.plain {
            None => ws_tokio::accept_since(stream, config, self.began).await.map(Some),
            Some(answer) => {
                ws_tokio::accept_or_answer(stream, config, self.began, |plain| answer(plain)).await
            }
        };
        let Some(incoming) = incoming.map_err(Error::Open)? else { return Ok(None) };

        // Behind a head of PROXY the address is the client's own, and what it says of others is its invention.
        let forwarded = if is_trusted && !self.shared.proxy_protocol {
            Forwarded::of(incoming.request().headers(), self.shared.registry.limits())
        } else {
            Forwarded::default()
        };
        let client_addr = forwarded.client.or_else(|| self.entry.peer_addr().map(|addr| addr.ip()));
        let secure = forwarded.secure.unwrap_or(is_tls);
        let checked = check(&self.shared, incoming.request(), secure).and_then(|()| {
            if is_trusted { client_addr.map_or(Ok(()), |addr| self.entry.is_of(addr)) } else { Ok(()) }
        });
        match checked {
            Ok(()) => {
                let (params, entry) = (Params::new(), self.entry);
                let waiting = Waiting { request: incoming, client_addr, params, entry };
                Ok(Some(Incoming { waiting: Some(Box::new(waiting)) }))
            }
            Err(error) => {
                // That the answer could not be delivered is no news beside the reason for it.
                let _ = incoming.reject(answer(&error)).await;
                Err(error)
            }
        }
    }

    async fn read_proxy_header(&self, mut io: Io) -> Result<Io, Error> {
        let head = async {
            match &mut io {
                Io::Tcp(tcp) => crate::proxy_header::read(tcp).await,
                #[cfg(unix)]
                Io::Unix(unix) => crate::proxy_header::read(unix).await,
                #[cfg(feature = "tls")]
                Io::Tls(tls) => crate::proxy_header::read(tls).await,
                #[cfg(feature = "hyper")]
                Io::Upgraded(upgraded) => crate::proxy_header::read(upgraded).await,
            }
        };
        let head = match self.deadline() {
            Some(deadline) => tokio::time::timeout_at(deadline, head).await,
            None => Ok(head.await),
        };
        let head = head.map_err(|_| Error::Open(HandshakeError::Timeout.into()))?;
        if let Some(client) = head.map_err(Error::Proxy)? {
            self.entry.came_from(client);
        }
        Ok(io)
    }

    #[cfg(feature = "tls")]
    async fn accept_tls(&self, io: Io) -> Result<Io, Error> {
        match (io, self.tls.as_ref().or(self.shared.tls.as_ref())) {
            (Io::Tcp(tcp), Some(tls)) => {
                Ok(Io::Tls(Box::new(accept_tls(tls.config(), tcp, self.deadline()).await?)))
            }
            (io, _) => Ok(io),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.began.checked_add(self.shared.config.handshake_timeout())
    }
}

/// What the server's settings want of a request, beside what the protocol wants.
pub(crate) fn check(shared: &Shared, request: &Request<()>, secure: bool) -> Result<(), Error> {
    if shared.registry.is_closing() {
        return Err(Error::Stopping);
    }
    if let Some(budget) = &shared.registry.limits().memory_budget
        && budget.is_reached()
    {
        return Err(Error::MemoryBudgetReached { limit: budget.limit_bytes() });
    }
    let value = |name| {
        let value = request.headers().get(name).map(HeaderValue::as_bytes);
        String::from_utf8_lossy(value.unwrap_or_default()).into()
    };
    if let Some(hosts) = &shared.hosts {
        let asked = request.headers().get(header::HOST).map(HeaderValue::as_bytes);
        let asked = asked.and_then(|host| Authority::parse(host).ok());
        if !asked.is_some_and(|asked| hosts.contains(&asked.host)) {
            return Err(Error::Host(value(header::HOST)));
        }
    }
    if shared.origins.allow(request, secure) { Ok(()) } else { Err(Error::Origin(value(header::ORIGIN))) }
}

/// What the client is told of an error.
pub(crate) fn answer(error: &Error) -> Response<Bytes> {
    let (status, body) = match error {
        Error::Open(OpenError::Handshake(error)) => {
            if let Some(response) = error.response() {
                return response;
            }
            (StatusCode::INTERNAL_SERVER_ERROR, "")
        }
        Error::Origin(_) => (StatusCode::FORBIDDEN, "pages of this origin may not connect\n"),
        Error::Host(_) => (StatusCode::MISDIRECTED_REQUEST, "the server does not go by this name\n"),
        Error::TooManyConnectionsOfAddress { .. } => {
            (StatusCode::TOO_MANY_REQUESTS, "the address has too many connections\n")
        }
        Error::TooManyConnections { .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, "the server has too many connections\n")
        }
        Error::MemoryBudgetReached { .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, "the server has no memory left for more connections\n")
        }
        Error::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n"),
        Error::Accept(_)
        | Error::TooManyHandshakes { .. }
        | Error::Proxy(_)
        | Error::Tls(_)
        | Error::Open(_)
        | Error::GaveUpMemory { .. }
        | Error::Handler(_)
        | Error::HandlerPanicked(_) => (StatusCode::INTERNAL_SERVER_ERROR, ""),
    };
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
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
        f.debug_struct("Connecting").field("peer_addr", &self.peer_addr()).finish_non_exhaustive()
    }
}

/// A client that has sent a valid opening request and waits for the answer: [`accept`](Self::accept) or [`reject`](Self::reject) it.
///
/// How long you take to decide is not limited here. Dropping it answers 500: so a handler that panics is no riddle to the client.
#[must_use = "the client waits for an answer"]
#[derive(Debug)]
pub struct Incoming {
    /// In a box: a handler has room for its argument for as long as it lives.
    ///
    /// Invariant: `Some` until the answer.
    waiting: Option<Box<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    request: ws_tokio::Incoming<Stream>,
    client_addr: Option<IpAddr>,
    params: Params,
    entry: Arc<Entry>,
}

impl Incoming {
    /// The request: path, query and all its headers.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        self.waiting().request.request()
    }

    /// What stood in the path for this name of a [`Router`](crate::Router); `None` for a name that its path does not have.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.waiting().params.get(name).map(AsRef::as_ref)
    }

    pub(crate) fn set_params(&mut self, params: Params) {
        if let Some(waiting) = &mut self.waiting {
            waiting.params = params;
        }
    }

    /// The subprotocols that the client offers, in its order of preference; none where it offers none.
    #[must_use]
    pub fn subprotocols(&self) -> &[Subprotocol] {
        self.waiting().request.subprotocols()
    }

    /// The address that the connection came from: the client's, or that of a proxy between; see [`Stream::peer_addr`].
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.stream().peer_addr()
    }

    /// The address of the client, as far as it is known: what [trusted proxies](crate::ServerBuilder::trusted_proxies) say, else that of
    /// the connection. `None` on a Unix socket without them.
    #[must_use]
    pub fn client_addr(&self) -> Option<IpAddr> {
        self.waiting().client_addr
    }

    /// The stream below, with the TLS session.
    #[must_use]
    pub fn stream(&self) -> &Stream {
        self.waiting().request.get_ref()
    }

    /// Accepts: writes the response with status 101 and makes the socket. When the server is stopping, the socket is closing with 1001
    /// from the beginning.
    ///
    /// # Errors
    /// As [`ws_tokio::Incoming::accept`].
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection: there is nothing to be continued.
    pub fn accept(mut self, acceptance: Acceptance) -> impl Future<Output = Result<WebSocket, OpenError>> {
        let Waiting { request, entry, .. } = self.take();
        // In a box from the beginning: the handler's task would have room for it, several times, for as long as it lives.
        let answered = Box::pin(request.accept(acceptance));
        async move {
            let mut socket = answered.await?;
            observe::handshake(Handshake::Accepted);
            entry.has_socket(&mut socket);
            Ok(socket)
        }
    }

    /// Refuses with any status from 200 on, any headers and any body; `Content-Length` and `Connection: close` are added. Returns
    /// when the client has ended its side too, or `close_timeout` is over, so that the response is not lost.
    ///
    /// # Errors
    /// As [`ws_tokio::Incoming::reject`].
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection: there is nothing to be continued.
    pub fn reject(mut self, response: Response<Bytes>) -> impl Future<Output = Result<(), OpenError>> {
        observe::handshake(Handshake::Rejected);
        Box::pin(self.take().request.reject(response))
    }
}

#[expect(clippy::expect_used, reason = "by the invariant of the field")]
impl Incoming {
    fn waiting(&self) -> &Waiting {
        self.waiting.as_ref().expect("answering consumes it")
    }

    fn take(&mut self) -> Waiting {
        *self.waiting.take().expect("answering consumes it")
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Outside of a runtime, or in one that shuts down, nothing can be written any more.
        if let (Some(waiting), Ok(runtime)) = (self.waiting.take(), Handle::try_current()) {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            observe::handshake(Handshake::Rejected);
            runtime.spawn(waiting.request.reject(response));
        }
    }
}
