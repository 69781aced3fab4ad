//! tokio-tungstenite, with its defaults or with another read buffer.

use crate::transport::Transport;
use crate::{batch, room};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::broadcast::Sender;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

pub(crate) async fn echo(stream: impl Transport, read_buffer: Option<usize>) -> Result<(), Error> {
    let mut socket = accept(stream, read_buffer).await?;
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

pub(crate) async fn echo_batched(stream: impl Transport, read_buffer: Option<usize>) -> Result<(), Error> {
    let socket = accept(stream, read_buffer).await?;
    batch::echo(socket, data).await
}

pub(crate) async fn join(
    stream: impl Transport,
    read_buffer: Option<usize>,
    room: Sender<Message>,
) -> anyhow::Result<()> {
    room::join(accept(stream, read_buffer).await?, room, data).await
}

fn data(message: Result<Message, Error>) -> Result<Option<Message>, Error> {
    Ok(Some(message?).filter(|message| message.is_text() || message.is_binary()))
}

async fn accept<S: Transport>(stream: S, read_buffer: Option<usize>) -> Result<WebSocketStream<S>, Error> {
    let config = read_buffer.map(|size| WebSocketConfig::default().read_buffer_size(size));
    tokio_tungstenite::accept_async_with_config(stream, config).await
}
