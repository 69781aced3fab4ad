//! sockudo-ws, straight over the stream.

use crate::batch;
use bytes::BytesMut;
use futures_util::{SinkExt, StreamExt};
use sockudo_ws::handshake::{build_response, generate_accept_key, parse_request, server_handshake};
use sockudo_ws::{
    CompressedWebSocketStream, Config, DeflateConfig, Error, Message, Result, Role, WebSocketStream,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) async fn echo(stream: TcpStream) -> Result<()> {
    let mut socket = accept(stream).await?;
    while let Some(message) = socket.next().await {
        if let Some(reply) = reply(message)? {
            socket.send(reply).await?;
        }
    }
    Ok(())
}

pub(crate) async fn echo_batched(stream: TcpStream) -> Result<()> {
    batch::echo(accept(stream).await?, reply).await
}

async fn accept(mut stream: TcpStream) -> Result<WebSocketStream<TcpStream>> {
    let opened = server_handshake(&mut stream).await?;
    Ok(WebSocketStream::from_raw_with_leftover(stream, Role::Server, Config::default(), opened.leftover))
}

/// Its compressed stream has no handshake of its own; the answer is fixed, as is the generator's offer.
pub(crate) async fn echo_compressed(mut stream: TcpStream, level: u8) -> Result<()> {
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
    let mut socket = CompressedWebSocketStream::server(stream, Config::default(), deflate);
    while let Some(message) = socket.next().await {
        if let Some(reply) = reply(message)? {
            socket.send(reply).await?;
        }
    }
    Ok(())
}

fn reply(message: Result<Message>) -> Result<Option<Message>> {
    Ok(Some(message?).filter(|message| matches!(message, Message::Text(_) | Message::Binary(_))))
}
