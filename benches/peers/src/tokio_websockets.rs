//! tokio-websockets.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_websockets::{Config, Error, ServerBuilder, WebSocketStream};

pub(crate) async fn echo(stream: TcpStream) -> Result<(), Error> {
    let mut socket = accept(stream).await?;
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

/// One frame for each message, as the others do by default.
async fn accept(stream: TcpStream) -> Result<WebSocketStream<TcpStream>, Error> {
    let config = Config::default().frame_size(MAX_BYTES);
    Ok(ServerBuilder::new().config(config).accept(stream).await?.1)
}

/// The largest workload.
const MAX_BYTES: usize = 16 << 20;
