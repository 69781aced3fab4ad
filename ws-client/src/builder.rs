//! The settings of a client.

use crate::connect::Client;
#[cfg(feature = "tls")]
use crate::tls::{Roots, TlsSettings};
use crate::{Config, Subprotocol};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use ws_proto::http::{HeaderMap, HeaderName, HeaderValue};

/// The settings of a client, before it connects; see [`Client::builder`].
#[must_use]
pub struct ClientBuilder {
    pub(crate) headers: HeaderMap,
    pub(crate) subprotocols: Vec<Subprotocol>,
    pub(crate) config: Arc<Config>,
    pub(crate) connect_timeout: Duration,
    #[cfg(feature = "tls")]
    pub(crate) tls: TlsSettings,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self {
            headers: HeaderMap::new(),
            subprotocols: Vec::new(),
            config: Arc::new(Config::default()),
            connect_timeout: Duration::from_secs(30),
            #[cfg(feature = "tls")]
            tls: TlsSettings::default(),
        }
    }

    /// Adds a header to the opening request, such as `Authorization`, `Cookie` or `Origin`; repeated names stay several lines. `Host`
    /// replaces what the URL says. One that only the handshake may set makes connecting fail with
    /// [`Error::Misuse`](crate::Error::Misuse).
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Offers a subprotocol (RFC 6455 §1.9), behind those offered before: the order is that of preference. Which one the server chose, if
    /// any, says [`negotiated`](ws_tokio::WebSocket::negotiated) on the socket.
    pub fn subprotocol(mut self, subprotocol: Subprotocol) -> Self {
        self.subprotocols.push(subprotocol);
        self
    }

    /// Limits, timers and compression. Default: [`Config::default`].
    pub fn config(mut self, config: impl Into<Arc<Config>>) -> Self {
        self.config = config.into();
        self
    }

    /// How long connecting may take as a whole: name, TCP, TLS and opening handshake. Default 30 s. Then it fails with
    /// [`Error::Timeout`](crate::Error::Timeout), which says how far it got.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Which certificates of authorities are trusted. Default: [`Roots::Platform`] with the feature `platform-roots`, else
    /// [`Roots::Bundled`] with the feature `bundled-roots`, else [`Roots::Added`].
    #[cfg(feature = "tls")]
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
    #[cfg(feature = "tls")]
    pub fn add_roots(
        mut self,
        roots: impl IntoIterator<Item = rustls::pki_types::CertificateDer<'static>>,
    ) -> Self {
        self.tls.added.extend(roots);
        self
    }

    /// Uses a configuration of your own, as it is: client certificates, another verifier, another provider of cryptography. What
    /// [`roots`](Self::roots) and [`add_roots`](Self::add_roots) say is then ignored. Where it lists protocols for ALPN, `http/1.1` must
    /// be among them.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, config: impl Into<Arc<rustls::ClientConfig>>) -> Self {
        self.tls.own = Some(config.into());
        self
    }

    /// The client. Nothing is read or checked before it connects.
    #[must_use]
    pub fn build(self) -> Client {
        Client::new(self)
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the headers: they may hold credentials.
        f.debug_struct("ClientBuilder")
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}
