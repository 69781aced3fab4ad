//! Whom the clients of the tests trust.

use std::sync::Arc;
use ws_server::rustls::client::WantsClientCert;
use ws_server::rustls::crypto::ring;
use ws_server::rustls::pki_types::CertificateDer;
use ws_server::rustls::{ClientConfig, ConfigBuilder, RootCertStore};

/// The beginning of a configuration that trusts these, and nobody else.
pub(crate) fn trusting(
    authorities: impl IntoIterator<Item = CertificateDer<'static>>,
) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots)
}
