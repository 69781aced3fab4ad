//! No WebSocket at all: what came goes back. The floor that everything else is measured against.

use crate::transport::Transport;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::broadcast::Sender;

pub(crate) async fn echo(mut stream: impl Transport) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..n]).await?;
    }
}

/// What one sends goes to all.
pub(crate) async fn join(mut stream: impl Transport, room: Sender<Bytes>) -> anyhow::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    let mut heard = room.subscribe();
    loop {
        tokio::select! {
            n = stream.read(&mut buffer) => match n? {
                0 => return Ok(()),
                n => drop(room.send(Bytes::copy_from_slice(&buffer[..n]))),
            },
            bytes = heard.recv() => stream.write_all(&bytes?).await?,
        }
    }
}
