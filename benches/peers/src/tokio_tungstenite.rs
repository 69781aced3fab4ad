//! tokio-tungstenite, with its defaults or with another read buffer.

use crate::batch;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

pub(crate) async fn echo(stream: TcpStream, read_buffer: Option<usize>) -> Result<(), Error> {
    let mut socket = accept(stream, read_buffer).await?;
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

pub(crate) async fn echo_batched(stream: TcpStream, read_buffer: Option<usize>) -> Result<(), Error> {
    let socket = accept(stream, read_buffer).await?;
    batch::echo(socket, |message: Result<Message, Error>| {
        Ok(Some(message?).filter(|message| message.is_text() || message.is_binary()))
    })
    .await
}

async fn accept(stream: TcpStream, read_buffer: Option<usize>) -> Result<WebSocketStream<TcpStream>, Error> {
    let config = read_buffer.map(|size| WebSocketConfig::default().read_buffer_size(size));
    tokio_tungstenite::accept_async_with_config(stream, config).await
}
