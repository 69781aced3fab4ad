//! A server as the tests want it.

use std::net::SocketAddr;
use ws_server::Server;

/// A server on a free port of this machine.
pub(crate) async fn server() -> (Server, SocketAddr) {
    let server = Server::builder().bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    (server, addr)
}
