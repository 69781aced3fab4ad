//! What the servers of the tests do with a connection, where nothing else is said.

use ws_server::{Acceptance, BoxError, Incoming};

/// Gives every message back.
pub(crate) async fn echo(incoming: Incoming) -> Result<(), BoxError> {
    let mut socket = incoming.accept(Acceptance::default()).await?;
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}
