//! What settings say about listening.

use super::{Settings, SettingsError};
use crate::Listener;
#[cfg(feature = "tls")]
use crate::Tls;
use serde::Deserialize;
use std::path::PathBuf;

/// What [`Settings::listen`] has opened.
#[derive(Debug)]
#[non_exhaustive]
pub struct Listeners {
    /// For [`ServerBuilder::listeners`](crate::ServerBuilder::listeners).
    pub listeners: Vec<Listener>,
    /// What those of `wss://` speak, to reload it; `None` without `tls`.
    #[cfg(feature = "tls")]
    pub tls: Option<Tls>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "refused without TLS"))]
pub(super) struct TlsFiles {
    certificate: PathBuf,
    key: PathBuf,
    #[serde(default)]
    others: Vec<Pair>,
    client_authorities: Option<PathBuf>,
    #[serde(default)]
    clients_must: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "refused without TLS"))]
struct Pair {
    certificate: PathBuf,
    key: PathBuf,
}

/// One entry of `listen`.
enum Place<'a> {
    Tcp(&'a str),
    Tls(&'a str),
    Unix(&'a str),
    Inherited,
}

impl Settings {
    /// Reads the certificates, and listens on everything that `listen` names.
    ///
    /// # Errors
    /// [`SettingsError`] names the field, or why it cannot listen.
    pub async fn listen(&self) -> Result<Listeners, SettingsError> {
        let places = self.listen.iter().map(|entry| Place::of(entry)).collect::<Result<Vec<_>, _>>()?;
        if places.is_empty() {
            return Err(unusable("", "name at least one place, such as ws://127.0.0.1:9001"));
        }
        let has_secure = places.iter().any(|place| matches!(place, Place::Tls(_)));
        if has_secure && self.tls.is_none() {
            let advice = "wss:// takes tls.certificate and tls.key; name them, or write ws://";
            return Err(unusable(&self.listen.join(", "), advice));
        }
        if !has_secure && self.tls.is_some() {
            let advice = "there is a certificate and nothing that speaks TLS; write wss://, or leave tls out";
            return Err(unusable(&self.listen.join(", "), advice));
        }
        #[cfg(feature = "tls")]
        let tls = self.tls.as_ref().map(TlsFiles::read).transpose()?;
        let mut listeners = Vec::new();
        for place in places {
            match place {
                Place::Tcp(addr) => listeners.push(Listener::tcp(addr).await?),
                #[cfg(feature = "tls")]
                Place::Tls(addr) => {
                    let listener = Listener::tcp(addr).await?;
                    listeners.push(match &tls {
                        Some(tls) => listener.tls(tls.clone()),
                        None => listener,
                    });
                }
                #[cfg(not(feature = "tls"))]
                Place::Tls(addr) => {
                    return Err(unusable(addr, "this program was built without TLS; write ws://"));
                }
                #[cfg(unix)]
                Place::Unix(path) => listeners.push(Listener::unix(path)?),
                #[cfg(not(unix))]
                Place::Unix(path) => return Err(unusable(path, "this system has no Unix sockets")),
                #[cfg(all(unix, feature = "listenfd"))]
                Place::Inherited => listeners.extend(Listener::inherited()?),
                #[cfg(not(all(unix, feature = "listenfd")))]
                Place::Inherited => {
                    return Err(unusable("inherited", "this program was built without the feature listenfd"));
                }
            }
        }
        Ok(Listeners {
            listeners,
            #[cfg(feature = "tls")]
            tls,
        })
    }
}

impl<'a> Place<'a> {
    fn of(entry: &'a str) -> Result<Self, SettingsError> {
        let has_port = |addr: &str| {
            addr.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        };
        if entry == "inherited" {
            return Ok(Self::Inherited);
        }
        if let Some(path) = entry.strip_prefix("unix:") {
            return Ok(Self::Unix(path));
        }
        let place = match entry.split_once("://") {
            Some(("ws", addr)) if has_port(addr) => Some(Self::Tcp(addr)),
            Some(("wss", addr)) if has_port(addr) => Some(Self::Tls(addr)),
            _ => None,
        };
        let advice = "write ws://127.0.0.1:9001, wss://[::]:443, unix:/run/chat.sock or inherited";
        place.ok_or_else(|| unusable(entry, advice))
    }
}

#[cfg(feature = "tls")]
impl TlsFiles {
    fn read(&self) -> Result<Tls, SettingsError> {
        use crate::TlsError;
        use rustls::RootCertStore;
        use rustls::pki_types::CertificateDer;
        use rustls::pki_types::pem::PemObject;

        let mut tls = Tls::builder().files(&self.certificate, &self.key);
        for Pair { certificate, key } in &self.others {
            tls = tls.files(certificate, key);
        }
        match &self.client_authorities {
            Some(path) => {
                let failed = |error: TlsError| SettingsError::Tls {
                    field: "tls.client_authorities",
                    error: error.into(),
                };
                let pem = std::fs::read(path)
                    .map_err(|error| failed(TlsError::Read { path: path.as_path().into(), error }))?;
                let mut roots = RootCertStore::empty();
                for authority in CertificateDer::pem_slice_iter(&pem) {
                    let authority = authority.map_err(|error| {
                        failed(TlsError::Certificate {
                            of: path.display().to_string().into(),
                            error: error.into(),
                        })
                    })?;
                    roots.add(authority).map_err(|error| {
                        failed(TlsError::Authorities(format!("{}: {error}", path.display()).into()))
                    })?;
                }
                tls =
                    if self.clients_must { tls.required_clients(roots) } else { tls.optional_clients(roots) };
            }
            None if self.clients_must => {
                return Err(SettingsError::Value {
                    field: "tls.clients_must",
                    value: "true".into(),
                    advice: "tls.client_authorities must say whose certificates count; name the file, or leave it out"
                        .into(),
                });
            }
            None => {}
        }
        tls.build().map_err(|error| SettingsError::Tls { field: self.field_of(&error), error: error.into() })
    }

    /// The field that an error is about.
    fn field_of(&self, error: &crate::TlsError) -> &'static str {
        use crate::TlsError;

        let (certificate, key) = (self.certificate.display(), self.key.display());
        match error {
            TlsError::Read { path, .. } if **path == *self.certificate => "tls.certificate",
            TlsError::Read { path, .. } if **path == *self.key => "tls.key",
            TlsError::Certificate { of, .. } if **of == certificate.to_string() => "tls.certificate",
            TlsError::Key { of, .. } if **of == key.to_string() => "tls.key",
            TlsError::Unusable { of, .. } if **of == format!("{certificate} and {key}") => "tls.key",
            TlsError::Read { .. }
            | TlsError::Certificate { .. }
            | TlsError::Key { .. }
            | TlsError::Unusable { .. } => "tls.others",
            TlsError::NoCertificate => "tls.certificate",
            TlsError::Authorities(_) => "tls.client_authorities",
        }
    }
}

fn unusable(value: &str, advice: &str) -> SettingsError {
    SettingsError::Value { field: "listen", value: value.into(), advice: advice.into() }
}
