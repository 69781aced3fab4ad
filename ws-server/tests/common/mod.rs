//! What the tests of the server share.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use ws_server::proto::http::{Request, Response};
use ws_server::{Acceptance, BoxError, Config, Incoming, Server};
use ws_tokio::WebSocket;

/// A server on a free port of this machine.
pub(crate) async fn server() -> (Server, SocketAddr) {
    let server = Server::builder().bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    (server, addr)
}

pub(crate) async fn echo(incoming: Incoming) -> Result<(), BoxError> {
    let mut socket = incoming.accept(Acceptance::default()).await?;
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// A client of that server.
pub(crate) async fn connect(addr: SocketAddr, path: &str) -> WebSocket<TcpStream> {
    open(addr, Request::get(format!("ws://{addr}{path}")).body(()).unwrap()).await.unwrap().0
}

pub(crate) async fn open(
    addr: SocketAddr,
    request: Request<()>,
) -> Result<(WebSocket<TcpStream>, Response<()>), ws_tokio::OpenError> {
    let stream = TcpStream::connect(addr).await.unwrap();
    ws_tokio::connect(stream, request, Config::default()).await
}

/// Sends bytes, and reads all that comes back until the server ends its side.
pub(crate) async fn exchange(addr: SocketAddr, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut received = String::new();
    stream.read_to_string(&mut received).await.unwrap();
    received
}
