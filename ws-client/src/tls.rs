//! Which servers are trusted, and the TLS handshake.

use crate::stream::Stream;
use crate::{Error, observe};
use rustls::client::WantsClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls::{ConfigBuilder, RootCertStore, WantsVerifier};
use std::io;
use std::sync::Arc;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Whose certificates of authorities are trusted. What [`add_roots`](crate::ClientBuilder::add_roots) gives is trusted beside them.
///
/// Features only add choices. A client that says nothing takes the first of these that was compiled in, in this order; so the feature
/// `bundled-roots`, switched on by some other part of a program, changes nothing where `platform-roots` is on. Who depends on one says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Roots {
    /// As the operating system decides: its authorities, and, where it has them, its rules and revocations. Needs the feature
    /// `platform-roots`. Added roots are not supported on Android.
    Platform,
    /// Mozilla's authorities, as they were when the program was compiled. Needs the feature `bundled-roots`.
    Bundled,
    /// None but those that were added.
    Added,
}

/// What TLS configuration is made from, and the configuration once it was.
#[derive(Default)]
pub(crate) struct TlsSettings {
    pub(crate) roots: Option<Roots>,
    pub(crate) added: Vec<CertificateDer<'static>>,
    pub(crate) identity: Option<Identity>,
    pub(crate) accept_invalid: bool,
    pub(crate) own: Option<Arc<ClientConfig>>,
    made: OnceCell<Arc<ClientConfig>>,
    /// Without our certificate, for those who must not see it.
    anonymous: OnceCell<Arc<ClientConfig>>,
}

/// Our own certificate with its chain, and its key.
pub(crate) type Identity = (Vec<CertificateDer<'static>>, Arc<PrivateKeyDer<'static>>);

impl TlsSettings {
    /// The configuration; it is made when it is first asked for, because reading the system's certificates takes a while. With `identity` it
    /// shows our certificate to whom asks for it.
    pub(crate) async fn config(&self, identity: bool) -> Result<Arc<ClientConfig>, Error> {
        let make = async |trust, identity| {
            // Files are read and parsed.
            tokio::task::spawn_blocking(move || make(trust, identity)).await.map_err(io::Error::other)?
        };
        self.made_by(make, identity).await
    }

    /// The same where no runtime has threads for what blocks.
    #[cfg(feature = "blocking")]
    pub(crate) async fn config_here(&self, identity: bool) -> Result<Arc<ClientConfig>, Error> {
        self.made_by(async |trust, identity| make(trust, identity), identity).await
    }

    async fn made_by<Making>(
        &self,
        make: impl FnOnce(Trust, Option<Identity>) -> Making,
        identity: bool,
    ) -> Result<Arc<ClientConfig>, Error>
    where
        Making: Future<Output = io::Result<ClientConfig>>,
    {
        if let Some(own) = &self.own {
            return Ok(Arc::clone(own));
        }
        let identity = self.identity.as_ref().filter(|_| identity);
        // One for both where there is nothing to hide, so that sessions are resumed in any case.
        let made = if self.identity.is_some() == identity.is_some() { &self.made } else { &self.anonymous };
        let make = async || {
            let trust = if self.accept_invalid {
                observe::nothing_is_checked();
                Trust::Anybody
            } else {
                Trust::Roots(self.roots.unwrap_or(DEFAULT_ROOTS), self.added.clone())
            };
            make(trust, identity.cloned()).await.map(Arc::new)
        };
        made.get_or_try_init(make).await.cloned().map_err(Error::TlsConfig)
    }
}

/// Makes the TLS handshake for `host`, a name or an address.
pub(crate) async fn connect(
    config: Arc<ClientConfig>,
    host: &str,
    stream: Stream,
) -> io::Result<TlsStream<Stream>> {
    TlsConnector::from(config).connect(name(host)?, stream).await
}

/// Whom the certificate must be for.
pub(crate) fn name(host: &str) -> io::Result<ServerName<'static>> {
    ServerName::try_from(host.to_owned())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "no certificate can be for this host"))
}

const DEFAULT_ROOTS: Roots = if cfg!(feature = "platform-roots") {
    Roots::Platform
} else if cfg!(feature = "bundled-roots") {
    Roots::Bundled
} else {
    Roots::Added
};

/// Whose certificates are good.
enum Trust {
    Roots(Roots, Vec<CertificateDer<'static>>),
    Anybody,
}

fn make(trust: Trust, identity: Option<Identity>) -> io::Result<ClientConfig> {
    // Named, not the default of the process: there may be none, or one that another part of the program chose.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(io::Error::other)?;
    let builder = match trust {
        Trust::Roots(Roots::Platform, added) => platform(builder, added)?,
        Trust::Roots(Roots::Bundled, added) => among(builder, bundled()?, added)?,
        Trust::Roots(Roots::Added, added) if added.is_empty() => {
            let missing =
                "no root was added, and no other is trusted (features `platform-roots` and `bundled-roots`)";
            return Err(io::Error::new(io::ErrorKind::NotFound, missing));
        }
        Trust::Roots(Roots::Added, added) => among(builder, RootCertStore::empty(), added)?,
        Trust::Anybody => {
            let anybody = Arc::new(Anybody(Arc::clone(builder.crypto_provider())));
            builder.dangerous().with_custom_certificate_verifier(anybody)
        }
    };
    let mut config = match identity {
        Some((chain, key)) => {
            builder.with_client_auth_cert(chain, key.clone_key()).map_err(io::Error::other)?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Accepts every certificate. The signatures of the handshake are checked all the same, so that it is one.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

type Builder<State> = ConfigBuilder<ClientConfig, State>;

fn among(
    builder: Builder<WantsVerifier>,
    mut roots: RootCertStore,
    added: Vec<CertificateDer<'static>>,
) -> io::Result<Builder<WantsClientCert>> {
    for root in added {
        roots.add(root).map_err(io::Error::other)?;
    }
    Ok(builder.with_root_certificates(roots))
}

#[cfg(feature = "platform-roots")]
fn platform(
    builder: Builder<WantsVerifier>,
    added: Vec<CertificateDer<'static>>,
) -> io::Result<Builder<WantsClientCert>> {
    use rustls_platform_verifier::Verifier;
    let provider = Arc::clone(builder.crypto_provider());
    #[cfg(not(target_os = "android"))]
    let verifier = Verifier::new_with_extra_roots(added, provider);
    #[cfg(target_os = "android")]
    let verifier = if added.is_empty() {
        Verifier::new(provider)
    } else {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "roots cannot be added to those of Android"));
    };
    let verifier = Arc::new(verifier.map_err(io::Error::other)?);
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier))
}

#[cfg(not(feature = "platform-roots"))]
fn platform(
    _: Builder<WantsVerifier>,
    _: Vec<CertificateDer<'static>>,
) -> io::Result<Builder<WantsClientCert>> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "Roots::Platform needs the feature `platform-roots` of ws-client",
    ))
}

#[cfg(feature = "bundled-roots")]
fn bundled() -> io::Result<RootCertStore> {
    Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
}

#[cfg(not(feature = "bundled-roots"))]
fn bundled() -> io::Result<RootCertStore> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "Roots::Bundled needs the feature `bundled-roots` of ws-client",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority() -> CertificateDer<'static> {
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.der().clone()
    }

    #[test]
    fn added_roots_alone_are_enough() {
        let config = make(Trust::Roots(Roots::Added, vec![authority()]), None).unwrap();
        assert_eq!(config.alpn_protocols, [b"http/1.1"]);
        assert!(CryptoProvider::get_default().is_none());
    }

    #[test]
    fn trusting_nobody_is_an_error_that_names_the_features() {
        let error = make(Trust::Roots(Roots::Added, Vec::new()), None).unwrap_err().to_string();
        assert!(error.contains("`platform-roots`") && error.contains("`bundled-roots`"), "{error}");
    }

    #[test]
    fn a_malformed_root_is_an_error() {
        assert!(
            make(Trust::Roots(Roots::Added, vec![CertificateDer::from(b"none".to_vec())]), None).is_err()
        );
    }

    #[cfg(feature = "platform-roots")]
    #[test]
    fn roots_can_be_added_to_those_of_the_platform() {
        assert!(make(Trust::Roots(Roots::Platform, vec![authority()]), None).is_ok());
    }

    #[test]
    fn bundled_roots_need_their_feature() {
        let made = make(Trust::Roots(Roots::Bundled, Vec::new()), None);
        if cfg!(feature = "bundled-roots") {
            assert!(made.is_ok());
        } else {
            assert!(made.unwrap_err().to_string().contains("`bundled-roots`"));
        }
    }
}
