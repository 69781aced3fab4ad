//! What a server does that has no descriptors left. In a process of its own, for it has none left itself.
#![cfg(target_os = "linux")]

mod echo;

use echo::echo;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::File;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use ws_server::proto::http::Request;
use ws_server::{Config, Error, Message, Server};
use ws_tokio::WebSocket;

async fn open(addr: SocketAddr, tcp: TcpStream) -> WebSocket<TcpStream> {
    let request = Request::get(format!("ws://{addr}/")).body(()).unwrap();
    ws_tokio::connect(tcp, request, Config::default()).await.unwrap().0
}

#[tokio::test(start_paused = true)]
async fn a_server_that_runs_out_of_descriptors_tells_it_and_goes_on_when_there_are_some() {
    let (told, mut errors) = mpsc::unbounded_channel();
    let builder = Server::builder().on_error(move |error, _| {
        let _ = told.send(matches!(error, Error::Accept(_)).then(|| error.to_string()));
    });
    let server = builder.bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    server.serve(echo);
    let mut before = open(addr, TcpStream::connect(addr).await.unwrap()).await;

    setrlimit(Resource::Nofile, Rlimit { current: Some(100), ..getrlimit(Resource::Nofile) }).unwrap();
    let mut held = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        held.push(file);
    }
    // One for the client; the server has none to accept it with.
    held.pop();
    let tcp = TcpStream::connect(addr).await.unwrap();
    let error = errors.recv().await.unwrap().expect("it is one of accepting");
    assert!(error.starts_with("no connection can be accepted: ") && error.contains("os error 24"), "{error}");
    before.send("still served").await.unwrap();
    assert_eq!(before.recv().await.unwrap(), Some(Message::from("still served")));

    drop(held);
    let mut late = open(addr, tcp).await;
    late.send("late, and served").await.unwrap();
    assert_eq!(late.recv().await.unwrap(), Some(Message::from("late, and served")));
}
