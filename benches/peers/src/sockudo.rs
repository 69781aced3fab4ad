//! sockudo-ws, straight over the stream.

use crate::batch;
use crate::transport::Transport;
use bytes::BytesMut;
use futures_util::{SinkExt, StreamExt};
use sockudo_ws::handshake::{build_response, generate_accept_key, parse_request, server_handshake};
use sockudo_ws::pubsub::PubSub;
use sockudo_ws::{
    CompressedWebSocketStream, Config, DeflateConfig, Error, Message, Result, Role, WebSocketStream,
};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

/// The two kinds of halves have the same methods, and no trait.
macro_rules! member {
    ($reader:ident, $writer:ident, $room:ident) => {{
        let (sender, mut heard) = mpsc::unbounded_channel();
        let member = $room.create_subscriber(sender);
        $room.subscribe(member, ROOM);
        loop {
            tokio::select! {
                said = $reader.next() => match said {
                    Some(said) => {
                        if let Some(message) = reply(said)? {
                            $room.publish(ROOM, message);
                        }
                    }
                    None => {
                        $room.remove_subscriber(member);
                        return Ok(());
                    }
                },
                Some(message) = heard.recv() => $writer.send(message).await?,
            }
        }
    }};
}

pub(crate) async fn echo(stream: impl Transport) -> Result<()> {
    let mut socket = accept(stream).await?;
    while let Some(message) = socket.next().await {
        if let Some(reply) = reply(message)? {
            socket.send(reply).await?;
        }
    }
    Ok(())
}

pub(crate) async fn echo_batched(stream: impl Transport) -> Result<()> {
    batch::echo(accept(stream).await?, reply).await
}

async fn accept<S: Transport>(mut stream: S) -> Result<WebSocketStream<S>> {
    let opened = server_handshake(&mut stream).await?;
    Ok(WebSocketStream::from_raw_with_leftover(stream, Role::Server, Config::default(), opened.leftover))
}

pub(crate) async fn echo_compressed(stream: impl Transport, level: u8) -> Result<()> {
    let mut socket = accept_compressed(stream, level).await?;
    while let Some(message) = socket.next().await {
        if let Some(reply) = reply(message)? {
            socket.send(reply).await?;
        }
    }
    Ok(())
}

/// As its example for publishing does it.
pub(crate) async fn join(stream: impl Transport, room: Arc<PubSub>) -> Result<()> {
    let (mut reader, mut writer) = accept(stream).await?.split();
    member!(reader, writer, room)
}

pub(crate) async fn join_compressed(stream: impl Transport, level: u8, room: Arc<PubSub>) -> Result<()> {
    let (mut reader, mut writer) = accept_compressed(stream, level).await?.split();
    member!(reader, writer, room)
}

/// Its compressed stream has no handshake of its own; the answer is fixed, as is the generator's offer.
async fn accept_compressed<S: Transport>(mut stream: S, level: u8) -> Result<CompressedWebSocketStream<S>> {
    let mut head = BytesMut::with_capacity(4096);
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(Error::ConnectionClosed);
        }
        if let Some((request, _)) = parse_request(&head)? {
            let extension = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
            let response = build_response(&generate_accept_key(request.key), None, Some(extension));
            stream.write_all(&response).await?;
            break;
        }
    }
    let deflate = DeflateConfig {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        compression_level: level.into(),
        ..DeflateConfig::default()
    };
    Ok(CompressedWebSocketStream::server(stream, Config::default(), deflate))
}

fn reply(message: Result<Message>) -> Result<Option<Message>> {
    Ok(Some(message?).filter(|message| matches!(message, Message::Text(_) | Message::Binary(_))))
}

/// The one that all are in.
const ROOM: &str = "room";
