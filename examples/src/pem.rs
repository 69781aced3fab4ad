//! Files in PEM.

use anyhow::{Context, Result, ensure};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;

/// The certificates in a file.
///
/// # Errors
/// There is none, or one is malformed.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let pem = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.with_context(|| format!("{} is malformed", path.display()))?;
    ensure!(!certificates.is_empty(), "{} has no certificate in it", path.display());
    Ok(certificates)
}

/// The first private key in a file.
///
/// # Errors
/// There is none, or it is malformed.
pub fn key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(path).with_context(|| format!("{} has no private key", path.display()))
}
