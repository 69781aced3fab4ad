//! Sockets that a supervisor has opened.
#![cfg(unix)]

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use tokio::net::TcpStream;
use ws_server::proto::http::Request;
use ws_server::{Acceptance, CloseCode, Config, Listener, Message, Server};

/// As a supervisor does it: the socket is descriptor 3 of a process that is told so by its environment.
#[tokio::test]
async fn an_inherited_socket_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let script =
        "exec 3<&0; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$0\" --exact the_server_of_the_other_test";
    let mut server = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .spawn()
        .unwrap();
    let request = Request::get("ws://localhost/").body(()).unwrap();
    let stream = TcpStream::connect(addr).await.unwrap();
    let (mut client, _) = ws_tokio::connect(stream, request, Config::default()).await.unwrap();
    client.send("hello").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(Message::from("hello")));
    client.close(CloseCode::NORMAL, "").await.unwrap();
    assert!(tokio::task::spawn_blocking(move || server.wait()).await.unwrap().unwrap().success());
}

/// The process that the other test starts; without a supervisor there is nothing to inherit.
#[tokio::test]
async fn the_server_of_the_other_test() {
    let is_started_by_it = std::env::var_os("LISTEN_FDS").is_some();
    let listeners = Listener::inherited().unwrap();
    assert_eq!(listeners.len(), usize::from(is_started_by_it));
    if is_started_by_it {
        let mut server = Server::builder().listeners(listeners).unwrap();
        let incoming = server.accept().await.handshake().await.unwrap().unwrap();
        let mut socket = incoming.accept(Acceptance::default()).await.unwrap();
        while let Some(message) = socket.recv().await.unwrap() {
            socket.send(message).await.unwrap();
        }
    }
}
