//! Connecting with TLS on this machine.
#![cfg(feature = "tls")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use ws_client::rustls::crypto::ring;
use ws_client::rustls::pki_types::CertificateDer;
use ws_client::rustls::{ClientConfig, RootCertStore};
use ws_client::{Client, CloseCode, Error, Message, Roots, Stage};
use ws_server::{Acceptance, Server, Tls};

/// A server for `localhost` and 127.0.0.1, and the certificate that is its own authority.
async fn echo_server() -> (SocketAddr, CertificateDer<'static>) {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let tls = Tls::from_pem(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes()).unwrap();
    let server = Server::builder().tls(tls).bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(async |incoming| {
        let mut socket = incoming.accept(Acceptance::default()).await?;
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        Ok(())
    });
    (addr, made.cert.der().clone())
}

fn trusting(authority: CertificateDer<'static>) -> Client {
    Client::builder().roots(Roots::Added).add_roots([authority]).build()
}

#[tokio::test]
async fn talks_to_a_server_whose_authority_was_added() {
    let (addr, authority) = echo_server().await;
    let client = trusting(authority);
    for host in ["localhost", "127.0.0.1"] {
        let mut socket = client.connect(&format!("wss://{host}:{}/", addr.port())).await.unwrap();
        assert_eq!(socket.get_ref().unwrap().tls().unwrap().alpn_protocol(), Some(&b"http/1.1"[..]));
        for len in [0, 1, 126, 65_536, 1 << 20] {
            let message = Message::from(vec![7; len]);
            socket.send(message.clone()).await.unwrap();
            assert_eq!(socket.recv().await.unwrap(), Some(message));
        }
        assert_eq!(socket.close(CloseCode::NORMAL, "").await.unwrap().received.code, CloseCode::NORMAL);
    }
}

#[cfg(feature = "platform-roots")]
#[tokio::test]
async fn the_platform_decides_by_default_and_roots_can_be_added_to_it() {
    let (addr, authority) = echo_server().await;
    let url = format!("wss://localhost:{}/", addr.port());
    let client = Client::builder().add_roots([authority]).build();
    let mut socket = client.connect(&url).await.unwrap();
    socket.send("hello").await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some(Message::from("hello")));

    // Where the system trusts nobody at all, that is the error.
    let error = ws_client::connect(&url).await.err().unwrap();
    assert!(matches!(error, Error::Tls(_) | Error::TlsConfig(_)), "{error:?}");
}

#[cfg(feature = "bundled-roots")]
#[tokio::test]
async fn bundled_roots_do_not_trust_an_authority_of_ours() {
    let (addr, _) = echo_server().await;
    let client = Client::builder().roots(Roots::Bundled).build();
    let error = client.connect(&format!("wss://localhost:{}/", addr.port())).await.err().unwrap();
    assert!(matches!(error, Error::Tls(_)), "{error:?}");
}

#[tokio::test]
async fn a_certificate_of_a_stranger_or_for_another_name_is_refused() {
    let (addr, authority) = echo_server().await;
    let (_, stranger) = echo_server().await;
    let error = trusting(stranger).connect(&format!("wss://localhost:{}/", addr.port())).await.err().unwrap();
    assert!(matches!(error, Error::Tls(_)), "{error:?}");

    // Another name of the same machine.
    let error =
        trusting(authority).connect(&format!("wss://127.0.0.2:{}/", addr.port())).await.err().unwrap();
    assert!(matches!(error, Error::Tls(_) | Error::Connect(_)), "{error:?}");
}

#[tokio::test]
async fn a_configuration_of_ones_own_is_used_as_it_is() {
    let (addr, authority) = echo_server().await;
    let mut roots = RootCertStore::empty();
    roots.add(authority).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let client = Client::builder().tls(config).build();
    let socket = client.connect(&format!("wss://localhost:{}/", addr.port())).await.unwrap();
    assert_eq!(socket.get_ref().unwrap().tls().unwrap().alpn_protocol(), None);
}

#[tokio::test]
async fn trusting_nobody_is_an_error_before_anything_is_sent() {
    let client = Client::builder().roots(Roots::Added).build();
    let error = client.connect("wss://localhost:1/").await.err().unwrap();
    assert!(matches!(error, Error::TlsConfig(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_and_a_silent_one_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let authority = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.der().clone();
    let builder = Client::builder().roots(Roots::Added).add_roots([authority.clone()]);
    let client = builder.connect_timeout(Duration::from_millis(50)).build();
    let error = client.connect(&format!("wss://localhost:{}/", addr.port())).await.err().unwrap();
    assert!(matches!(error, Error::Timeout(Stage::Tls)), "{error:?}");

    let plain = Server::builder().bind("127.0.0.1:0").await.unwrap();
    let addr = plain.local_addr().unwrap();
    plain.serve(async |_| Ok(()));
    let error =
        trusting(authority).connect(&format!("wss://localhost:{}/", addr.port())).await.err().unwrap();
    assert!(matches!(error, Error::Tls(_)), "{error:?}");
}
