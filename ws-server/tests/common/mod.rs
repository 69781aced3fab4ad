//! A server as the tests want it.

use std::net::SocketAddr;
use ws_server::{Acceptance, BoxError, Incoming, Server};

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
