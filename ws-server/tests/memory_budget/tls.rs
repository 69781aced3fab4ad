//! The same over TLS.

use crate::hostile::{EACH, hold_the_bound};
use crate::trust::trusting;
use crate::{newcomers_are_refused, the_greediest_go};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use ws_server::{Tls, rustls};

/// What the TLS session of a connection may have: records of the server's that wait for a peer that does not read (64 KiB, and what encrypts
/// them), one of the peer's that is not complete (18 KiB), and what one has decrypted (16 KiB), with the room that the vectors have to spare.
const TLS_EACH: usize = 128 << 10;

/// A server's side, and that of clients who trust it.
fn made() -> (Tls, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = Tls::from_pem(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes()).unwrap();
    (tls, Arc::new(trusting([made.cert.der().clone()]).with_no_client_auth()))
}

fn name() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

async fn dial(addr: SocketAddr, config: &Arc<ClientConfig>) -> TlsStream<TcpStream> {
    let connector = TlsConnector::from(Arc::clone(config));
    connector.connect(name(), TcpStream::connect(addr).await.unwrap()).await.unwrap()
}

#[test]
fn hostile_connections_over_tls_hold_no_more_than_the_budget_and_what_their_sessions_may_have() {
    let (tls, config) = made();
    let stream = move |tcp| -> Box<dyn crate::hostile::Stream> {
        let session = ClientConnection::new(Arc::clone(&config), name()).unwrap();
        Box::new(StreamOwned::new(session, tcp))
    };
    hold_the_bound(|builder| builder.tls(tls), Arc::new(stream), EACH + TLS_EACH);
}

#[tokio::test]
async fn over_tls_too_new_ones_get_503_while_the_budget_is_reached() {
    let (tls, config) = made();
    newcomers_are_refused(|builder| builder.tls(tls), async |addr| dial(addr, &config).await).await;
}

#[tokio::test]
async fn over_tls_too_the_greediest_are_closed_with_1013() {
    let (tls, config) = made();
    the_greediest_go(|builder| builder.tls(tls), async |addr| dial(addr, &config).await).await;
}
