//! Batching by hand, over any library's `Stream` and `Sink`.

use futures_util::{Sink, SinkExt, Stream, StreamExt, poll};
use std::task::Poll;

/// Feeds a reply to each message that is there already, then flushes once. `reply` tells which messages get one.
pub(crate) async fn echo<S, T, M, E>(
    mut socket: S,
    mut reply: impl FnMut(T) -> Result<Option<M>, E>,
) -> Result<(), E>
where
    S: Stream<Item = T> + Sink<M, Error = E> + Unpin,
{
    while let Some(item) = socket.next().await {
        if let Some(message) = reply(item)? {
            socket.feed(message).await?;
        }
        while let Poll::Ready(Some(item)) = poll!(socket.next()) {
            if let Some(message) = reply(item)? {
                socket.feed(message).await?;
            }
        }
        socket.flush().await?;
    }
    Ok(())
}
