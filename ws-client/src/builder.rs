//! The settings of a client.

use crate::connect::Client;
use crate::connector::{AnyConnect, Connect};
use crate::cookies::Cookies;
use crate::proxy::{Choice, Proxy, env};
use crate::redirect::Redirects;
use crate::resolve::{AnyResolve, Resolve};
use crate::target::Target;
use crate::tcp::TcpOptions;
#[cfg(feature = "tls")]
use crate::tls::{Roots, TlsSettings};
use crate::{Config, Error, Subprotocol, auth};
#[cfg(feature = "tls")]
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use ws_proto::http::{HeaderMap, HeaderName, HeaderValue, header};

/// The settings of a client, before it connects; see [`Client::builder`].
#[must_use]
pub struct ClientBuilder {
    headers: HeaderMap,
    subprotocols: Vec<Subprotocol>,
    /// A user, password or token had no form as a header.
    pub(crate) broken_credentials: bool,
    pub(crate) cookies: Option<Arc<dyn Cookies>>,
    pub(crate) config: Arc<Config>,
    pub(crate) dns_timeout: Duration,
    pub(crate) tcp_timeout: Duration,
    pub(crate) proxy_timeout: Duration,
    pub(crate) tls_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) one_attempt_at_a_time: bool,
    pub(crate) resolver: Option<Arc<dyn AnyResolve>>,
    pub(crate) connector: Option<Arc<dyn AnyConnect>>,
    pub(crate) unix_socket: Option<PathBuf>,
    pub(crate) tcp: TcpOptions,
    pub(crate) proxy: Choice,
    pub(crate) redirects: Redirects,
    #[cfg(feature = "tls")]
    pub(crate) tls: TlsSettings,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self {
            headers: HeaderMap::new(),
            subprotocols: Vec::new(),
            broken_credentials: false,
            cookies: None,
            config: Arc::new(Config::default()),
            dns_timeout: Duration::from_secs(10),
            tcp_timeout: Duration::from_secs(10),
            proxy_timeout: Duration::from_secs(10),
            tls_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(30),
            one_attempt_at_a_time: true,
            resolver: None,
            connector: None,
            unix_socket: None,
            tcp: TcpOptions::default(),
            proxy: Choice::None,
            redirects: Redirects::none(),
            #[cfg(feature = "tls")]
            tls: TlsSettings::default(),
        }
    }
}

/// What is asked for.
impl ClientBuilder {
    /// Adds a header to the opening request, such as `Origin` or a key of an API; repeated names stay several lines. `Host` replaces what
    /// the URL says. One that only the handshake may set makes connecting fail with [`Error::Misuse`].
    ///
    /// `Authorization`, `Cookie` and `Proxy-Authorization` are kept from `Debug` and from other origins; mark others that are secret with
    /// [`HeaderValue::set_sensitive`], and they are too.
    pub fn header(mut self, name: HeaderName, mut value: HeaderValue) -> Self {
        if [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION].contains(&name) {
            value.set_sensitive(true);
        }
        self.headers.append(name, value);
        self
    }

    /// Tells the server a user and a password (`Authorization: Basic`, RFC 7617), in UTF-8; replaces another `Authorization`. Use it with
    /// `wss` only: on the way everybody can read them otherwise. A colon in the user, or a control character in either, makes connecting
    /// fail with [`Error::Credentials`].
    pub fn basic_auth(self, user: &str, password: &str) -> Self {
        self.authorization(auth::basic(user, password))
    }

    /// Tells the server a token (`Authorization: Bearer`, RFC 6750); replaces another `Authorization`. Use it with `wss` only. A character
    /// that no header can hold makes connecting fail with [`Error::Credentials`].
    pub fn bearer_auth(self, token: &str) -> Self {
        self.authorization(auth::bearer(token))
    }

    fn authorization(mut self, value: Option<HeaderValue>) -> Self {
        self.broken_credentials = value.is_none();
        if let Some(value) = value {
            self.headers.insert(header::AUTHORIZATION, value);
        }
        self
    }

    /// Asks this jar for cookies before each opening request, and tells it those that a response sets; redirects included. Default: none.
    /// A header `Cookie` that was given explicitly takes precedence.
    pub fn cookies(mut self, jar: impl Cookies) -> Self {
        self.cookies = Some(Arc::new(jar));
        self
    }

    /// Offers a subprotocol (RFC 6455 §1.9), behind those offered before: the order is that of preference. Which one the server chose, if
    /// any, says [`negotiated`](ws_tokio::WebSocket::negotiated) on the socket.
    pub fn subprotocol(mut self, subprotocol: Subprotocol) -> Self {
        self.subprotocols.push(subprotocol);
        self
    }

    /// Whether, how often and where to a server may redirect the client. Default: [`Redirects::none`].
    pub fn redirects(mut self, redirects: Redirects) -> Self {
        self.redirects = redirects;
        self
    }

    /// Limits, timers and compression. Default: [`Config::default`].
    pub fn config(mut self, config: impl Into<Arc<Config>>) -> Self {
        self.config = config.into();
        self
    }
}

/// How long it may take. Whichever deadline comes first, the error is [`Error::Timeout`] with the stage.
impl ClientBuilder {
    /// How long connecting may take as a whole: name, TCP, proxy, TLS, opening handshake, all redirects, and waiting for
    /// [one's turn](Self::one_attempt_at_a_time). Default 30 s.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long resolving a name may take. Default 10 s, in which a resolver has asked its second server. What the operating system does to
    /// resolve it goes on in a thread of the runtime, and its outcome is dropped.
    pub const fn dns_timeout(mut self, timeout: Duration) -> Self {
        self.dns_timeout = timeout;
        self
    }

    /// How long one address may take to accept a connection, or the connector or Unix socket in place of TCP. Default 10 s, in which
    /// TCP has repeated its first packet three times. Where a host has several addresses, the next is tried after 250 ms, and both go on.
    pub const fn tcp_timeout(mut self, timeout: Duration) -> Self {
        self.tcp_timeout = timeout;
        self
    }

    /// How long a proxy may take to open a way to the host, once it is connected to, with TLS where that is spoken to the proxy.
    /// Default 10 s.
    pub const fn proxy_timeout(mut self, timeout: Duration) -> Self {
        self.proxy_timeout = timeout;
        self
    }

    /// How long the TLS handshake with the host may take. Default 10 s.
    ///
    /// The deadline for the opening handshake behind it is
    /// [`handshake_timeout`](ws_proto::ConfigBuilder::handshake_timeout) of the [`config`](Self::config), 10 s by default.
    pub const fn tls_timeout(mut self, timeout: Duration) -> Self {
        self.tls_timeout = timeout;
        self
    }
}

/// Which way it goes.
impl ClientBuilder {
    /// Lets only one attempt at a time connect to an IP address, from the connection to the end of the opening handshake, as RFC 6455 §4.1
    /// demands; others of this client and its clones wait for their turn, within [`connect_timeout`](Self::connect_timeout). Through a proxy
    /// or a connector, where addresses are not known, a host's name stands for the address. Default true. It saves servers from being
    /// flooded; a program that opens thousands of connections to a server that expects them may switch it off.
    pub const fn one_attempt_at_a_time(mut self, serialise: bool) -> Self {
        self.one_attempt_at_a_time = serialise;
        self
    }

    /// Resolves names by this in place of the operating system. Names behind a [`proxy`](Self::proxy) or a [`connector`](Self::connector)
    /// are never resolved here.
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolver = Some(Arc::new(resolver));
        self
    }

    /// Opens streams by this in place of TCP: to the host, or to the proxy where there is one. The options of TCP and the resolver do not
    /// matter then.
    pub fn connector(mut self, connector: impl Connect) -> Self {
        self.connector = Some(Arc::new(connector));
        self
    }

    /// Connects to this Unix socket, whatever host the URL names; the URL says what to ask for, and `wss` speaks TLS over the socket. Neither
    /// proxy nor connector matter then.
    #[cfg(unix)]
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.unix_socket = Some(path.into());
        self
    }

    /// Connects from this address of the machine; addresses of another family are not tried. Default: as the system chooses.
    pub const fn local_address(mut self, address: IpAddr) -> Self {
        self.tcp.local_address = Some(address);
        self
    }

    /// Should TCP send small messages at once, without waiting for the acknowledgement of others? Default true.
    pub const fn tcp_nodelay(mut self, nodelay: bool) -> Self {
        self.tcp.nodelay = nodelay;
        self
    }

    /// Lets TCP probe a connection that was idle for so long; in whole seconds. Default: it does not, for the keepalive of WebSocket in
    /// [`Config`] notices more.
    pub const fn tcp_keepalive(mut self, idle: Duration) -> Self {
        self.tcp.keepalive = Some(idle);
        self
    }

    /// How many bytes the kernel may hold that were not acknowledged; the system may round or bound it. Default: as the system adapts it.
    pub const fn tcp_send_buffer_bytes(mut self, bytes: u32) -> Self {
        self.tcp.send_buffer_bytes = Some(bytes);
        self
    }

    /// How many bytes the kernel may hold that were not read; the system may round or bound it. Default: as the system adapts it.
    pub const fn tcp_recv_buffer_bytes(mut self, bytes: u32) -> Self {
        self.tcp.recv_buffer_bytes = Some(bytes);
        self
    }

    /// Connects through this proxy, wherever to. Default: none, whatever the environment says.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Choice::Always(proxy);
        self
    }

    /// Connects through the proxy that the environment names, which is read now: `HTTPS_PROXY` for `wss`, `HTTP_PROXY` for `ws`, and
    /// `ALL_PROXY` where that is not set; the same in lower case comes first. Values are as for [`Proxy::new`]. One that names no proxy makes
    /// connecting fail with [`ProxyError::Variable`](crate::ProxyError::Variable): nothing goes out on another way than was meant.
    ///
    /// `NO_PROXY` names, between commas or spaces, what is connected to directly: a host (and what is below it, with a leading dot or
    /// without), an address, a network such as `10.0.0.0/8`, each with `:port` where only that is meant, and `*` for all.
    ///
    /// In a CGI program (where `REQUEST_METHOD` is set) `HTTP_PROXY` may come from a client's header `Proxy`, and is ignored.
    pub fn proxy_from_env(mut self) -> Self {
        self.proxy = Choice::Env(env::Variables::from_env());
        self
    }

    /// Connects directly; takes back [`proxy`](Self::proxy) and [`proxy_from_env`](Self::proxy_from_env).
    pub fn no_proxy(mut self) -> Self {
        self.proxy = Choice::None;
        self
    }
}

/// Whom to trust. They hold for the host, and for a proxy to which TLS is spoken.
#[cfg(feature = "tls")]
impl ClientBuilder {
    /// Which certificates of authorities are trusted. Default: [`Roots::Platform`] with the feature `platform-roots`, else
    /// [`Roots::Bundled`] with the feature `bundled-roots`, else [`Roots::Added`].
    pub const fn roots(mut self, roots: Roots) -> Self {
        self.tls.roots = Some(roots);
        self
    }

    /// Trusts these certificates of authorities too, beside those of [`roots`](Self::roots). `rustls::pki_types` reads them from PEM:
    ///
    /// ```no_run
    /// use ws_client::Client;
    /// use ws_client::rustls::pki_types::CertificateDer;
    /// use ws_client::rustls::pki_types::pem::PemObject;
    ///
    /// # fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let authority = CertificateDer::from_pem_file("/etc/ssl/our-authority.pem")?;
    /// let client = Client::builder().add_roots([authority]).build();
    /// # Ok(()) }
    /// ```
    pub fn add_roots(mut self, roots: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        self.tls.added.extend(roots);
        self
    }

    /// Shows this certificate, with those that lead to its authority behind it, to a host that asks who we are; never to a proxy, and not
    /// behind a redirect to another origin. One that does not fit the key makes connecting fail with
    /// [`Error::TlsConfig`]. Default: none.
    ///
    /// ```no_run
    /// use ws_client::Client;
    /// use ws_client::rustls::pki_types::pem::PemObject;
    /// use ws_client::rustls::pki_types::{CertificateDer, PrivateKeyDer};
    ///
    /// # fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let chain = CertificateDer::pem_file_iter("client.pem")?.collect::<Result<Vec<_>, _>>()?;
    /// let key = PrivateKeyDer::from_pem_file("client.key")?;
    /// let client = Client::builder().client_certificate(chain, key).build();
    /// # Ok(()) }
    /// ```
    pub fn client_certificate(
        mut self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Self {
        self.tls.identity = Some((chain, Arc::new(key)));
        self
    }

    /// **Accepts any certificate of anybody.** Whoever sits on the way can then read and change everything, and the credentials are theirs.
    /// For a test on your own machine; [`add_roots`](Self::add_roots) with the test's certificate does the same safely. `Debug` of the
    /// client shows it, and a warning by `tracing` tells it. Default false.
    pub const fn danger_accept_invalid_certificates(mut self, accept: bool) -> Self {
        self.tls.accept_invalid = accept;
        self
    }

    /// Uses a configuration of your own, as it is and for everything: another verifier, another provider of cryptography. What the other
    /// settings of TLS say is then ignored. Where it lists protocols for ALPN, `http/1.1` must be among them.
    pub fn tls(mut self, config: impl Into<Arc<rustls::ClientConfig>>) -> Self {
        self.tls.own = Some(config.into());
        self
    }
}

impl ClientBuilder {
    /// The client. Nothing is read or checked before it connects.
    #[must_use]
    pub fn build(self) -> Client {
        Client::new(self)
    }

    /// All headers of an opening request. Those of the request come in place of those of the same name.
    pub(crate) fn with_headers_of(&self, request: HeaderMap) -> HeaderMap {
        let mut headers = self.headers.clone();
        for subprotocol in &self.subprotocols {
            #[expect(clippy::expect_used, reason = "by the invariant of the type")]
            let name = HeaderValue::from_str(subprotocol.as_str()).expect("a token is visible ASCII");
            headers.append(header::SEC_WEBSOCKET_PROTOCOL, name);
        }
        headers.extend(request);
        headers
    }

    /// The proxy on the way to this target; none before a Unix socket, which is where it is.
    pub(crate) fn proxy_to(&self, target: &Target) -> Result<Option<&Proxy>, Error> {
        match &self.proxy {
            _ if self.unix_socket.is_some() => Ok(None),
            Choice::None => Ok(None),
            Choice::Always(proxy) => Ok(Some(proxy)),
            Choice::Env(variables) => Ok(variables.proxy(target)?),
        }
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the headers: they may hold credentials.
        let mut shown = f.debug_struct("ClientBuilder");
        shown.field("connect_timeout", &self.connect_timeout);
        shown.field("proxy", &self.proxy).field("redirects", &self.redirects);
        #[cfg(feature = "tls")]
        if self.tls.accept_invalid {
            shown.field("danger_accept_invalid_certificates", &true);
        }
        shown.finish_non_exhaustive()
    }
}
