//! The program as a process of its own, and servers for it to test.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::fs;
use std::future::Future;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use ws_autobahn::compare::{Verdicts, read_index};

/// The program with these arguments, in an empty folder of this name.
pub(crate) fn program(folder: &str, arguments: &[&str]) -> Command {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(folder);
    // There is none the first time.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ws-autobahn"));
    command.args(arguments).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// How it ended: the exit status, and what it said on standard error.
pub(crate) fn outcome(output: &Output) -> (i32, String) {
    (output.status.code().unwrap(), String::from_utf8(output.stderr.clone()).unwrap())
}

/// Runs it to its end, while the servers of the test go on.
pub(crate) async fn run(mut command: Command) -> (i32, String) {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    outcome(&output)
}

/// Waits for a process that was started.
pub(crate) async fn end(child: Child) -> (i32, String) {
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    outcome(&output)
}

/// As Ctrl-C does.
pub(crate) fn interrupt(child: &Child) {
    signal("INT", child);
}

pub(crate) fn signal(name: &str, child: &Child) {
    let kill = format!("kill -{name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// The URL at which a fuzzing server says that it listens.
pub(crate) async fn listening(child: &mut Child) -> String {
    let stdout = child.stdout.take().unwrap();
    tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        line.trim().strip_prefix("listening on ").expect("the first line tells the URL").to_owned()
    })
    .await
    .unwrap()
}

/// The verdicts in a report, by agent.
pub(crate) fn report(folder: &str, out: &str) -> Vec<(String, Verdicts)> {
    let index = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(folder).join(out).join("index.json");
    read_index(&index).unwrap().into_iter().collect()
}

/// Serves every connection, with its number from 0; the URL.
pub(crate) async fn serve<F, O>(serve: F) -> String
where
    F: Fn(usize, TcpStream) -> O + Send + 'static,
    O: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(number, stream));
        }
    });
    url
}

/// Echoes over so many connections, and is gone then.
pub(crate) async fn serve_only(connections: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for _ in 0..connections {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(echo(stream));
        }
    });
    url
}

/// An address that nobody listens at, and nobody else can take as long as the socket lives.
pub(crate) fn nobody() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

pub(crate) async fn echo(stream: TcpStream) {
    let Ok(incoming) = ws_tokio::accept(stream, ws_proto::Config::default()).await else { return };
    let Ok(mut socket) = incoming.accept(Default::default()).await else { return };
    while let Ok(Some(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}
