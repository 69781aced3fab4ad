//! TLS between a server and the generator.

use anyhow::{Context, Result};
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A certificate for this machine, and its key, in two files.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
}

impl Certificate {
    /// Makes one, and writes it below `folder`.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn make(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()])?;
        let files = Self { certificate: folder.join("certificate.pem"), key: folder.join("certificate.key") };
        fs::write(&files.certificate, made.cert.pem())?;
        fs::write(&files.key, made.signing_key.serialize_pem())?;
        Ok(files)
    }

    /// What a client needs that trusts this certificate alone, and makes every handshake in full.
    ///
    /// # Errors
    /// The file is not as it was written.
    pub fn client(&self) -> Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.certificate).context("no certificate")?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }
}

/// A stream over TLS.
pub(crate) fn secure<S: Read + Write>(
    config: &Arc<ClientConfig>,
    stream: S,
) -> Result<rustls::StreamOwned<ClientConnection, S>> {
    let connection = ClientConnection::new(Arc::clone(config), ServerName::try_from(HOST)?)?;
    Ok(rustls::StreamOwned::new(connection, stream))
}

const HOST: &str = "localhost";
