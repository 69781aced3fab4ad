//! A 3-D world for many players.

use crate::serve::{Listen, serve};
use crate::site::{File, Site};
use anyhow::Result;
use clap::Parser;
use ws_server::{Acceptance, Router};

/// How the program is started.
#[derive(Clone, Debug, Parser)]
#[command(about = "A 3-D world for many players")]
pub struct Options {
    #[command(flatten)]
    listen: Listen,
}

/// Runs the demo until it is told to end.
///
/// # Errors
/// The address cannot be had.
pub async fn run(options: Options) -> Result<()> {
    let router = Router::new().route("/ws", async |incoming| {
        let mut socket = incoming.accept(Acceptance::default()).await?;
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        Ok(())
    })?;
    serve(options.listen, Site::new(&FILES), router).await
}

const FILES: [File; 1] = [File::html("/", include_str!("../../pages/world/index.html"))];
