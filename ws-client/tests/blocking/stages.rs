//! Deadlines, by stage.

use crate::support::silent;
use std::time::Duration;
use ws_client::blocking::Client;
use ws_client::{Config, Error, Proxy, Stage};

const SOON: Duration = Duration::from_millis(50);

#[test]
fn a_server_that_says_nothing_is_given_up_by_either_deadline() {
    let (addr, _listener) = silent();
    let config = Config::builder().handshake_timeout(SOON).build().unwrap();
    for client in [Client::builder().connect_timeout(SOON), Client::builder().config(config)] {
        let error = client.build().connect(format!("ws://{addr}/")).err().unwrap();
        assert!(matches!(error, Error::Timeout(Stage::Handshake)), "{error:?}");
    }
}

#[test]
fn a_proxy_that_says_nothing_is_given_up_by_either_deadline() {
    let (addr, _listener) = silent();
    for scheme in ["http", "socks5"] {
        let proxy = Proxy::new(&format!("{scheme}://{addr}")).unwrap();
        for client in [Client::builder().connect_timeout(SOON), Client::builder().proxy_timeout(SOON)] {
            let error = client.proxy(proxy.clone()).build().connect("ws://example.com/").err().unwrap();
            assert!(matches!(error, Error::Timeout(Stage::Proxy)), "{error:?}");
        }
    }
}

#[cfg(feature = "tls")]
#[test]
fn a_server_that_speaks_no_tls_is_given_up_by_either_deadline() {
    let (addr, _listener) = silent();
    let authority = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.der().clone();
    for client in [Client::builder().connect_timeout(SOON), Client::builder().tls_timeout(SOON)] {
        let client = client.roots(ws_client::Roots::Added).add_roots([authority.clone()]).build();
        let error = client.connect(format!("wss://{addr}/")).err().unwrap();
        assert!(matches!(error, Error::Timeout(Stage::Tls)), "{error:?}");
    }
}

#[test]
fn no_time_at_all_is_a_timeout() {
    let (addr, _listener) = silent();
    let client = Client::builder().connect_timeout(Duration::ZERO).build();
    let error = client.connect(format!("ws://{addr}/")).err().unwrap();
    assert!(matches!(error, Error::Timeout(_)), "{error:?}");
}
