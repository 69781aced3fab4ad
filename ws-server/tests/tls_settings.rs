//! Certificates: more than one, new ones while the server runs, and those of clients.
#![cfg(feature = "tls")]

mod trust;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trust::trusting;
use ws_server::proto::http::Request;
use ws_server::{Acceptance, BoxError, Config, Incoming, Message, Server, Tls, rustls};
use ws_tokio::WebSocket;

type Certified = rcgen::CertifiedKey<rcgen::KeyPair>;

fn made(name: &str) -> Certified {
    rcgen::generate_simple_self_signed([name.to_owned()]).unwrap()
}

async fn serve(tls: Tls) -> SocketAddr {
    let server = Server::builder().tls(tls).bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(tell_and_echo);
    addr
}

/// Tells whether the client showed a certificate, and echoes.
async fn tell_and_echo(incoming: Incoming) -> Result<(), BoxError> {
    let shown = incoming.stream().tls().and_then(|session| session.peer_certificates()).is_some();
    let mut socket = incoming.accept(Acceptance::default()).await?;
    socket.send(if shown { "certified" } else { "anonymous" }).await?;
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

async fn connect(
    addr: SocketAddr,
    name: &'static str,
    trusted: &[&Certified],
    own: Option<&Certified>,
) -> Result<WebSocket<TlsStream<TcpStream>>, BoxError> {
    let config = trusting(trusted.iter().map(|certified| certified.cert.der().clone()));
    let config = match own {
        None => config.with_no_client_auth(),
        Some(own) => {
            let key = PrivateKeyDer::try_from(own.signing_key.serialize_der())?;
            config.with_client_auth_cert(vec![own.cert.der().clone()], key)?
        }
    };
    let tcp = TcpStream::connect(addr).await?;
    let tls = TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name)?, tcp).await?;
    let request = Request::get(format!("wss://{name}/")).body(())?;
    Ok(ws_tokio::connect(tls, request, Config::default()).await?.0)
}

fn shown(socket: &WebSocket<TlsStream<TcpStream>>) -> CertificateDer<'static> {
    let stream = socket.get_ref().unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].clone()
}

/// A folder for a certificate and its key, removed behind the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ws-server-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, certified: &Certified) {
        std::fs::write(self.0.join("certificate.pem"), certified.cert.pem()).unwrap();
        std::fs::write(self.0.join("key.pem"), certified.signing_key.serialize_pem()).unwrap();
    }

    fn tls(&self) -> Tls {
        Tls::from_files(self.0.join("certificate.pem"), self.0.join("key.pem")).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn each_name_has_its_certificate_and_other_names_the_first() {
    let (a, b) = (made("a.example"), made("b.example"));
    let pem = |certified: &Certified| (certified.cert.pem(), certified.signing_key.serialize_pem());
    let ((a_chain, a_key), (b_chain, b_key)) = (pem(&a), pem(&b));
    let tls = Tls::builder()
        .pem(a_chain.as_bytes(), a_key.as_bytes())
        .pem(b_chain.as_bytes(), b_key.as_bytes())
        .build()
        .unwrap();
    let addr = serve(tls).await;
    assert_eq!(shown(&connect(addr, "b.example", &[&a, &b], None).await.unwrap()), *b.cert.der());
    assert_eq!(shown(&connect(addr, "a.example", &[&a, &b], None).await.unwrap()), *a.cert.der());
    let error = connect(addr, "c.example", &[&a, &b], None).await.err().unwrap();
    assert!(error.to_string().contains("a.example"), "{error}");
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_new_clients_and_disturbs_no_other() {
    let folder = Folder::new("reload");
    let (old, new) = (made("localhost"), made("localhost"));
    folder.write(&old);
    let tls = folder.tls();
    let addr = serve(tls.clone()).await;
    let mut before = connect(addr, "localhost", &[&old, &new], None).await.unwrap();
    assert_eq!(before.recv().await.unwrap(), Some(Message::from("anonymous")));

    // A key that does not fit: everything stays as it was.
    std::fs::write(folder.0.join("key.pem"), new.signing_key.serialize_pem()).unwrap();
    let error = tls.reload().unwrap_err().to_string();
    assert!(error.contains("certificate.pem and ") && error.contains("cannot be used"), "{error}");
    assert_eq!(shown(&connect(addr, "localhost", &[&old, &new], None).await.unwrap()), *old.cert.der());

    folder.write(&new);
    tls.reload().unwrap();
    assert_eq!(shown(&connect(addr, "localhost", &[&old, &new], None).await.unwrap()), *new.cert.der());
    before.send("still there").await.unwrap();
    assert_eq!(before.recv().await.unwrap(), Some(Message::from("still there")));
}

#[tokio::test(start_paused = true)]
async fn changed_files_are_noticed() {
    let folder = Folder::new("watch");
    folder.write(&made("localhost"));
    let tls = folder.tls();
    let before = tls.config();
    let (reloaded, mut told) = tokio::sync::mpsc::unbounded_channel();
    let watched = tls.clone();
    tokio::spawn(async move {
        let tell = |outcome: Result<(), _>| reloaded.send(outcome.is_ok()).unwrap();
        watched.reload_on_change(Duration::from_secs(60), tell).await;
    });
    tokio::task::yield_now().await;
    folder.write(&made("localhost"));
    // The clock of files may be coarse: the new ones are from another time for sure.
    let later = std::time::SystemTime::now() + Duration::from_secs(10);
    for name in ["certificate.pem", "key.pem"] {
        let file = std::fs::File::options().append(true).open(folder.0.join(name)).unwrap();
        file.set_modified(later).unwrap();
    }
    assert_eq!(told.recv().await, Some(true));
    assert!(!Arc::ptr_eq(&before, &tls.config()));
}

#[tokio::test(start_paused = true)]
async fn files_may_be_watched_as_often_as_possible() {
    let folder = Folder::new("often");
    folder.write(&made("localhost"));
    let tls = folder.tls();
    let watching = tls.reload_on_change(Duration::ZERO, |outcome| panic!("{outcome:?}"));
    assert!(tokio::time::timeout(Duration::from_secs(1), watching).await.is_err());
}

#[tokio::test]
async fn clients_show_certificates_where_they_are_asked() {
    let (server, client, stranger) = (made("localhost"), made("client"), made("stranger"));
    let mut authorities = RootCertStore::empty();
    authorities.add(client.cert.der().clone()).unwrap();
    let authorities = Arc::new(authorities);
    let (chain, key) = (server.cert.pem(), server.signing_key.serialize_pem());
    let builder = || Tls::builder().pem(chain.as_bytes(), key.as_bytes());

    let optional = serve(builder().optional_clients(Arc::clone(&authorities)).build().unwrap()).await;
    let required = serve(builder().required_clients(authorities).build().unwrap()).await;
    for (addr, own, greeting) in [
        (optional, Some(&client), Some("certified")),
        (optional, None, Some("anonymous")),
        (optional, Some(&stranger), None),
        (required, Some(&client), Some("certified")),
        (required, None, None),
        (required, Some(&stranger), None),
    ] {
        let socket = connect(addr, "localhost", &[&server], own).await;
        let greeted = match socket {
            Ok(mut socket) => socket.recv().await.unwrap(),
            Err(_) => None,
        };
        assert_eq!(greeted, greeting.map(Message::from));
    }
}

#[tokio::test]
async fn sessions_are_resumed_with_tickets_and_also_behind_a_reload() {
    let folder = Folder::new("resumed");
    let certified = made("localhost");
    folder.write(&certified);
    let tls = folder.tls();
    let addr = serve(tls.clone()).await;
    // The tickets are the configuration's.
    let config = Arc::new(trusting([certified.cert.der().clone()]).with_no_client_auth());
    let handshake = async || {
        let tcp = TcpStream::connect(addr).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let tls = TlsConnector::from(Arc::clone(&config)).connect(name, tcp).await.unwrap();
        let request = Request::get("wss://localhost/").body(()).unwrap();
        let (mut socket, _) = ws_tokio::connect(tls, request, Config::default()).await.unwrap();
        // Tickets come behind the handshake, and this behind them.
        socket.recv().await.unwrap().unwrap();
        socket.get_ref().unwrap().get_ref().1.handshake_kind().unwrap()
    };
    assert_eq!(handshake().await, rustls::HandshakeKind::Full);
    assert_eq!(handshake().await, rustls::HandshakeKind::Resumed);
    tls.reload().unwrap();
    assert_eq!(handshake().await, rustls::HandshakeKind::Resumed);
}
