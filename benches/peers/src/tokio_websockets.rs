//! tokio-websockets.

use crate::room;
use crate::transport::Transport;
use futures_util::{SinkExt, StreamExt};
use tokio::sync::broadcast::Sender;
use tokio_websockets::{Config, Error, Message, ServerBuilder, WebSocketStream};

pub(crate) async fn echo(stream: impl Transport) -> Result<(), Error> {
    let mut socket = accept(stream).await?;
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

pub(crate) async fn join(stream: impl Transport, room: Sender<Message>) -> anyhow::Result<()> {
    room::join(accept(stream).await?, room, |message: Result<Message, Error>| {
        Ok(Some(message?).filter(|message| message.is_text() || message.is_binary()))
    })
    .await
}

/// One frame for each message, as the others do by default.
async fn accept<S: Transport>(stream: S) -> Result<WebSocketStream<S>, Error> {
    let config = Config::default().frame_size(MAX_BYTES);
    Ok(ServerBuilder::new().config(config).accept(stream).await?.1)
}

/// The largest workload.
const MAX_BYTES: usize = 16 << 20;
