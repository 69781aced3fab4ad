//! TLS with the host, and with a proxy.

use crate::support::{Echo, proxy, read_head};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use ws_client::blocking::{Client, ClientBuilder};
use ws_client::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use ws_client::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto};
use ws_client::{CloseCode, Error, Message, Proxy, Roots};
use ws_server::{Server, Tls};

fn secure() -> (Echo, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = Tls::from_pem(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes()).unwrap();
    (Echo::start(Server::builder().tls(tls)), made.cert.der().clone())
}

fn trusting(authorities: impl IntoIterator<Item = CertificateDer<'static>>) -> ClientBuilder {
    Client::builder().roots(Roots::Added).add_roots(authorities)
}

#[test]
fn talks_to_a_server_whose_authority_was_added() {
    let (server, authority) = secure();
    let client = trusting([authority]).build();
    let url = format!("wss://localhost:{}/", server.addr.port());
    for _ in 0..2 {
        let mut socket = client.connect(&url).unwrap();
        assert_eq!(socket.get_ref().tls().unwrap().alpn_protocol(), Some(&b"http/1.1"[..]));
        for len in [0, 1, 126, 65_536, 1 << 20] {
            let message = Message::from(vec![7; len]);
            socket.send(message.clone()).unwrap();
            assert_eq!(socket.recv().unwrap(), Some(message));
        }
        assert_eq!(socket.close(CloseCode::NORMAL, "").unwrap().received.code, CloseCode::NORMAL);
    }
}

#[test]
fn a_stranger_or_another_name_is_refused_unless_anybody_is_accepted() {
    let (server, authority) = secure();
    let (_, stranger) = secure();
    let url = |host: &str| format!("wss://{host}:{}/", server.addr.port());
    for (client, host) in [(trusting([stranger]), "localhost"), (trusting([authority]), "127.0.0.1")] {
        let error = client.build().connect(url(host)).err().unwrap();
        assert!(matches!(error, Error::Tls(_)) && error.is_certificate(), "{error:?}");
    }
    let anybody = Client::builder().danger_accept_invalid_certificates(true).build();
    anybody.connect(url("127.0.0.1")).unwrap();
}

/// The proxy speaks TLS itself, and the host behind it once more: each is checked by its own name.
#[test]
fn tls_goes_through_a_proxy_to_which_tls_is_spoken() {
    let (server, authority) = secure();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![made.cert.der().clone()], key).unwrap());
    // It ends TLS, and hands what is inside to a proxy without.
    let (plain, asked) = proxy(server.addr, |tcp| {
        let head = read_head(tcp);
        tcp.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        head
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        end_tls(
            StreamOwned::new(ServerConnection::new(config).unwrap(), tcp),
            TcpStream::connect(plain).unwrap(),
        );
    });

    let proxy = Proxy::new(&format!("https://localhost:{port}")).unwrap();
    let client = trusting([authority, made.cert.der().clone()]).proxy(proxy).build();
    let mut socket = client.connect(format!("wss://localhost:{}/", server.addr.port())).unwrap();
    socket.send("hello").unwrap();
    assert_eq!(socket.recv().unwrap(), Some(Message::from("hello")));
    assert!(socket.get_ref().tls().unwrap().alpn_protocol().is_some());
    assert!(asked.recv().unwrap().starts_with("CONNECT localhost:"));
}

/// Leads bytes on in both directions, a piece from here and a piece from there.
fn end_tls(mut tls: StreamOwned<ServerConnection, TcpStream>, mut plain: TcpStream) {
    use std::io::{ErrorKind, Read};
    while tls.conn.is_handshaking() {
        if tls.conn.complete_io(&mut tls.sock).is_err() {
            return;
        }
    }
    tls.sock.set_nonblocking(true).unwrap();
    plain.set_nonblocking(true).unwrap();
    let mut buffer = [0; 4096];
    loop {
        match tls.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => plain.write_all(&buffer[..read]).unwrap(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
        match plain.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => tls.write_all(&buffer[..read]).unwrap(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
            Err(_) => return,
        }
    }
}
