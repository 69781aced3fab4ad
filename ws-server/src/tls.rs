//! Certificates and keys of a server.

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// How a server speaks TLS: its certificate and key, in a `rustls::ServerConfig`. Clones share it.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use ws_server::{Server, Tls};
///
/// let tls = Tls::from_files("/etc/ssl/example.com.pem", "/etc/ssl/private/example.com.key")?;
/// let server = Server::builder().tls(tls).bind("[::]:443").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Tls(Arc<ServerConfig>);

impl Tls {
    /// Reads the certificate chain, the server's own certificate first, and its private key (PKCS #8, PKCS #1 or SEC 1), both as PEM.
    ///
    /// TLS 1.2 and 1.3 are spoken with the cryptography of `ring`; clients are not asked for certificates; ALPN settles on `http/1.1`.
    /// For other wishes make a `rustls::ServerConfig` and use `Tls::from`.
    ///
    /// # Errors
    /// [`TlsError`] where there is no certificate or no key, or they do not fit each other.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(TlsError::Certificate)?;
        if chain.is_empty() {
            return Err(TlsError::Certificate(pem::Error::NoItemsFound));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(TlsError::Key)?;
        // Named, not the default of the process: there may be none, or one that another part of the program chose.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
        let mut config = config.map_err(|error| TlsError::Unusable(error.into()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// Reads the same from two files, now and not again.
    ///
    /// # Errors
    /// [`TlsError`], with the path where a file cannot be read.
    pub fn from_files(certificates: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, TlsError> {
        let read =
            |path: &Path| std::fs::read(path).map_err(|error| TlsError::Read { path: path.into(), error });
        Self::from_pem(&read(certificates.as_ref())?, &read(key.as_ref())?)
    }

    /// The configuration, to use it elsewhere too.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0)
    }
}

impl From<Arc<ServerConfig>> for Tls {
    /// Taken as it is. Where it lists protocols for ALPN, `http/1.1` should be among them.
    fn from(config: Arc<ServerConfig>) -> Self {
        Self(config)
    }
}

impl From<ServerConfig> for Tls {
    fn from(config: ServerConfig) -> Self {
        Self(Arc::new(config))
    }
}

/// Why certificate and key cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    Read {
        /// Which one.
        path: Box<Path>,
        /// Why.
        error: io::Error,
    },
    /// There is no certificate, or no PEM.
    Certificate(pem::Error),
    /// There is no private key, or no PEM.
    Key(pem::Error),
    /// The certificate or the key is of a kind that is not supported, or they do not fit each other.
    Unusable(Box<rustls::Error>),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, error } => write!(f, "{} cannot be read: {error}", path.display()),
            Self::Certificate(error) => write!(f, "the certificate cannot be read: {error}"),
            Self::Key(error) => write!(f, "the private key cannot be read: {error}"),
            Self::Unusable(error) => write!(f, "the certificate and its key cannot be used: {error}"),
        }
    }
}

/// The source goes on where `Display` ends, so that a printed chain says nothing twice.
impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { error, .. } => error.source(),
            Self::Certificate(error) | Self::Key(error) => error.source(),
            Self::Unusable(error) => error.source(),
        }
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
        assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    }

    #[test]
    fn what_is_missing_is_named() {
        let (certificate, key) = made();
        let error =
            |certificate: &str, key: &str| Tls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap_err();
        assert!(matches!(error("", &key), TlsError::Certificate(_)));
        assert!(matches!(error(&certificate, "no key"), TlsError::Key(_)));
        assert!(matches!(error(&certificate, &made().1), TlsError::Unusable(_)));
        let error = Tls::from_files("/nowhere/a.pem", "/nowhere/a.key").unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/a.pem cannot be read: "), "{error}");
    }

    #[test]
    fn errors_are_small() {
        assert!(size_of::<TlsError>() <= 48);
    }
}
