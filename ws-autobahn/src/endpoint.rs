//! How the suite gets streams to a server.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use ws_proto::http::Uri;

use crate::opening::Target;
use crate::run::Stream;

/// Opens streams to the server that is tested, one for each case.
pub trait Connect: Send + Sync + 'static {
    /// What it opens.
    type Stream: Stream;

    /// Opens one more stream, on which the server waits for a request.
    fn connect(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl<F, S, O> Connect for F
where
    F: Fn() -> O + Send + Sync + 'static,
    O: Future<Output = io::Result<S>> + Send,
    S: Stream,
{
    type Stream = S;

    fn connect(&self) -> impl Future<Output = io::Result<S>> + Send {
        self()
    }
}

/// A server on the network, by its URL.
///
/// The certificate of a `wss://` server is not checked: the suite tests what goes over the connection, mostly on the machine it runs on.
#[derive(Clone, Debug)]
pub struct Endpoint {
    host: String,
    port: u16,
    tls: Option<(TlsName, Arc<ClientConfig>)>,
    /// What to ask for.
    pub target: Target,
}

#[derive(Clone, Debug)]
struct TlsName(ServerName<'static>);

impl Endpoint {
    /// The server at a `ws://` or `wss://` URL. `tls_name` is what to ask for in the TLS handshake, where it is not the host of the URL.
    ///
    /// # Errors
    /// A sentence, for what is no such URL.
    pub fn new(url: &str, tls_name: Option<&str>) -> Result<Self, String> {
        let wrong = |what: &str| format!("{url:?} is not the URL of a WebSocket server: {what}");
        let uri: Uri = url.parse().map_err(|error| wrong(&format!("{error}")))?;
        let secure = match uri.scheme_str() {
            Some("ws") => false,
            Some("wss") => true,
            _ => return Err(wrong("it begins with neither ws:// nor wss://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("there is no host"))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(wrong("there is no host, or more than a host"));
        }
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tls = if secure {
            let name = tls_name.unwrap_or(&host).to_owned();
            let name =
                ServerName::try_from(name).map_err(|_| wrong("the name of the server is none for TLS"))?;
            Some((TlsName(name), Arc::new(unchecked()?)))
        } else {
            None
        };
        let resource =
            uri.path_and_query().map_or_else(|| "/".to_owned(), |resource| resource.as_str().to_owned());
        let target = Target { host: authority.as_str().to_owned(), resource, ..Target::default() };
        Ok(Self { host, port, tls, target })
    }
}

impl Connect for Endpoint {
    type Stream = Box<dyn Stream>;

    async fn connect(&self) -> io::Result<Self::Stream> {
        let open = async {
            let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
            tcp.set_nodelay(true)?;
            let stream: Box<dyn Stream> = match &self.tls {
                None => Box::new(tcp),
                Some((name, config)) => {
                    Box::new(TlsConnector::from(Arc::clone(config)).connect(name.0.clone(), tcp).await?)
                }
            };
            Ok(stream)
        };
        timeout(CONNECT_TIMEOUT, open).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

fn unchecked() -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Unchecked(Arc::clone(&provider)));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Takes every certificate.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
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
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        let endpoint = Endpoint::new("ws://[::1]:9001/chat?x=1", None).unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("::1", 9001));
        assert_eq!(
            (endpoint.target.host.as_str(), endpoint.target.resource.as_str()),
            ("[::1]:9001", "/chat?x=1")
        );
        assert_eq!(Endpoint::new("wss://localhost", None).unwrap().port, 443);
        for wrong in ["http://localhost", "localhost:9001", "ws://", "ws://user@host"] {
            assert!(Endpoint::new(wrong, None).is_err(), "{wrong}");
        }
    }
}
