//! Being told to stop.

use anyhow::{Context, Result};

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Sees when the process is told to stop: by Ctrl-C, on Unix also by SIGTERM. From its making on, these do not end the process by themselves.
#[derive(Debug)]
pub(super) struct Stop {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(windows)]
    ctrl_c: tokio::signal::windows::CtrlC,
}

impl Stop {
    #[cfg(unix)]
    pub(super) fn new() -> Result<Self> {
        let watch = |kind| signal(kind).context("signals cannot be waited for");
        Ok(Self { interrupt: watch(SignalKind::interrupt())?, terminate: watch(SignalKind::terminate())? })
    }

    #[cfg(windows)]
    pub(super) fn new() -> Result<Self> {
        Ok(Self { ctrl_c: tokio::signal::windows::ctrl_c().context("signals cannot be waited for")? })
    }

    /// Returns when it was told.
    #[cfg(unix)]
    pub(super) async fn told(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(windows)]
    pub(super) async fn told(&mut self) {
        self.ctrl_c.recv().await;
    }
}
