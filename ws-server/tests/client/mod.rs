//! Clients as the tests want them.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use ws_server::Config;
use ws_server::proto::http::{Request, Response};
use ws_tokio::WebSocket;

/// A client of the server at this address.
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
