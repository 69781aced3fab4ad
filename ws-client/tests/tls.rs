//! Connecting with TLS on this machine.
#![cfg(feature = "tls")]

mod echo;

use echo::echo;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use ws_client::proto::http::Response;
use ws_client::rustls::crypto::ring;
use ws_client::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use ws_client::rustls::{ClientConfig, RootCertStore};
use ws_client::{Client, CloseCode, Error, Message, RedirectError, Redirects, Roots, Stage};
use ws_server::{Acceptance, BoxError, Incoming, Server, Tls};

/// A server for `localhost` and 127.0.0.1, and the certificate that is its own authority.
async fn echo_server() -> (SocketAddr, CertificateDer<'static>) {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let tls = Tls::from_pem(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes()).unwrap();
    let server = Server::builder().tls(tls).bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(echo);
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

#[tokio::test]
async fn who_forgets_the_tls_of_a_server_is_told_to_try_it() {
    let (addr, _) = echo_server().await;
    let error = ws_client::connect(&format!("ws://{addr}/")).await.err().unwrap();
    assert!(matches!(error, Error::Handshake(_)), "{error:?}");
    assert!(error.to_string().ends_with("; it may want TLS: try wss://"), "{error}");
}

#[tokio::test]
async fn a_certificate_that_is_not_accepted_is_told_apart_from_other_faults() {
    let (addr, authority) = echo_server().await;
    let (_, stranger) = echo_server().await;
    let url = format!("wss://localhost:{}/", addr.port());
    let error = trusting(stranger).connect(&url).await.err().unwrap();
    assert!(error.is_certificate(), "{error:?}");
    assert_eq!(error.stage(), Stage::Tls);
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/", silent.local_addr().unwrap().port());
    let client = trusting(authority);
    let ending = async { drop(silent.accept().await.unwrap()) };
    let (ended, ()) = tokio::join!(client.connect(url), ending);
    let error = ended.err().unwrap();
    assert!(!error.is_certificate() && matches!(error, Error::Tls(_)), "{error:?}");
}

#[tokio::test]
async fn any_certificate_is_accepted_where_that_was_said_aloud() {
    let (addr, _) = echo_server().await;
    let builder = || Client::builder().danger_accept_invalid_certificates(true);
    let client = builder().build();
    assert!(format!("{client:?}").contains("danger_accept_invalid_certificates: true"));
    // For a name that is not in the certificate, too.
    for host in ["localhost", "127.0.0.1"] {
        client.connect(format!("wss://{host}:{}/", addr.port())).await.unwrap();
    }
    let other = Client::builder().resolver(async |_: String| Ok(vec![std::net::Ipv4Addr::LOCALHOST.into()]));
    let url = format!("wss://other.test:{}/", addr.port());
    other.danger_accept_invalid_certificates(true).build().connect(&url).await.unwrap();
    let careful = builder().danger_accept_invalid_certificates(false).roots(Roots::Bundled).build();
    assert!(matches!(careful.connect(&url).await, Err(Error::Dns(_) | Error::Tls(_) | Error::TlsConfig(_))));
}

/// A self-signed certificate for this name, and its key.
fn made(
    name: &str,
) -> (CertificateDer<'static>, PrivateKeyDer<'static>, rcgen::CertifiedKey<rcgen::KeyPair>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    (made.cert.der().clone(), key, made)
}

/// A server for `localhost` that demands this certificate, and its own.
async fn demanding(client: &CertificateDer<'static>) -> (SocketAddr, CertificateDer<'static>) {
    let (own, _, made) = made("localhost");
    let mut authorities = RootCertStore::empty();
    authorities.add(client.clone()).unwrap();
    let tls = Tls::builder()
        .pem(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes())
        .required_clients(authorities)
        .build()
        .unwrap();
    let server = Server::builder().tls(tls).bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(async |incoming| {
        incoming.accept(Acceptance::default()).await?.recv().await?;
        Ok(())
    });
    (addr, own)
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_host_that_asks() {
    let (certificate, key, _) = made("client");
    let (addr, authority) = demanding(&certificate).await;
    let url = format!("wss://localhost:{}/", addr.port());
    let builder = || Client::builder().roots(Roots::Added).add_roots([authority.clone()]);
    let client = builder().client_certificate(vec![certificate.clone()], key.clone_key()).build();
    client.connect(&url).await.unwrap();
    // With TLS 1.3 it is the first read that tells.
    let error = builder().build().connect(&url).await.err().unwrap();
    assert!(matches!(error, Error::Tls(_) | Error::Io(_) | Error::Handshake(_)), "{error:?}");

    let (_, other_key, _) = made("other");
    let client = builder().client_certificate(vec![certificate], other_key).build();
    let error = client.connect(&url).await.err().unwrap();
    assert!(matches!(error, Error::TlsConfig(_)), "{error:?}");
}

#[tokio::test]
async fn a_client_certificate_is_not_shown_behind_a_redirect_to_another_origin() {
    let (certificate, key, _) = made("client");
    let (demanding, authority) = demanding(&certificate).await;
    let redirecting = async |to: String| {
        let server = Server::builder().bind("127.0.0.1:0").await.unwrap();
        let addr = server.local_addr().unwrap();
        server.serve(move |incoming: Incoming| {
            let response = Response::builder().status(307).header("location", &to).body("".into());
            async move { Ok::<_, BoxError>(incoming.reject(response?).await?) }
        });
        addr
    };
    let client = Client::builder()
        .roots(Roots::Added)
        .add_roots([authority])
        .client_certificate(vec![certificate], key)
        .redirects(Redirects::limit(1))
        .build();
    let url = format!("wss://localhost:{}/", demanding.port());
    client.connect(&url).await.unwrap();
    let addr = redirecting(url).await;
    let error = client.connect(format!("ws://{addr}/")).await.err().unwrap();
    assert!(matches!(error, Error::Tls(_) | Error::Io(_) | Error::Handshake(_)), "{error:?}");
}

#[tokio::test]
async fn a_redirect_from_wss_to_ws_is_not_followed() {
    let (_, _, made) = made("localhost");
    let pem = (made.cert.pem(), made.signing_key.serialize_pem());
    let tls = Tls::from_pem(pem.0.as_bytes(), pem.1.as_bytes()).unwrap();
    let server = Server::builder().tls(tls).bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(async |incoming| {
        let response = Response::builder().status(307).header("location", "ws://localhost:1/");
        Ok(incoming.reject(response.body("".into())?).await?)
    });
    let builder = Client::builder().roots(Roots::Added).add_roots([made.cert.der().clone()]);
    let client = builder.redirects(Redirects::limit(5)).build();
    let error = client.connect(format!("wss://localhost:{}/", addr.port())).await.err().unwrap();
    assert!(matches!(error, Error::Redirect(RedirectError::Downgrade)), "{error:?}");
}
