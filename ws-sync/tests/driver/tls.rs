//! TLS by rustls over blocking and non-blocking sockets.

use crate::support::{quiet, retry, tcp_pair};
use http::Request;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use ws_proto::handshake::Acceptance;
use ws_sync::{Accepting, CloseCode, Connecting, Message};

type Server = StreamOwned<ServerConnection, TcpStream>;
type Client = StreamOwned<ClientConnection, TcpStream>;

fn tls_pair() -> (Client, Server) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = CertificateDer::from(made.cert);
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let (near, far) = tcp_pair();
    (
        StreamOwned::new(ClientConnection::new(Arc::new(client), name).unwrap(), near),
        StreamOwned::new(ServerConnection::new(Arc::new(server)).unwrap(), far),
    )
}

fn request() -> Request<()> {
    Request::get("wss://localhost/").body(()).unwrap()
}

#[test]
fn a_blocking_pair_talks_and_ends_with_a_closing_alert() {
    let (near, far) = tls_pair();
    let server = thread::spawn(move || {
        let mut ws =
            ws_sync::accept(far, quiet().build().unwrap()).unwrap().accept(Acceptance::default()).unwrap();
        while let Some(message) = ws.recv().unwrap() {
            ws.send(message).unwrap();
        }
        assert!(ws.close_info().is_some());
    });
    let (mut ws, _) = ws_sync::connect(near, request(), quiet().build().unwrap()).unwrap();
    for len in [0, 126, 100_000, 1 << 20] {
        let message = Message::from(vec![7; len]);
        ws.send(message.clone()).unwrap();
        assert_eq!(ws.recv().unwrap(), Some(message));
    }
    ws.close(CloseCode::NORMAL, "").unwrap();
    server.join().unwrap();
}

#[test]
fn a_non_blocking_pair_in_one_thread_never_waits_for_the_wrong_thing() {
    let (near, far) = tls_pair();
    let mut connecting = Connecting::new(near, request(), quiet().build().unwrap()).unwrap();
    connecting.set_nonblocking(true).unwrap();
    let mut accepting = Accepting::new(far, quiet().build().unwrap());
    accepting.set_nonblocking(true).unwrap();
    // The hello has left: the client has its request queued, and can do nothing but read.
    let wait = connecting.advance().unwrap_err().would_block().unwrap();
    assert!(wait.readable && !wait.writable, "{wait:?}");

    let (mut incoming, mut opened) = (None, None);
    while incoming.is_none() {
        incoming = accepting.advance().ok();
        assert!(connecting.advance().is_err());
    }
    let mut server = incoming.unwrap().accept(Acceptance::default()).unwrap();
    while opened.is_none() {
        opened = connecting.advance().ok();
        assert!(server.recv().is_err());
    }
    let (mut client, _) = opened.unwrap();

    // More than the sockets and the TLS layer take at once.
    let payload: Vec<u8> = (0..=u8::MAX).cycle().take(12 << 20).collect();
    client.send_uncompressed(payload.clone()).unwrap();
    assert!(client.progress().writable);
    let received = retry(|| {
        let _unfinished = client.flush();
        server.recv()
    });
    assert!(received.unwrap() == Some(payload.into()));
    retry(|| client.flush()).unwrap();
    assert!(!client.progress().writable);

    client.start_closing(CloseCode::NORMAL, "bye").unwrap();
    assert_eq!(retry(|| server.recv()).unwrap(), None);
    assert_eq!(retry(|| client.recv()).unwrap(), None);
}

#[test]
fn a_peer_that_leaves_out_the_closing_alert_behind_its_close_frame_ended_cleanly() {
    let (near, far) = tls_pair();
    let server = thread::spawn(move || {
        let mut ws =
            ws_sync::accept(far, quiet().build().unwrap()).unwrap().accept(Acceptance::default()).unwrap();
        ws.start_closing(CloseCode::NORMAL, "").unwrap();
        let stream = ws.into_parts().stream;
        stream.sock.shutdown(std::net::Shutdown::Write).unwrap();
        stream
    });
    let (mut ws, _) = ws_sync::connect(near, request(), quiet().build().unwrap()).unwrap();
    assert_eq!(ws.recv().unwrap(), None);
    assert_eq!(ws.close_info().unwrap().received.code, CloseCode::NORMAL);
    server.join().unwrap();
}
