//! The engine against blocking clients of `ws-sync`, over the loopback interface.

use super::*;
use rcgen::CertifiedKey;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::{SocketAddr, TcpStream};
use ws_client::{Roots, blocking};
use ws_sync::CloseCode;

fn start(config: Config, tls: Option<Arc<ServerConfig>>, threads: usize) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // It serves for as long as the tests run.
    thread::spawn(move || serve(listener, config, tls, threads));
    address
}

fn connect(address: SocketAddr) -> WebSocket<TcpStream> {
    let request = http::Request::get(format!("ws://{address}/any/path")).body(()).unwrap();
    ws_sync::connect(TcpStream::connect(address).unwrap(), request, Config::default()).unwrap().0
}

#[test]
fn every_client_gets_its_own_messages_back() {
    let address = start(Config::default(), None, 2);
    let mut clients: Vec<_> = (0..20).map(|_| connect(address)).collect();
    for round in 0..3 {
        for (n, client) in clients.iter_mut().enumerate() {
            client.send(format!("{round} of {n}")).unwrap();
        }
        for (n, client) in clients.iter_mut().enumerate() {
            assert_eq!(client.recv().unwrap(), Some(format!("{round} of {n}").into()));
        }
    }
    for mut client in clients {
        assert_eq!(client.close(CloseCode::NORMAL, "").unwrap().received.code, CloseCode::NORMAL);
    }
}

#[test]
fn a_burst_longer_than_a_turn_comes_back_whole() {
    let mut client = connect(start(Config::default(), None, 1));
    for n in 0..4 * MESSAGES_A_TURN {
        client.feed(n.to_string()).unwrap();
    }
    client.flush().unwrap();
    for n in 0..4 * MESSAGES_A_TURN {
        assert_eq!(client.recv().unwrap(), Some(n.to_string().into()));
    }
}

#[test]
fn a_client_that_does_not_read_is_held_up_and_nobody_else() {
    let config = Config::builder().max_send_queue_bytes(100_000).build().unwrap();
    let address = start(config, None, 1);
    let mut slow = connect(address);
    slow.set_nonblocking(true).unwrap();
    let message = Message::from(vec![7; 100_000]);
    let mut sent = 0;
    // Until nothing fits anywhere between here and there.
    while slow.send_uncompressed(message.clone()).is_ok() {
        sent += 1;
    }
    let mut other = connect(address);
    other.send("still there?").unwrap();
    assert_eq!(other.recv().unwrap(), Some("still there?".into()));
    // Once it reads, all of it comes.
    while sent > 0 {
        match slow.recv() {
            Ok(echoed) => {
                assert_eq!(echoed, Some(message.clone()));
                sent -= 1;
            }
            Err(error) => assert!(error.would_block().is_some(), "{error}"),
        }
    }
}

#[test]
fn silent_clients_run_into_their_timers() {
    let short = Duration::from_millis(2);
    let config = Config::builder()
        .handshake_timeout(short)
        .ping_interval(Some(short))
        .pong_timeout(short)
        .close_timeout(short);
    let address = start(config.build().unwrap(), None, 1);
    let mut answer = String::new();
    io::Read::read_to_string(&mut TcpStream::connect(address).unwrap(), &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[test]
fn tls_clients_are_served_too() {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(cert.der().to_vec())], key)
        .unwrap();
    let address = start(Config::default(), Some(Arc::new(config)), 1);

    let client = blocking::Client::builder().roots(Roots::Added).add_roots([cert.der().clone()]).build();
    let mut client = client.connect(format!("wss://localhost:{}/", address.port())).unwrap();
    for len in [0, 70_000, 3 << 20] {
        let message = Message::from(vec![7; len]);
        client.send(message.clone()).unwrap();
        assert!(client.recv().unwrap() == Some(message));
    }
    client.close(CloseCode::NORMAL, "").unwrap();
}
