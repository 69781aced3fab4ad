//! Certificates and keys of a server.

use crate::tls_error::TlsError;
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{
    ClientHello, NoClientAuth, ParsedCertificate, ProducesTickets, ResolvesServerCert, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use tokio::time::{MissedTickBehavior, interval};

/// How a server speaks TLS: its certificates and keys. Clones share them, and a [`reload`](Self::reload) of one is one of all: connections
/// that are open stay as they are, new ones get the new certificates.
///
/// TLS 1.2 and 1.3 are spoken with the cryptography of `ring`, whatever the process has set as its default; sessions are resumed by
/// tickets; ALPN settles on `http/1.1`. For other wishes make a `rustls::ServerConfig` and use `Tls::from`.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use ws_server::{Server, Tls};
///
/// let tls = Tls::from_files("/etc/ssl/example.com.pem", "/etc/ssl/private/example.com.key")?;
/// let server = Server::builder().tls(tls.clone()).bind("[::]:443").await?;
/// // Later, when the files are new:
/// tls.reload()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    current: RwLock<Arc<ServerConfig>>,
    /// How to make it anew; `None` where it was made elsewhere.
    builder: Option<TlsBuilder>,
}

impl Tls {
    /// Starts without a certificate: for more than one of them, and for clients' certificates.
    pub const fn builder() -> TlsBuilder {
        TlsBuilder { certificates: Vec::new(), clients: Clients::NotAsked, tickets: None }
    }

    /// Reads the certificate chain, the server's own certificate first, and its private key (PKCS #8, PKCS #1 or SEC 1), both as PEM.
    ///
    /// # Errors
    /// [`TlsError`] where there is no certificate or no key, or they do not fit each other.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        Self::builder().pem(certificates, key).build()
    }

    /// Reads the same from two files, which [`reload`](Self::reload) reads again.
    ///
    /// # Errors
    /// [`TlsError`] names the file that cannot be read or used.
    pub fn from_files(certificates: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, TlsError> {
        Self::builder().files(certificates, key).build()
    }

    /// Reads all files again. When one of them cannot be used, everything stays as it was. One that was made of a `rustls::ServerConfig`
    /// has no files, and stays as it is.
    ///
    /// # Errors
    /// [`TlsError`] names the file that cannot be read or used.
    pub fn reload(&self) -> Result<(), TlsError> {
        if let Some(builder) = &self.0.builder {
            let config = Arc::new(builder.config()?);
            *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = config;
        }
        Ok(())
    }

    /// Looks at the files every so often, and reloads when one has changed; `reloaded` is told how that went. Never ends: spawn it. A
    /// certificate and its key are two files, and between their replacements they may not fit each other: then everything stays as it
    /// was, and it is tried again when one changes again.
    pub async fn reload_on_change(&self, every: Duration, mut reloaded: impl FnMut(Result<(), TlsError>)) {
        let mut seen = self.modified();
        // Not without a pause: it may be a setting of somebody's.
        let mut interval = interval(every.max(Duration::from_millis(1)));
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let now = self.modified();
            if now != seen {
                seen = now;
                reloaded(self.reload());
            }
        }
    }

    /// The configuration as it is now, to use it elsewhere too.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// When each file was written last.
    fn modified(&self) -> Vec<Option<SystemTime>> {
        let certificates = self.0.builder.iter().flat_map(|builder| &builder.certificates);
        let files = certificates.filter_map(|source| match source {
            Source::Files { certificates, key } => Some([certificates, key]),
            Source::Pem { .. } => None,
        });
        files.flatten().map(|path| std::fs::metadata(path).and_then(|data| data.modified()).ok()).collect()
    }
}

/// Taken as it is. Where it lists protocols for ALPN, `http/1.1` should be among them.
impl From<Arc<ServerConfig>> for Tls {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self(Arc::new(Shared { current: RwLock::new(config), builder: None }))
    }
}

impl From<ServerConfig> for Tls {
    fn from(config: ServerConfig) -> Self {
        Self::from(Arc::new(config))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// Certificates of a server before they were read; see [`Tls::builder`].
#[derive(Clone)]
#[must_use]
pub struct TlsBuilder {
    certificates: Vec<Source>,
    clients: Clients,
    /// The same for every reload, so that sessions are resumed across it.
    tickets: Option<Arc<dyn ProducesTickets>>,
}

#[derive(Clone)]
enum Source {
    Files { certificates: PathBuf, key: PathBuf },
    Pem { certificates: Vec<u8>, key: Vec<u8> },
}

#[derive(Clone)]
enum Clients {
    NotAsked,
    Optional(Arc<RootCertStore>),
    Required(Arc<RootCertStore>),
}

impl TlsBuilder {
    /// A certificate chain and its private key in PEM files. With more than one, each client gets the first that is for the name it asks
    /// for (SNI), and the first of all where none is.
    pub fn files(mut self, certificates: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        let (certificates, key) = (certificates.as_ref().into(), key.as_ref().into());
        self.certificates.push(Source::Files { certificates, key });
        self
    }

    /// The same as PEM in memory.
    pub fn pem(mut self, certificates: &[u8], key: &[u8]) -> Self {
        self.certificates.push(Source::Pem { certificates: certificates.into(), key: key.into() });
        self
    }

    /// Asks clients for a certificate of one of these authorities, and lets those without one in as well. Which one a client showed tells
    /// `incoming.stream().tls()`.
    pub fn optional_clients(mut self, authorities: impl Into<Arc<RootCertStore>>) -> Self {
        self.clients = Clients::Optional(authorities.into());
        self
    }

    /// Lets nobody in without a certificate of one of these authorities.
    pub fn required_clients(mut self, authorities: impl Into<Arc<RootCertStore>>) -> Self {
        self.clients = Clients::Required(authorities.into());
        self
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// [`TlsError`] names the file that cannot be read or used.
    pub fn build(mut self) -> Result<Tls, TlsError> {
        let tickets = ring::Ticketer::new();
        self.tickets =
            Some(tickets.map_err(|error| TlsError::Unusable { of: "tickets".into(), error: error.into() })?);
        let current = RwLock::new(Arc::new(self.config()?));
        Ok(Tls(Arc::new(Shared { current, builder: Some(self) })))
    }

    fn config(&self) -> Result<ServerConfig, TlsError> {
        // Named, not the default of the process: there may be none, or one that another part of the program chose.
        let provider = Arc::new(ring::default_provider());
        let keys: Vec<_> =
            self.certificates.iter().map(|source| source.read(&provider)).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(TlsError::NoCertificate);
        }
        let unusable = |error: rustls::Error| TlsError::Unusable { of: "TLS".into(), error: error.into() };
        let verifier = match &self.clients {
            Clients::NotAsked => Ok(Arc::new(NoClientAuth) as _),
            Clients::Optional(roots) => {
                WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(&provider))
                    .allow_unauthenticated()
                    .build()
            }
            Clients::Required(roots) => {
                WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(&provider)).build()
            }
        };
        let verifier = verifier.map_err(|error| TlsError::Authorities(error.to_string().into()))?;
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(unusable)?.with_client_cert_verifier(verifier);
        let mut config = config.with_cert_resolver(Arc::new(ByName(keys)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if let Some(tickets) = &self.tickets {
            config.ticketer = Arc::clone(tickets);
        }
        Ok(config)
    }
}

impl fmt::Debug for TlsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the sources: they may hold keys.
        f.debug_struct("TlsBuilder").finish_non_exhaustive()
    }
}

impl Source {
    fn read(&self, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsError> {
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|error| TlsError::Read { path: path.as_path().into(), error })
        };
        match self {
            Self::Files { certificates, key } => {
                let names = [certificates.display().to_string(), key.display().to_string()];
                certified(&read(certificates)?, &read(key)?, names, provider)
            }
            Self::Pem { certificates, key } => {
                certified(certificates, key, ["the certificate".into(), "the private key".into()], provider)
            }
        }
    }
}

fn certified(
    certificates: &[u8],
    key: &[u8],
    [certificates_name, key_name]: [String; 2],
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
    let chain = match chain {
        Ok(chain) if chain.is_empty() => Err(pem::Error::NoItemsFound),
        chain => chain,
    };
    let of = certificates_name.as_str();
    let chain = chain.map_err(|error| TlsError::Certificate { of: of.into(), error: error.into() })?;
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|error| TlsError::Key { of: key_name.as_str().into(), error: error.into() })?;
    let certified = CertifiedKey::from_der(chain, key, provider);
    let of = || format!("{of} and {key_name}").into();
    certified.map(Arc::new).map_err(|error| TlsError::Unusable { of: of(), error: error.into() })
}

/// The certificates of a server; the first is for whoever asks for none of their names.
#[derive(Debug)]
struct ByName(Vec<Arc<CertifiedKey>>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let is_for = |key: &&Arc<CertifiedKey>, name| {
            let certificate = key.end_entity_cert().and_then(ParsedCertificate::try_from);
            certificate.is_ok_and(|certificate| verify_server_name(&certificate, name).is_ok())
        };
        let named = match (&asked, self.0.len()) {
            (Some(name), 2..) => self.0.iter().find(|key| is_for(key, name)),
            _ => None,
        };
        named.or_else(|| self.0.first()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn a_certificate_and_its_key_are_read_without_a_default_provider() {
        let (certificate, key) = made();
        let tls = Tls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
        assert_eq!(tls.config().alpn_protocols, [b"http/1.1"]);
        assert!(CryptoProvider::get_default().is_none());
    }

    #[test]
    fn what_is_missing_is_named() {
        let (certificate, key) = made();
        let error =
            |certificate: &str, key: &str| Tls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap_err();
        assert!(matches!(error("", &key), TlsError::Certificate { .. }));
        assert!(matches!(error(&certificate, "no key"), TlsError::Key { .. }));
        let misfit = error(&certificate, &made().1);
        assert!(
            misfit.to_string().starts_with("the certificate and the private key cannot be used"),
            "{misfit}"
        );
        let error = Tls::from_files("/nowhere/a.pem", "/nowhere/a.key").unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/a.pem cannot be read: "), "{error}");
        assert!(matches!(Tls::builder().build(), Err(TlsError::NoCertificate)));
    }
}
