//! An echo client over `ws-sync`: blocking, one thread, TCP or TLS.

use anyhow::{Context, Result, bail};
use http::{Request, Response, Uri};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_platform_verifier::BuilderVerifierExt;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use ws_proto::Config;
use ws_sync::{Stream, WebSocket};

/// TCP or TLS.
pub type Socket = Box<dyn Stream + Send>;

/// Sends back whatever `url` sends, until the connection ends. `ca` is a file of certificates (PEM) to trust; without it, those of the
/// operating system are trusted.
///
/// # Errors
/// Anything but a clean close.
pub fn echo(url: &str, ca: Option<&Path>, config: impl Into<Arc<Config>>) -> Result<()> {
    let tls = match ca {
        Some(path) => {
            let pem = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
            Some(trusting(&pem)?)
        }
        None if url.starts_with("wss:") => Some(trusting_the_platform()?),
        None => None,
    };
    let (mut ws, _response) = connect(url, tls, config)?;
    while let Some(message) = ws.recv()? {
        // Fed, not sent: all the replies to what was read at once leave in one write, before `recv` blocks.
        ws.feed(message)?;
    }
    Ok(())
}

/// A connected stream and the opening handshake over it; `wss` needs `tls`.
///
/// # Errors
/// The URL is not one to connect to, or some step of connecting failed.
pub fn connect(
    url: &str,
    tls: Option<Arc<ClientConfig>>,
    config: impl Into<Arc<Config>>,
) -> Result<(WebSocket<Socket>, Response<()>)> {
    let uri: Uri = url.parse().context("the URL is malformed")?;
    let host = uri.host().context("the URL names no host")?.trim_matches(['[', ']']);
    let secure = match uri.scheme_str() {
        Some("ws") => false,
        Some("wss") => true,
        _ => bail!("the URL must begin with ws:// or wss://"),
    };
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let tcp =
        TcpStream::connect((host, port)).with_context(|| format!("{host} port {port} cannot be reached"))?;
    tcp.set_nodelay(true)?;
    let stream: Socket = if secure {
        let name = ServerName::try_from(host.to_owned())?;
        let tls = tls.context("wss:// needs a TLS configuration")?;
        // The TLS handshake is made by the first write, under the deadline of the opening handshake.
        Box::new(StreamOwned::new(ClientConnection::new(tls, name)?, tcp))
    } else {
        Box::new(tcp)
    };
    Ok(ws_sync::connect(stream, Request::get(uri).body(())?, config)?)
}

/// Trusts these certificates (PEM) and no others.
///
/// # Errors
/// There is none, or one is malformed.
pub fn trusting(pem: &[u8]) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate?)?;
    }
    if roots.is_empty() {
        bail!("there is no certificate to trust");
    }
    Ok(Arc::new(builder()?.with_root_certificates(roots).with_no_client_auth()))
}

/// Trusts whom the operating system trusts.
///
/// # Errors
/// The operating system cannot be asked.
pub fn trusting_the_platform() -> Result<Arc<ClientConfig>> {
    Ok(Arc::new(builder()?.with_platform_verifier()?.with_no_client_auth()))
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?)
}
