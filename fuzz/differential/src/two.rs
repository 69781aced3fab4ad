use crate::{End, Outcome};
use futures_util::StreamExt;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_websockets::{ClientBuilder, Error, ServerBuilder, WebSocketStream};
use ws_proto::{Message, Role};

/// Reads what there is and takes all that is written.
struct Line<'a>(&'a [u8]);

impl AsyncRead for Line<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

pub(crate) fn read(role: Role, bytes: &[u8]) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without IO");
    runtime.block_on(async {
        match role {
            Role::Client => read_all(ClientBuilder::new().take_over(Line(bytes))).await,
            Role::Server => read_all(ServerBuilder::new().serve(Line(bytes))).await,
        }
    })
}

async fn read_all(mut socket: WebSocketStream<Line<'_>>) -> Outcome {
    let mut messages = Vec::new();
    let end = loop {
        match socket.next().await {
            Some(Ok(message)) => {
                if let Some((code, _)) = message.as_close() {
                    break End::Closed(code.into());
                } else if message.is_text() {
                    // Its bytes are looked at here once more: a `str` that is none would be undefined behaviour further on.
                    match String::from_utf8(message.as_payload().to_vec()) {
                        Ok(text) => messages.push(Message::text(text)),
                        Err(_) => break End::NotUtf8,
                    }
                } else if message.is_binary() {
                    messages.push(Message::binary(message.into_payload().to_vec()));
                }
            }
            Some(Err(Error::Protocol(_) | Error::PayloadTooLong { .. })) => break End::Failed,
            Some(Err(_)) | None => break End::EndOfStream,
        }
    };
    Outcome { messages, end }
}
