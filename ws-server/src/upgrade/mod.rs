//! Sockets of an HTTP server: hyper's, or one that is built on it.

use crate::accept::{answer, check};
use crate::forwarded::Forwarded;
use crate::observe::{self, Handshake};
use crate::registry::Entry;
use crate::serve::{no_panic, run_to_end, told};
use crate::server::Shared;
use crate::stream::{Io, PeerAddr, Stream};
use crate::{Error, ServerHandle, WebSocket};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use ws_proto::ApiMisuse;
use ws_proto::bytes::{Bytes, BytesMut};
use ws_proto::handshake::{Acceptance, HandshakeError, Subprotocol, Upgrade};
use ws_proto::http::{Request, Response, StatusCode};
use ws_tokio::OpenError;

#[cfg(feature = "axum")]
mod axum;

/// Makes sockets of the requests that an HTTP server has read: hyper, or one that is built on it, such as axum. They have the settings,
/// limits and drain of a [`Server`](crate::Server); listening, TLS, head limits and handshake deadlines are the HTTP server's.
/// [`ServerBuilder::upgrades`](crate::ServerBuilder::upgrades) makes it; clones are the same.
///
/// ```
/// use ws_server::proto::bytes::Bytes;
/// use ws_server::proto::http::{Request, Response};
/// use ws_server::{Acceptance, Upgrades};
///
/// fn service<B>(mut request: Request<B>, upgrades: &Upgrades) -> Response<Bytes> {
///     let upgrade = match upgrades.request(&mut request, None) {
///         Ok(upgrade) => upgrade,
///         Err(refusal) => return refusal.into_response(),
///     };
///     let accepted = upgrade.accept(Acceptance::default(), async |mut socket| {
///         while let Some(message) = socket.recv().await? {
///             socket.send(message).await?;
///         }
///         Ok(())
///     });
///     accepted.map(|_| Bytes::new())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Upgrades {
    shared: Arc<Shared>,
    handle: ServerHandle,
    over_tls: bool,
}

impl Upgrades {
    pub(crate) const fn new(shared: Arc<Shared>, handle: ServerHandle) -> Self {
        Self { shared, handle, over_tls: false }
    }

    /// Says that the HTTP server speaks TLS: then the pages of the server's own origin are those of `https`.
    #[must_use]
    pub const fn over_tls(mut self) -> Self {
        self.over_tls = true;
        self
    }

    /// Stops the sockets: while they are closing, new requests are answered with 503. The HTTP server is stopped by itself.
    #[must_use]
    pub const fn handle(&self) -> &ServerHandle {
        &self.handle
    }

    /// Checks a request, by the rules of the protocol and by the settings. `peer` is where its connection came from, as far as the HTTP
    /// server tells: without it nothing is limited by address, and no proxy is trusted.
    ///
    /// The body of the request is not looked at. What hyper needs to give the connection away is taken out of its extensions.
    ///
    /// # Errors
    /// [`Refusal`] is what to answer; it was told to [`on_error`](crate::ServerBuilder::on_error).
    pub fn request<B>(
        &self,
        request: &mut Request<B>,
        peer: Option<SocketAddr>,
    ) -> Result<UpgradeRequest, Refusal> {
        self.check(request, peer).map_err(|error| {
            self.shared.report(&error, peer);
            Refusal(Box::new(answer(&error)))
        })
    }

    fn check<B>(&self, request: &mut Request<B>, peer: PeerAddr) -> Result<UpgradeRequest, Error> {
        let failed = |error: HandshakeError| Error::Open(OpenError::Handshake(error));
        let upgrade = Upgrade::from_request(request, &self.shared.config).map_err(failed)?;
        let limits = self.shared.registry.limits();
        let is_trusted = peer.is_some_and(|addr| limits.trusts(addr.ip()));
        let forwarded =
            if is_trusted { Forwarded::of(request.headers(), limits) } else { Forwarded::default() };
        check(&self.shared, upgrade.request(), forwarded.secure.unwrap_or(self.over_tls))?;
        let client_addr = forwarded.client.or_else(|| peer.map(|addr| addr.ip()));
        // The HTTP server has made the handshake that could have been slow.
        let (entry, _turn) = self.shared.registry.enter(peer, client_addr)?;
        let connection = hyper::upgrade::on(request);
        Ok(UpgradeRequest {
            upgrade,
            connection,
            peer_addr: peer,
            client_addr,
            entry,
            shared: Arc::clone(&self.shared),
        })
    }
}

/// A request that may become a socket: [`accept`](Self::accept) it, or answer whatever you like and drop it.
#[must_use = "the client waits for an answer"]
pub struct UpgradeRequest {
    upgrade: Upgrade,
    connection: OnUpgrade,
    peer_addr: PeerAddr,
    client_addr: Option<IpAddr>,
    entry: Arc<Entry>,
    shared: Arc<Shared>,
}

impl UpgradeRequest {
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

    /// The address of the client, as far as it is known; see [`Incoming::client_addr`](crate::Incoming::client_addr).
    #[must_use]
    pub const fn client_addr(&self) -> Option<IpAddr> {
        self.client_addr
    }

    /// Gives the response with status 101, and runs `handler` in a task of its own as soon as the HTTP server has sent it. A handler that
    /// fails or panics ends its own socket, as in [`Server::serve`](crate::Server::serve). An `acceptance` that names a subprotocol that
    /// was not offered, or a header that the handshake sets itself, is answered with 500 and told to
    /// [`on_error`](crate::ServerBuilder::on_error).
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn accept<H, F>(self, acceptance: Acceptance, handler: H) -> Response<()>
    where
        H: FnOnce(WebSocket) -> F + Send + 'static,
        F: Future<Output = Result<(), crate::BoxError>> + Send + 'static,
    {
        let Self { upgrade, connection, peer_addr, entry, shared, .. } = self;
        let span = observe::span(peer_addr, Some(upgrade.request().uri().path()));
        let (response, negotiated) = match upgrade.accept(acceptance) {
            Ok(accepted) => accepted,
            Err(misuse) => return failed(misuse, &shared, peer_addr),
        };
        let registered = Arc::clone(&entry);
        let task = tokio::spawn(observe::in_span(span, async move {
            let begun =
                connection.await.map_err(|error| Error::Open(OpenError::Io(std::io::Error::other(error))));
            let begun = begun.and_then(|upgraded| {
                let io = Io::Upgraded(Box::new(TokioIo::new(upgraded)));
                let stream = Stream::new(io, Arc::clone(&entry));
                let config = Arc::clone(&shared.config);
                let mut socket = WebSocket::from_parts(stream, BytesMut::new(), negotiated, config);
                observe::handshake(Handshake::Accepted);
                entry.has_socket(&mut socket);
                no_panic(|| handler(socket)).map(Some)
            });
            let handler = pin!(told(begun, &shared, &entry));
            told(run_to_end(handler).await, &shared, &entry);
        }));
        registered.has_task(task.abort_handle());
        response
    }
}

impl fmt::Debug for UpgradeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpgradeRequest").field("request", self.request()).finish_non_exhaustive()
    }
}

fn failed(misuse: ApiMisuse, shared: &Shared, peer: PeerAddr) -> Response<()> {
    shared.report(&Error::Open(OpenError::Misuse(misuse)), peer);
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// Why a request does not become a socket, as the response to send.
#[derive(Debug)]
#[must_use = "the client waits for an answer"]
pub struct Refusal(Box<Response<Bytes>>);

impl Refusal {
    /// The response: 4xx where it is the client's fault or not let in, 503 while the server stops or has too many connections.
    pub fn into_response(self) -> Response<Bytes> {
        *self.0
    }
}
