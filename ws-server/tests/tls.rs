//! TLS.
#![cfg(feature = "tls")]

mod echo;
mod trust;

use echo::echo;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trust::trusting;
use ws_server::proto::http::Request;
use ws_server::{CloseCode, Config, Message, Server, Tls, rustls};
use ws_tokio::WebSocket;

struct Served {
    target: Target,
    server: Server,
    errors: mpsc::UnboundedReceiver<String>,
}

struct Target {
    addr: SocketAddr,
    authority: CertificateDer<'static>,
}

async fn served(config: Config) -> Served {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = Tls::from_pem(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes()).unwrap();
    let (told, errors) = mpsc::unbounded_channel();
    let builder = Server::builder().config(config).tls(tls).on_error(move |error, _| {
        let _ = told.send(error.to_string());
    });
    let server = builder.bind("127.0.0.1:0").await.unwrap();
    let target = Target { addr: server.local_addr().unwrap(), authority: made.cert.der().clone() };
    Served { target, server, errors }
}

async fn connect_tls(target: &Target, alpn: &[&[u8]]) -> std::io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(target.addr).await.unwrap();
    speak_tls(target, tcp, alpn).await
}

async fn speak_tls(target: &Target, tcp: TcpStream, alpn: &[&[u8]]) -> std::io::Result<TlsStream<TcpStream>> {
    let mut config = trusting([target.authority.clone()]).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

async fn open(tls: TlsStream<TcpStream>) -> WebSocket<TlsStream<TcpStream>> {
    let request = Request::get("wss://localhost/").body(()).unwrap();
    ws_tokio::connect(tls, request, Config::default()).await.unwrap().0
}

#[tokio::test]
async fn a_handler_echoes_over_tls_and_sees_the_session() {
    let Served { target, mut server, .. } = served(Config::default()).await;
    let accept = async {
        let incoming = server.accept().await.handshake().await.unwrap().unwrap();
        let session = incoming.stream().tls().unwrap();
        assert_eq!(session.server_name(), Some("localhost"));
        assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
        echo(incoming).await.unwrap();
    };
    let client = async {
        let mut client = open(connect_tls(&target, &[b"http/1.1"]).await.unwrap()).await;
        for len in [0, 1, 126, 65_536, 1 << 20] {
            let message = Message::from(vec![7; len]);
            client.send(message.clone()).await.unwrap();
            assert_eq!(client.recv().await.unwrap(), Some(message));
        }
        let info = client.close(CloseCode::NORMAL, "done").await.unwrap();
        assert_eq!(info.received.code, CloseCode::NORMAL);
    };
    tokio::join!(accept, client);
}

#[tokio::test]
async fn stopping_says_goodbye_over_tls_too() {
    let Served { target, server, .. } = served(Config::default()).await;
    let running = server.serve(echo);
    let mut client = open(connect_tls(&target, &[]).await.unwrap()).await;
    let stopping = tokio::spawn(async move { running.stop(Duration::from_secs(60)).await });
    assert_eq!(client.recv().await.unwrap(), None);
    assert_eq!(client.close_info().unwrap().received.code, CloseCode::GOING_AWAY);
    assert_eq!(stopping.await.unwrap().ended, 1);
}

#[tokio::test]
async fn a_client_that_wants_another_protocol_is_refused_and_told() {
    let Served { target, server, mut errors } = served(Config::default()).await;
    server.serve(echo);
    assert!(connect_tls(&target, &[b"h2"]).await.is_err());
    let error = errors.recv().await.unwrap();
    assert!(error.starts_with("the TLS handshake failed: "), "{error}");
}

#[tokio::test]
async fn a_client_without_tls_gets_nothing_of_http() {
    let Served { target, server, mut errors } = served(Config::default()).await;
    server.serve(echo);
    let mut plain = TcpStream::connect(target.addr).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    // An alert of TLS may come back, or a reset.
    let mut received = Vec::new();
    let _reset = plain.read_to_end(&mut received).await;
    assert!(!received.starts_with(b"HTTP"));
    let error = errors.recv().await.unwrap();
    assert!(error.starts_with("the TLS handshake failed: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn tls_and_the_opening_request_share_one_deadline() {
    let config = Config::builder().handshake_timeout(Duration::from_secs(10)).build().unwrap();
    let Served { target, server, mut errors } = served(config).await;
    server.serve(echo);
    // Silent from the beginning, and silent behind TLS that came late.
    let mut tcp = TcpStream::connect(target.addr).await.unwrap();
    assert_eq!(tcp.read(&mut [0; 16]).await.unwrap_or(0), 0);
    let error = errors.recv().await.unwrap();
    assert!(error.contains("in time"), "{error}");
    let began = Instant::now();
    let tcp = TcpStream::connect(target.addr).await.unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    let mut tls = speak_tls(&target, tcp, &[]).await.unwrap();
    let mut response = String::new();
    tls.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
    assert_eq!(began.elapsed().as_secs(), 10, "of both together");
    drop(tls);
    let error = errors.recv().await.unwrap();
    assert!(error.contains("in time"), "{error}");
}
