//! Being told to stop.

use std::io;

/// Returns when the process is told to stop: Ctrl-C, or on Unix also SIGTERM.
///
/// # Errors
/// When signals cannot be waited for.
pub(super) async fn told_to_stop() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
