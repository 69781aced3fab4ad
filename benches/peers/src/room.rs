//! A room over any library's `Stream` and `Sink`: what one member says, all hear.

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::sync::broadcast::Sender;

/// Until the member leaves, or is so slow that messages are lost. `data` tells which of the peer's messages are meant for the room.
pub(crate) async fn join<S, T, M, E>(
    mut socket: S,
    room: Sender<M>,
    mut data: impl FnMut(T) -> Result<Option<M>, E>,
) -> anyhow::Result<()>
where
    S: Stream<Item = T> + Sink<M, Error = E> + Unpin,
    M: Clone,
    E: std::error::Error + Send + Sync + 'static,
{
    let mut heard = room.subscribe();
    loop {
        tokio::select! {
            said = socket.next() => match said {
                Some(said) => {
                    if let Some(message) = data(said)? {
                        // Fails where nobody is in the room: but we are.
                        let _heard_by = room.send(message);
                    }
                }
                None => return Ok(()),
            },
            message = heard.recv() => socket.send(message?).await?,
        }
    }
}
