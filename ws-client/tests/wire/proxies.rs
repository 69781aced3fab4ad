//! Ways through proxies.

use crate::support::{
    accepted, answering, drain, echo_server, header, listen, nobody, proxy, read_head, scripted,
};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use ws_client::{Client, Error, Proxy, ProxyError, SocksReply, Stage};

fn through(proxy: &str) -> Client {
    Client::builder().proxy(Proxy::new(proxy).unwrap()).build()
}

async fn error_through(proxy: &str) -> ProxyError {
    match through(proxy).connect("ws://host.test:81/").await {
        Err(Error::Proxy(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn http_connect_leaves_the_name_to_the_proxy() {
    let (addr, mut asked) = proxy::http(echo_server().await, None).await;
    let mut socket = through(&format!("http://{addr}")).connect("ws://host.test:81/").await.unwrap();
    socket.send("hello").await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some("hello".into()));
    let head = asked.recv().await.unwrap();
    assert!(head.starts_with("CONNECT host.test:81 HTTP/1.1\r\nHost: host.test:81\r\n"), "{head}");
    assert_eq!(header(&head, "proxy-authorization"), None);
}

#[tokio::test]
async fn http_connect_tells_user_and_password() {
    let (addr, mut asked) = proxy::http(echo_server().await, Some("Basic bWU6czNjcmV0")).await;
    through(&format!("http://me:s3cret@{addr}")).connect("ws://host.test/").await.unwrap();
    assert_eq!(header(&asked.recv().await.unwrap(), "proxy-authorization"), Some("Basic bWU6czNjcmV0"));
    for wrong in [format!("http://{addr}"), format!("http://me:other@{addr}")] {
        let error = error_through(&wrong).await;
        assert!(matches!(error, ProxyError::Refused(status) if status == 407), "{error:?}");
    }
    let client =
        Client::builder().proxy(Proxy::new(&addr.to_string()).unwrap().basic_auth("a:b", "c")).build();
    assert!(matches!(client.connect("ws://host.test/").await, Err(Error::Credentials)));
}

#[tokio::test]
async fn the_server_is_not_told_what_is_for_the_proxy() {
    let (server, mut heads) = answering(accepted).await;
    let (addr, _asked) = proxy::http(server, Some("Basic bWU6czNjcmV0")).await;
    through(&format!("http://me:s3cret@{addr}")).connect("ws://host.test/a?b").await.unwrap();
    let head = heads.recv().await.unwrap();
    assert!(head.starts_with("GET /a?b HTTP/1.1\r\nHost: host.test\r\n"), "{head}");
    assert_eq!(header(&head, "proxy-authorization"), None);
}

#[tokio::test]
async fn socks5_leaves_the_name_to_the_proxy_and_logs_in() {
    for login in [None, Some(("me", "s3cret"))] {
        let (addr, mut asked) = proxy::socks5(echo_server().await, login).await;
        for scheme in ["socks5", "socks5h"] {
            let client = through(&format!("{scheme}://me:s3cret@{addr}"));
            let mut socket = client.connect("ws://host.test:81/").await.unwrap();
            socket.send("hello").await.unwrap();
            assert_eq!(socket.recv().await.unwrap(), Some("hello".into()));
            assert_eq!(asked.recv().await.unwrap(), "host.test:81");
        }
    }
}

#[tokio::test]
async fn socks5_that_refuses_is_told_with_its_reason() {
    let (addr, _asked) = proxy::socks5(nobody().await, Some(("me", "s3cret"))).await;
    assert!(matches!(error_through(&format!("socks5://{addr}")).await, ProxyError::NoAuthMethod));
    assert!(matches!(error_through(&format!("socks5://me:no@{addr}")).await, ProxyError::BadCredentials));
    let addr = listen(async |mut tcp| {
        tcp.write_all(b"\x05\0\x05\x05\0\x01\0\0\0\0\0\0").await.unwrap();
        drain(&mut tcp).await;
    })
    .await;
    let error = error_through(&format!("socks5://{addr}")).await;
    assert!(matches!(error, ProxyError::Socks(SocksReply::ConnectionRefused)), "{error:?}");
}

#[tokio::test]
async fn a_proxy_that_answers_garbage_is_an_error() {
    for (answer, kinds) in [
        ("SSH-2.0-none\r\n\r\n", ["http", "socks5"]),
        ("HTTP/1.1 200 OK\r\n\r\nGET / HTTP/1.1\r\n\r\n", ["http", "socks5"]),
    ] {
        let addr = listen(async move |mut tcp| {
            tcp.write_all(answer.as_bytes()).await.unwrap();
            drain(&mut tcp).await;
        })
        .await;
        for kind in kinds {
            let error = error_through(&format!("{kind}://{addr}")).await;
            assert!(matches!(error, ProxyError::Malformed), "{error:?}");
        }
    }
    let addr = listen(async |tcp| drop(tcp)).await;
    for kind in ["http", "socks5"] {
        let error = error_through(&format!("{kind}://{addr}")).await;
        assert!(matches!(error, ProxyError::EndOfStream | ProxyError::Io(_)), "{error:?}");
    }
}

#[tokio::test]
async fn an_endless_head_of_a_proxy_is_cut_off() {
    let client = scripted(|mut io| async move {
        read_head(&mut io).await;
        io.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        let mut written = 0;
        while io.write_all(b"X-Filler: abcdefghijklmnopqrstuvwxyz\r\n").await.is_ok() {
            written += 38;
            assert!(written < 64 << 10, "the client reads on");
        }
    });
    let client = client.proxy(Proxy::new("proxy.test").unwrap()).build();
    let error = client.connect("ws://host.test/").await.err().unwrap();
    assert!(matches!(error, Error::Proxy(ProxyError::HeadTooLarge { .. })), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_is_slow_has_its_deadline() {
    for kind in ["http", "socks5"] {
        let client = scripted(|mut io| async move {
            for byte in b"HTTP/1.1 200 OK\r\nX-Filler: abcdefghijklmnopqrstuvwxyz\r\n" {
                tokio::time::sleep(Duration::from_millis(900)).await;
                if io.write_all(&[*byte]).await.is_err() {
                    return;
                }
            }
        });
        let silent = scripted(|mut io| async move { drain(&mut io).await });
        let client = if kind == "http" { client } else { silent };
        let proxy = Proxy::new(&format!("{kind}://proxy.test")).unwrap();
        let client = client.proxy(proxy).proxy_timeout(Duration::from_secs(7)).build();
        let start = Instant::now();
        let error = client.connect("ws://host.test/").await.err().unwrap();
        assert!(matches!(error, Error::Timeout(Stage::Proxy)), "{error:?}");
        assert_eq!(start.elapsed().as_secs(), 7);
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_told_as_the_proxy() {
    let error = error_through(&format!("http://{}", nobody().await)).await;
    assert!(
        matches!(&error, ProxyError::Connect(io) if io.kind() == std::io::ErrorKind::ConnectionRefused),
        "{error:?}"
    );
    let client = Client::builder()
        .resolver(async |_: String| Err(std::io::ErrorKind::NotFound.into()))
        .proxy(Proxy::new("proxy.test").unwrap())
        .build();
    let error = client.connect("ws://127.0.0.1/").await.err().unwrap();
    assert!(matches!(error, Error::Proxy(ProxyError::Dns(_))), "{error:?}");
}

#[tokio::test]
async fn the_last_word_on_proxies_counts() {
    let addr = echo_server().await;
    let nowhere = Proxy::new(&nobody().await.to_string()).unwrap();
    Client::builder().proxy(nowhere).no_proxy().build().connect(format!("ws://{addr}/")).await.unwrap();
}

#[cfg(feature = "tls")]
mod tls {
    use super::*;
    use std::sync::Arc;
    use tokio::sync::mpsc::unbounded_channel;
    use tokio_rustls::TlsAcceptor;
    use ws_client::Roots;
    use ws_client::rustls::ServerConfig;
    use ws_client::rustls::crypto::ring;
    use ws_client::rustls::pki_types::{CertificateDer, PrivateKeyDer};

    /// A certificate for this name, and a server with it.
    fn made(name: &str) -> (CertificateDer<'static>, TlsAcceptor) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        (made.cert.der().clone(), TlsAcceptor::from(Arc::new(config)))
    }

    /// An echo server with this certificate.
    async fn secure_echo(acceptor: TlsAcceptor) -> std::net::SocketAddr {
        listen(move |tcp| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(tls) = acceptor.accept(tcp).await else { return };
                let incoming = ws_tokio::accept(tls, ws_client::Config::default()).await.unwrap();
                let mut socket = incoming.accept(ws_proto::handshake::Acceptance::default()).await.unwrap();
                while let Ok(Some(message)) = socket.recv().await {
                    socket.send(message).await.unwrap();
                }
            }
        })
        .await
    }

    #[tokio::test]
    async fn the_certificate_that_counts_is_that_of_the_host() {
        let (of_host, host) = made("host.test");
        let (of_proxy, other) = made("127.0.0.1");
        for (acceptor, is_host) in [(host, true), (other, false)] {
            let server = secure_echo(acceptor).await;
            let (http, _asked) = proxy::http(server, None).await;
            let (socks, _asked_socks) = proxy::socks5(server, None).await;
            for url in [format!("http://{http}"), format!("socks5://{socks}")] {
                let client =
                    Client::builder().roots(Roots::Added).add_roots([of_host.clone(), of_proxy.clone()]);
                let client = client.proxy(Proxy::new(&url).unwrap()).build();
                match client.connect("wss://host.test/").await {
                    Ok(mut socket) => {
                        assert!(is_host);
                        socket.send("hello").await.unwrap();
                        assert_eq!(socket.recv().await.unwrap(), Some("hello".into()));
                    }
                    Err(error) => {
                        assert!(!is_host && matches!(error, Error::Tls(_)), "{error:?}");
                        assert!(error.is_certificate());
                    }
                }
            }
        }
    }

    #[tokio::test]
    async fn tls_may_be_spoken_to_the_proxy_and_then_to_the_host_within() {
        let (of_host, host) = made("host.test");
        let (of_proxy, acceptor) = made("127.0.0.1");
        let secure = secure_echo(host).await;
        let plain = echo_server().await;
        for (url, upstream) in [("wss://host.test/", secure), ("ws://host.test/", plain)] {
            let (asked, mut seen) = unbounded_channel();
            let acceptor = acceptor.clone();
            let addr = listen(move |tcp| {
                let (acceptor, asked) = (acceptor.clone(), asked.clone());
                async move {
                    let Ok(tls) = acceptor.accept(tcp).await else { return };
                    proxy::tunnel(tls, upstream, Some("Basic bWU6czNjcmV0"), asked).await;
                }
            })
            .await;
            let proxy = Proxy::new(&format!("https://me:s3cret@{addr}")).unwrap();
            let client = |roots: &[&CertificateDer<'static>]| {
                let roots = roots.iter().map(|&root| root.clone());
                Client::builder().roots(Roots::Added).add_roots(roots).proxy(proxy.clone()).build()
            };
            let mut socket = client(&[&of_host, &of_proxy]).connect(url).await.unwrap();
            socket.send("hello").await.unwrap();
            assert_eq!(socket.recv().await.unwrap(), Some("hello".into()));
            assert_eq!(socket.get_ref().unwrap().tls().is_some(), url.starts_with("wss"));
            assert!(socket.get_ref().unwrap().tcp().is_some());
            assert!(seen.recv().await.unwrap().starts_with("CONNECT host.test:"));

            // Who does not trust the proxy tells it nothing.
            let error = client(&[&of_host]).connect(url).await.err().unwrap();
            assert!(matches!(error, Error::Proxy(ProxyError::Tls(_))) && error.is_certificate(), "{error:?}");
            assert!(seen.try_recv().is_err());
        }
    }
}

#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn https_to_the_proxy_without_the_feature_names_the_feature() {
    let error = through("https://127.0.0.1").connect("ws://host.test/").await.err().unwrap();
    assert!(error.to_string().contains("`tls`"), "{error}");
}
