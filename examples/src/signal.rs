//! When a program is told to end.

/// Waits for SIGINT (Ctrl-C) or, on Unix, SIGTERM, which is how service managers and container runtimes end a program.
pub async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        // Without a handler for SIGTERM the program ends at once when it comes, as any other does.
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
