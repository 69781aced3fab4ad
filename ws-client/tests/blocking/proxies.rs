//! Ways through proxies.

use crate::support::{Echo, answering, proxy, read_head};
use std::io::{Read, Write};
use ws_client::blocking::Client;
use ws_client::{Error, Message, Proxy, ProxyError};
use ws_server::Server;

#[test]
fn a_proxy_is_asked_by_connect_and_told_its_password() {
    let server = Echo::start(Server::builder());
    let (addr, asked) = proxy(server.addr, |tcp| {
        let head = read_head(tcp);
        tcp.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
        head
    });
    let proxy = Proxy::new(&format!("http://{addr}")).unwrap().basic_auth("Aladdin", "open sesame");
    // The name means nothing here: it is the proxy's to resolve.
    let mut socket = Client::builder().proxy(proxy).build().connect("ws://chat.invalid/").unwrap();
    socket.send("hello").unwrap();
    assert_eq!(socket.recv().unwrap(), Some(Message::from("hello")));
    let asked = asked.recv().unwrap();
    assert!(asked.starts_with("CONNECT chat.invalid:80 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"), "{asked}");
}

#[test]
fn a_proxy_at_the_address_of_the_host_is_not_waited_for() {
    let server = Echo::start(Server::builder());
    let (addr, _asked) = proxy(server.addr, |tcp| {
        let head = read_head(tcp);
        tcp.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        head
    });
    let proxy = Proxy::new(&format!("http://{addr}")).unwrap();
    Client::builder().proxy(proxy).build().connect(format!("ws://{}/", server.addr)).unwrap();
}

#[test]
fn a_socks5_proxy_is_asked_for_the_name() {
    let server = Echo::start(Server::builder());
    let (addr, asked) = proxy(server.addr, |tcp| {
        let mut methods = [0; 3];
        tcp.read_exact(&mut methods).unwrap();
        assert_eq!(methods, [5, 1, 0]);
        tcp.write_all(&[5, 0]).unwrap();
        let mut request = [0; 5 + "chat.invalid".len() + 2];
        tcp.read_exact(&mut request).unwrap();
        tcp.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
        String::from_utf8_lossy(&request[5..request.len() - 2]).into_owned()
    });
    let proxy = Proxy::new(&format!("socks5://{addr}")).unwrap();
    let mut socket = Client::builder().proxy(proxy).build().connect("ws://chat.invalid/").unwrap();
    socket.send("hello").unwrap();
    assert_eq!(socket.recv().unwrap(), Some(Message::from("hello")));
    assert_eq!(asked.recv().unwrap(), "chat.invalid");
}

#[test]
fn what_a_proxy_refuses_is_its_error() {
    let (addr, _heads) = answering(vec!["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n".into()]);
    let proxy = Proxy::new(&format!("http://user:s3cret@{addr}")).unwrap();
    let error = Client::builder().proxy(proxy).build().connect("ws://chat.invalid/").err().unwrap();
    assert!(matches!(&error, Error::Proxy(ProxyError::Refused(status)) if *status == 407), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}
