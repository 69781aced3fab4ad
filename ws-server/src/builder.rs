//! The settings of a server.

#[cfg(feature = "tls")]
use crate::Tls;
use crate::authority::Authority;
use crate::limits::Limits;
use crate::registry::Registry;
use crate::server::Shared;
use crate::{Config, Error, Listener, MemoryBudget, Origins, Server, StartError};
use ipnet::IpNet;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::ToSocketAddrs;
use ws_proto::Entropy;
use ws_proto::bytes::Bytes;
use ws_proto::http::{Request, Response};

/// The settings of a server, before it listens; see [`Server::builder`].
///
/// | setting | default | at the limit |
/// |---|---|---|
/// | [`config`](Self::config) | [`Config::default`] | see there |
/// | [`origins`](Self::origins) | [`Origins::same`] | 403 |
/// | [`hosts`](Self::hosts) | all | 421 |
/// | [`max_connections`](Self::max_connections) | 65,536 | the new one is closed |
/// | [`max_connections_per_address`](Self::max_connections_per_address) | 1,024 | the new one is closed, or answered 429 |
/// | [`max_handshakes`](Self::max_handshakes) | 1,024 | the oldest handshake is closed |
/// | [`max_lifetime`](Self::max_lifetime) | none | closes with 1001 |
/// | [`memory_budget`](Self::memory_budget) | none | 503, and the greediest are closed with 1013 |
/// | [`trusted_proxies`](Self::trusted_proxies) | none | |
/// | [`proxy_protocol`](Self::proxy_protocol) | off | |
/// | [`plain`](Self::plain) | nothing | 426 |
/// | [`tls`](Self::tls) | off | |
/// | [`on_error`](Self::on_error) | nothing is told | |
#[must_use]
pub struct ServerBuilder {
    config: Arc<Config>,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
    origins: Origins,
    hosts: Option<Vec<Box<str>>>,
    limits: Limits,
    proxy_protocol: bool,
    plain: Option<Box<Plain>>,
    on_error: Box<OnError>,
}

pub(crate) type OnError = dyn Fn(&Error, Option<SocketAddr>) + Send + Sync;

pub(crate) type Plain = dyn Fn(&Request<()>) -> Option<Response<Bytes>> + Send + Sync;

impl ServerBuilder {
    pub(crate) fn new() -> Self {
        Self {
            config: Arc::new(Config::default()),
            #[cfg(feature = "tls")]
            tls: None,
            origins: Origins::same(),
            hosts: None,
            limits: Limits::new(Entropy::os()),
            proxy_protocol: false,
            plain: None,
            on_error: Box::new(|_, _| {}),
        }
    }

    /// Limits, timers and compression of all connections. Default: [`Config::default`].
    pub fn config(mut self, config: impl Into<Arc<Config>>) -> Self {
        self.config = config.into();
        self
    }

    /// Speaks TLS, with this certificate; connections without TLS are then refused. Default: no TLS.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: impl Into<Tls>) -> Self {
        self.tls = Some(tls.into());
        self
    }

    /// Answers plain requests, GET and HEAD without a body that ask for no WebSocket: a health check, a page. `None` is answered with 426.
    /// It should return soon, for a task of the server waits, and must not panic. Neither origin nor host are checked. Everything bigger is
    /// better done by an HTTP server beside or around this one. Default: all are answered with 426.
    ///
    /// ```
    /// use ws_server::Server;
    /// use ws_server::proto::http::Response;
    ///
    /// let builder = Server::builder().plain(|request| match request.uri().path() {
    ///     "/health" => Some(Response::new("ok\n".into())),
    ///     _ => None,
    /// });
    /// ```
    pub fn plain(
        mut self,
        answer: impl Fn(&Request<()>) -> Option<Response<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        self.plain = Some(Box::new(answer));
        self
    }

    /// Is called with whatever goes wrong in [`Server::serve`] and [`Server::accept`], and the address of the connection where it is of
    /// one: for your log. It should return soon, for a task of the server waits, and must not panic. Default: nothing is told.
    pub fn on_error(mut self, on_error: impl Fn(&Error, Option<SocketAddr>) + Send + Sync + 'static) -> Self {
        self.on_error = Box::new(on_error);
        self
    }

    /// Which pages may connect: see [`Origins`]. Others are refused with 403. Default: the server's own.
    pub fn origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// The names that the server goes by, without a port. A request for another `Host` is refused with 421 (RFC 9110 §15.5.20): so a page
    /// cannot reach a server of an internal network by letting its own name point there. Default: any.
    pub fn hosts<'a>(mut self, hosts: impl IntoIterator<Item = &'a str>) -> Self {
        self.hosts = Some(hosts.into_iter().map(Box::from).collect());
        self
    }

    /// How many connections there may be at once, those in their handshakes included. Default 65,536. One more is closed as soon as it was
    /// accepted.
    pub const fn max_connections(mut self, limit: usize) -> Self {
        self.limits.max_connections = limit;
        self
    }

    /// How many of them one address may have; addresses of IPv6 count by their first 64 bits. `None` is without limit. Default 1,024. One
    /// more is closed as soon as it was accepted, or answered 429 where a proxy said whose it is. The addresses of this machine and of
    /// [`trusted_proxies`](Self::trusted_proxies) are not limited themselves: those who come through a proxy are counted by what it says.
    pub fn max_connections_per_address(mut self, limit: impl Into<Option<usize>>) -> Self {
        self.limits.max_connections_per_address = limit.into();
        self
    }

    /// How many handshakes, TLS and opening request together, may be under way. Default 1,024. When there is one more, the oldest is
    /// closed: honest clients have ended theirs long before, so clients that only hold connections open keep nobody out.
    pub const fn max_handshakes(mut self, limit: usize) -> Self {
        self.limits.max_handshakes = limit;
        self
    }

    /// How long a connection may live, in [`Server::serve`]: then it is closed with 1001. `None` is for ever. Default `None`. Each gets up
    /// to a tenth less, at random, so that those that began together do not end together; it is looked at once a second.
    pub fn max_lifetime(mut self, lifetime: impl Into<Option<Duration>>) -> Self {
        self.limits.max_lifetime = lifetime.into();
        self
    }

    /// How much memory all connections may hold together: a [`MemoryBudget`] says what counts. `None` is without limit. Default `None`.
    /// Several servers of a process may share one.
    ///
    /// While it is reached, requests for sockets are answered 503. In [`Server::serve`], and with `Upgrades`, those sockets of the server
    /// that hold most are closed with 1013, one after the other, until an eighth of the budget is free: their handlers get an error, and
    /// what they held is free at once. One whose peer does not read even that Close frame is cut.
    /// Each is told to [`on_error`](Self::on_error) as [`Error::GaveUpMemory`].
    ///
    /// **With TLS** the buffers of rustls do not count. They are bounded for each connection: 64 KiB of records that a peer does not take,
    /// 18 KiB of one of the peer's that is not complete, 16 KiB that it has decrypted; some 100 KiB in all where everything goes against
    /// it, and nearly nothing while a connection is idle. Leave room for these beside the budget.
    pub fn memory_budget(mut self, budget: impl Into<Option<MemoryBudget>>) -> Self {
        self.limits.memory_budget = budget.into();
        self
    }

    /// Where proxies are whose word is taken. What they say in `Forwarded` (RFC 7239), or else in `X-Forwarded-For` and
    /// `X-Forwarded-Proto`, tells [`client_addr`](crate::Incoming::client_addr), whose connections are counted, and which origin is the
    /// server's own. What anybody else says there is not looked at. A Unix socket is trusted as soon as any proxy is. Default: none.
    pub fn trusted_proxies(mut self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        self.limits.trusted_proxies = networks.into_iter().collect();
        self
    }

    /// Connections of [`trusted_proxies`](Self::trusted_proxies) begin with a head of the PROXY protocol, version 1 or 2, before TLS. One
    /// that does not is closed. Those of others are served as they are. Default: off.
    pub const fn proxy_protocol(mut self, enabled: bool) -> Self {
        self.proxy_protocol = enabled;
        self
    }

    /// Listens on TCP, as [`Listener::tcp`].
    ///
    /// # Errors
    /// [`StartError`] names the setting that cannot work, or why it cannot listen.
    pub async fn bind(self, addr: impl ToSocketAddrs + fmt::Debug) -> Result<Server, StartError> {
        self.check()?;
        let listener = Listener::tcp(addr).await?;
        self.listeners([listener])
    }

    /// Listens on all of these, which may be of different kinds.
    ///
    /// # Errors
    /// [`StartError`] names the setting that cannot work; [`StartError::NoListeners`] where there are none.
    pub fn listeners(self, listeners: impl IntoIterator<Item = Listener>) -> Result<Server, StartError> {
        let listeners: Vec<_> = listeners.into_iter().collect();
        if listeners.is_empty() {
            return Err(StartError::NoListeners);
        }
        self.listening_on(listeners)
    }

    fn listening_on(self, listeners: Vec<Listener>) -> Result<Server, StartError> {
        self.check()?;
        let shared = Shared {
            config: self.config,
            #[cfg(feature = "tls")]
            tls: self.tls,
            origins: self.origins,
            hosts: self
                .hosts
                .map(|hosts| hosts.iter().map(|host| host.to_ascii_lowercase().into()).collect()),
            proxy_protocol: self.proxy_protocol,
            plain: self.plain,
            on_error: self.on_error,
            registry: Registry::new(self.limits),
        };
        Ok(Server::new(listeners, shared))
    }

    /// Listens on nothing: makes sockets of what an HTTP server has read, by the same settings. Those of listening and of handshakes are
    /// the HTTP server's.
    ///
    /// # Errors
    /// [`StartError`] names the setting that cannot work.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[cfg(feature = "hyper")]
    pub fn upgrades(self) -> Result<crate::Upgrades, StartError> {
        let server = self.listening_on(Vec::new())?;
        let shared = Arc::clone(&server.shared);
        let handle = server.serve(async |_| Ok(()));
        Ok(crate::Upgrades::new(shared, handle))
    }

    pub(crate) fn check(&self) -> Result<(), StartError> {
        let Limits { max_connections, max_connections_per_address, max_handshakes, .. } = self.limits;
        let positive = |value: usize, setting| {
            if value == 0 { Err(StartError::Zero { setting }) } else { Ok(()) }
        };
        positive(max_connections, "max_connections")?;
        positive(max_handshakes, "max_handshakes")?;
        positive(max_connections_per_address.unwrap_or(1), "max_connections_per_address")?;
        positive(self.limits.memory_budget.as_ref().map_or(1, MemoryBudget::limit_bytes), "memory_budget")?;
        if self.limits.max_lifetime == Some(Duration::ZERO) {
            return Err(StartError::Zero { setting: "max_lifetime" });
        }
        if self.proxy_protocol && self.limits.trusted_proxies.is_empty() {
            return Err(StartError::NoTrustedProxies);
        }
        for host in self.hosts.iter().flatten() {
            match Authority::parse(host.as_bytes()) {
                Ok(Authority { port: None, .. }) => {}
                Ok(_) | Err(_) => return Err(StartError::NoHost { host: host.clone() }),
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder").field("config", &self.config).finish_non_exhaustive()
    }
}
