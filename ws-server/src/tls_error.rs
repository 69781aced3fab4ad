//! Why certificate and key cannot be used.

use rustls::pki_types::pem;
use std::fmt;
use std::io;
use std::path::Path;

/// Why certificate and key cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// No certificate was given.
    NoCertificate,
    /// A file cannot be read.
    Read {
        /// Which one.
        path: Box<Path>,
        /// Why.
        error: io::Error,
    },
    /// There is no certificate, or no PEM.
    Certificate {
        /// The file, where it is one.
        of: Box<str>,
        /// Why.
        error: Box<pem::Error>,
    },
    /// There is no private key, or no PEM.
    Key {
        /// The file, where it is one.
        of: Box<str>,
        /// Why.
        error: Box<pem::Error>,
    },
    /// The certificate or the key is of a kind that is not supported, or they do not fit each other.
    Unusable {
        /// The files, where they are some.
        of: Box<str>,
        /// Why.
        error: Box<rustls::Error>,
    },
    /// The authorities of clients cannot be used; this is why.
    Authorities(Box<str>),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificate => f.write_str("there is no certificate: name one with its key"),
            Self::Read { path, error } => {
                write!(f, "{} cannot be read: {error}; check the path and who may read it", path.display())
            }
            Self::Certificate { of, error } => {
                write!(f, "{of} holds no certificate in PEM: {error}; name the file of the whole chain")
            }
            Self::Key { of, error } => {
                write!(f, "{of} holds no private key in PEM: {error}; name the file of the key")
            }
            Self::Unusable { of, error } if matches!(**error, rustls::Error::InconsistentKeys(_)) => {
                write!(
                    f,
                    "{of} cannot be used: the key is not that of the certificate; name the one it was made with"
                )
            }
            Self::Unusable { of, error } => {
                write!(f, "{of} cannot be used: {error}; make them anew, with ECDSA, Ed25519 or RSA")
            }
            Self::Authorities(error) => {
                write!(f, "the authorities of clients cannot be used: {error}; name certificates in PEM")
            }
        }
    }
}

/// The source goes on where `Display` ends, so that a printed chain says nothing twice.
impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { error, .. } => error.source(),
            Self::Certificate { error, .. } | Self::Key { error, .. } => error.source(),
            Self::Unusable { error, .. } => error.source(),
            Self::NoCertificate | Self::Authorities(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_small() {
        assert!(size_of::<TlsError>() <= 48);
    }
}
