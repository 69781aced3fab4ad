//! What hostile clients do before they are clients: bytes that are neither TLS nor HTTP.

mod echo;

use echo::echo;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use ws_server::Server;

/// What comes back for `bytes`, until the server ends the connection.
async fn exchange(addr: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    // The server may have had enough before it took all.
    let _reset = tcp.write_all(bytes).await;
    let mut received = Vec::new();
    let _reset = tcp.read_to_end(&mut received).await;
    received
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn garbage_instead_of_a_client_hello_is_refused_and_told_and_nothing_waits_for_more() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let tls = ws_server::Tls::from_pem(cert.as_bytes(), key.as_bytes()).unwrap();
    let (told, mut errors) = mpsc::unbounded_channel();
    let builder = Server::builder().tls(tls).on_error(move |error, _| {
        let _ = told.send(error.to_string());
    });
    let server = builder.bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(echo);
    for hello in [
        // A record of another kind, of another version, and too long a one.
        &[0x00; 64][..],
        &[0x16, 0xFF, 0xFF, 0x00, 0x10],
        &[0x16, 0x03, 0x01, 0xFF, 0xFF],
        // A handshake message that is no ClientHello, and one that declares 16 MiB.
        &[0x16, 0x03, 0x01, 0x00, 0x04, 0x02, 0x00, 0x00, 0x00],
        &[0x16, 0x03, 0x01, 0x00, 0x04, 0x01, 0xFF, 0xFF, 0xFF],
        // A ClientHello whose parts do not add up.
        &[0x16, 0x03, 0x01, 0x00, 0x06, 0x01, 0x00, 0x00, 0x02, 0x03, 0x03],
    ] {
        let mut wire = hello.to_vec();
        wire.resize(100_000, 0xA5);
        let received = exchange(addr, &wire).await;
        assert!(received.is_empty() || received.starts_with(&[0x15]), "an alert at most: {received:02X?}");
        let error = errors.recv().await.unwrap();
        assert!(error.starts_with("the TLS handshake failed: "), "{error}");
    }
    // The 16 MiB again, by what they declare: nothing behind it has come, and nothing is waited for.
    let received = exchange(addr, &[0x16, 0x03, 0x01, 0x00, 0x04, 0x01, 0xFF, 0xFF, 0xFF]).await;
    assert!(received.is_empty() || received.starts_with(&[0x15]), "an alert at most: {received:02X?}");
    let error = errors.recv().await.unwrap();
    assert!(error.starts_with("the TLS handshake failed: "), "{error}");
}

#[tokio::test]
async fn bytes_that_are_no_request_are_refused_and_told_and_nobody_else_notices() {
    let (told, mut errors) = mpsc::unbounded_channel();
    let builder = Server::builder().on_error(move |error, _| {
        let _ = told.send(error.to_string());
    });
    let server = builder.bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(echo);
    for (bytes, status) in [
        (b"\x16\x03\x01\x02\x00\x01".as_slice(), "400"),
        (b"\xFF\xFE\xFD\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\nHost: a\n\n", "400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
        (&[b'A'; 20_000], "414"),
    ] {
        let received = exchange(addr, bytes).await;
        let expected = format!("HTTP/1.1 {status} ");
        assert!(received.starts_with(expected.as_bytes()), "{}", String::from_utf8_lossy(&received));
        errors.recv().await.unwrap();
    }
}
