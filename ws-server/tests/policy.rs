//! Who is let in: origins, hosts, how many, for how long, and what proxies say.

mod client;
mod common;
mod echo;

use client::{exchange, open};
use common::server;
use echo::echo;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use ws_server::proto::http::Request;
use ws_server::{CloseCode, Config, Listener, Message, Origins, Server, ServerBuilder, StartError};

/// A server that tells what it refuses.
async fn serve(builder: ServerBuilder) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let (errors, told) = mpsc::unbounded_channel();
    let builder = builder.on_error(move |error, _| {
        let _ = errors.send(error.to_string());
    });
    let server = builder.bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(echo);
    (addr, told)
}

/// What is told of a refusal: clients that left without a closing handshake are told too.
async fn refusal(told: &mut mpsc::UnboundedReceiver<String>) -> String {
    loop {
        let error = told.recv().await.unwrap();
        if !error.starts_with("the handler ended with an error") {
            return error;
        }
    }
}

/// A request with these lines more.
fn request(host: &str, lines: &str) -> Vec<u8> {
    format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{lines}\r\n"
    )
    .into()
}

/// Sends a request and gives the status of the answer.
async fn status(addr: SocketAddr, sent: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut line = [0; 12];
    stream.read_exact(&mut line).await.unwrap();
    std::str::from_utf8(&line[9..]).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused_with_403_by_default() {
    let (addr, mut told) = serve(Server::builder()).await;
    let host = addr.to_string();
    assert_eq!(status(addr, &request(&host, "")).await, 101);
    assert_eq!(status(addr, &request(&host, &format!("Origin: http://{host}\r\n"))).await, 101);
    let response = exchange(addr, &request(&host, "Origin: https://evil.example\r\n")).await;
    assert!(response.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{response}");
    let error = refusal(&mut told).await;
    assert_eq!(
        error,
        "pages of \"https://evil.example\" may not connect; if they should, add the origin to `origins`"
    );
}

#[tokio::test]
async fn listed_origins_and_hosts_are_let_in_and_no_others() {
    let origins = Origins::listed(["https://app.example"]).unwrap();
    let (addr, mut told) = serve(Server::builder().origins(origins).hosts(["Chat.example"])).await;
    assert_eq!(status(addr, &request("chat.example:9001", "Origin: https://app.example\r\n")).await, 101);
    assert_eq!(status(addr, &request("chat.example", "Origin: http://chat.example\r\n")).await, 403);
    refusal(&mut told).await;
    assert_eq!(status(addr, &request("rebound.example", "")).await, 421);
    assert!(refusal(&mut told).await.starts_with("the server is none of \"rebound.example\""));
}

#[tokio::test]
async fn a_function_decides_where_it_is_asked() {
    let vip = |request: &Request<()>| request.headers().get("x-vip").is_some_and(|value| value == "yes");
    let (addr, mut told) = serve(Server::builder().origins(Origins::decided(vip))).await;
    assert_eq!(status(addr, &request("a", "Origin: https://elsewhere.example\r\nX-Vip: yes\r\n")).await, 101);
    assert_eq!(status(addr, &request("a", "Origin: http://a\r\n")).await, 403);
    assert!(refusal(&mut told).await.starts_with("pages of \"http://a\" may not connect"));
}

#[tokio::test]
async fn a_connection_too_many_is_closed_and_room_is_made_when_one_ends() {
    let (addr, mut told) = serve(Server::builder().max_connections(2)).await;
    let open = || open(addr, Request::get(format!("ws://{addr}/")).body(()).unwrap());
    let (mut first, _) = open().await.unwrap();
    let (_second, _) = open().await.unwrap();
    assert!(open().await.is_err());
    assert_eq!(refusal(&mut told).await, "there are 2 connections already (max_connections)");
    first.close(CloseCode::NORMAL, "").await.unwrap();
    // It ends a moment after its client knows.
    while open().await.is_err() {}
}

#[tokio::test]
async fn who_says_nothing_makes_room_for_who_does() {
    let (addr, mut told) = serve(Server::builder().max_handshakes(3)).await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(TcpStream::connect(addr).await.unwrap());
    }
    // Each of these finishes, though the table is full of those that do not.
    for _ in 0..5 {
        assert_eq!(status(addr, &request("a", "")).await, 101);
    }
    assert_eq!(refusal(&mut told).await, "the oldest of 3 handshakes made room for others (max_handshakes)");
    assert_eq!(silent[0].read(&mut [0]).await.unwrap_or_default(), 0, "the oldest was closed");
}

#[tokio::test]
async fn an_address_has_its_share_and_a_trusted_proxy_says_whose_it_is() {
    let builder = Server::builder()
        .max_connections_per_address(2)
        .trusted_proxies(["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()]);
    let (addr, mut told) = serve(builder).await;
    let connect = async |from: &str| {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(&request("a", &format!("X-Forwarded-For: {from}, 10.0.0.1\r\n"))).await.unwrap();
        let mut line = [0; 12];
        stream.read_exact(&mut line).await.unwrap();
        (stream, String::from_utf8_lossy(&line[9..]).into_owned())
    };
    let (_one, status) = connect("192.0.2.1").await;
    assert_eq!(status, "101");
    let (two, status) = connect("6.6.6.6, 192.0.2.1").await;
    assert_eq!(status, "101");
    assert_eq!(connect("192.0.2.1").await.1, "429");
    let expected = "the address has 2 connections already (max_connections_per_address)";
    assert_eq!(refusal(&mut told).await, expected);
    let (_other, status) = connect("192.0.2.9").await;
    assert_eq!(status, "101");
    drop(two);
    // It ends a moment after its client.
    while connect("192.0.2.1").await.1 != "101" {}
}

#[tokio::test]
async fn the_handler_sees_the_client_behind_a_trusted_proxy_and_the_scheme_it_used() {
    let builder = Server::builder().trusted_proxies(["127.0.0.1/32".parse().unwrap()]);
    let server = builder.bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    let (seen, mut addresses) = mpsc::unbounded_channel();
    server.serve(move |incoming| {
        seen.send((incoming.client_addr(), incoming.peer_addr().map(|addr| addr.ip()))).unwrap();
        echo(incoming)
    });
    let lines = "Origin: https://a.example\r\nForwarded: for=192.0.2.1;proto=https\r\n";
    assert_eq!(status(addr, &request("a.example", lines)).await, 101);
    let expected = (Some(IpAddr::from([192, 0, 2, 1])), Some(IpAddr::from([127, 0, 0, 1])));
    assert_eq!(addresses.recv().await.unwrap(), expected);
}

#[tokio::test]
async fn what_others_than_trusted_proxies_say_is_not_looked_at() {
    let (server, addr) = server().await;
    let (seen, mut addresses) = mpsc::unbounded_channel();
    server.serve(move |incoming| {
        seen.send(incoming.client_addr()).unwrap();
        echo(incoming)
    });
    assert_eq!(status(addr, &request("a", "X-Forwarded-For: 192.0.2.1\r\n")).await, 101);
    assert_eq!(addresses.recv().await.unwrap(), Some(IpAddr::from([127, 0, 0, 1])));
    let lines = "Origin: https://a\r\nX-Forwarded-Proto: https\r\n";
    assert_eq!(status(addr, &request("a", lines)).await, 403);
}

#[tokio::test]
async fn a_connection_of_a_trusted_proxy_begins_with_a_proxy_header() {
    let builder = Server::builder().trusted_proxies(["127.0.0.1/32".parse().unwrap()]).proxy_protocol(true);
    let server = builder.bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    let (seen, mut addresses) = mpsc::unbounded_channel();
    server.serve(move |incoming| {
        seen.send(incoming.peer_addr()).unwrap();
        echo(incoming)
    });
    let head = b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n".as_slice();
    assert_eq!(status(addr, &[head, &request("a", "")].concat()).await, 101);
    assert_eq!(addresses.recv().await.unwrap(), Some("192.0.2.1:4711".parse().unwrap()));
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(&request("a", "")).await.unwrap();
    assert_eq!(stream.read(&mut [0]).await.unwrap_or_default(), 0, "it is closed without an answer");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_has_lived_for_long_enough_is_closed_with_1001() {
    let config = Config::builder().ping_interval(None).build().unwrap();
    let (addr, _told) = serve(Server::builder().config(config).max_lifetime(Duration::from_secs(3600))).await;
    let (mut client, _) = open(addr, Request::get(format!("ws://{addr}/")).body(()).unwrap()).await.unwrap();
    client.send("hello").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(Message::from("hello")));
    assert_eq!(client.recv().await.unwrap(), None);
    let received = client.close_info().unwrap().received.clone();
    assert_eq!(received.code, CloseCode::GOING_AWAY);
    assert_eq!(received.reason, "the connection has reached its maximum lifetime");
}

#[cfg(unix)]
#[tokio::test]
async fn tcp_and_unix_sockets_are_served_side_by_side() {
    let path = std::env::temp_dir().join(format!("ws-server-{}.sock", std::process::id()));
    let mut listeners = vec![Listener::unix(&path).unwrap(), Listener::tcp("127.0.0.1:0").await.unwrap()];
    // Where the system has IPv6 switched on.
    listeners.extend(Listener::tcp("[::1]:0").await.ok());
    let server = Server::builder().listeners(listeners).unwrap();
    let addrs: Vec<_> = server.listeners().iter().filter_map(Listener::local_addr).collect();
    assert!(Listener::unix(&path).unwrap_err().to_string().contains("something listens there already"));
    let running = server.serve(echo);
    let stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    let request = Request::get("ws://localhost/").body(()).unwrap();
    let (mut unix, _) = ws_tokio::connect(stream, request, Config::default()).await.unwrap();
    unix.send("unix").await.unwrap();
    assert_eq!(unix.recv().await.unwrap(), Some(Message::from("unix")));
    for addr in addrs {
        let mut tcp = client::connect(addr, "/").await;
        tcp.send("tcp").await.unwrap();
        assert_eq!(tcp.recv().await.unwrap(), Some(Message::from("tcp")));
    }
    drop(unix);
    running.stop(Duration::from_secs(60)).await;
    assert!(!path.exists(), "the file goes with the server");
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_that_goes_takes_none_along_that_has_just_taken_its_place() {
    let path = std::env::temp_dir().join(format!("ws-server-handover-{}.sock", std::process::id()));
    let runtime = tokio::runtime::Handle::current();
    for round in 0..500 {
        let old = Listener::unix(&path).unwrap();
        let begin = std::sync::Barrier::new(2);
        let new = std::thread::scope(|scope| {
            let successor = scope.spawn(|| {
                let _inside = runtime.enter();
                begin.wait();
                loop {
                    if let Ok(listener) = Listener::unix(&path) {
                        return listener;
                    }
                }
            });
            begin.wait();
            drop(old);
            successor.join().unwrap()
        });
        assert!(path.exists(), "in round {round}");
        drop(new);
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_named_before_anything_is_served() {
    let sentence = async |builder: ServerBuilder| builder.bind("127.0.0.1:0").await.unwrap_err().to_string();
    assert_eq!(sentence(Server::builder().max_handshakes(0)).await, "max_handshakes must be more than zero");
    assert!(matches!(Server::builder().listeners([]).unwrap_err(), StartError::NoListeners));
    assert_eq!(
        sentence(Server::builder().proxy_protocol(true)).await,
        "proxy_protocol is on and trusted_proxies is empty: name the networks of the proxies, or switch it off"
    );
    assert_eq!(
        sentence(Server::builder().hosts(["http://example.com"])).await,
        "hosts: \"http://example.com\" is no name of a host; write it without a scheme and a port"
    );
}
