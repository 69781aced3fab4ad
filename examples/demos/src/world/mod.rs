//! A 3-D world for many players: the server steps the physics and owns the truth, pages send commands, foresee their own ball and draw the rest
//! a moment late. What is sent is drawn in [`message`] and [`delta`].
//!
//! | | |
//! |---|---|
//! | [`arena`], [`drive`], [`scene`] | what there is, what a command does, and the physics |
//! | [`quantise`], [`snapshot`], [`delta`], [`message`], [`wire`] | what is sent |
//! | [`history`], [`viewer`] | the server's half of the protocol, for all and for one client |
//! | [`follower`] | the client's half |
//! | [`metronome`], [`simulation`], [`connection`] | the thread that steps, and the connections |
//! | [`bots`] | simulated players |

pub mod arena;
pub mod bots;
pub mod connection;
pub mod delta;
pub mod drive;
pub mod follower;
pub mod history;
pub mod message;
pub mod metronome;
pub mod quantise;
pub mod scene;
pub mod simulation;
pub mod snapshot;
pub mod viewer;
pub mod wire;

use crate::serve::{Listen, start};
use crate::site::{File, Site};
use anyhow::Result;
use clap::Parser;
use simulation::Simulation;
use std::time::Duration;
use ws_server::{Config, Router, Server};

/// How the program is started.
#[derive(Clone, Debug, Parser)]
#[command(about = "A 3-D world for many players")]
pub struct Options {
    #[command(flatten)]
    listen: Listen,
    /// Simulated players, over connections of their own
    #[arg(long, value_name = "N", default_value_t = 0)]
    bots: u32,
    /// Measures the bots' game for so long, prints what it took, and ends
    #[arg(long, value_name = "SECONDS", requires = "bots")]
    measure: Option<u64>,
}

/// Runs the demo until it is told to end.
///
/// # Errors
/// The address cannot be had, or the measured bots could not play.
pub async fn run(options: Options) -> Result<()> {
    let world = Simulation::start(options.measure.is_some())?;
    let router = router(&world)?;
    let config = config()?;
    let settings = Server::builder().config(config);
    let served = start(settings, options.listen, Site::new(&FILES), router).await?;
    let report = (options.bots > 0)
        .then(|| bots::start(options.bots, &format!("ws://{}/ws", served.local_addr), &world));
    match (report, options.measure) {
        (Some(report), Some(seconds)) => {
            let printed = report.print(Duration::from_secs(seconds)).await;
            served.stop().await;
            printed
        }
        _ => {
            served.until_stopped().await;
            Ok(())
        }
    }
}

/// The world's WebSocket, at `/ws`.
///
/// # Errors
/// None: the path is valid.
pub fn router(world: &Simulation) -> Result<Router> {
    let world = world.clone();
    Ok(Router::new().route("/ws", move |incoming| connection::run(incoming, world.clone()))?)
}

/// Settings for its connections: messages of clients are small. Of a client that does not read, the kernel keeps what it was sent last, and
/// here waits no more than 64 KiB.
///
/// # Errors
/// None: they make sense together.
pub fn config() -> Result<Config> {
    Ok(Config::builder()
        .max_message_bytes(message::MAX_CLIENT_MESSAGE)
        .max_send_queue_bytes(64 << 10)
        .build()?)
}

const FILES: [File; 12] = [
    File::html("/", include_str!("../../pages/world/index.html")),
    File::style("/world.css", include_str!("../../pages/world/world.css")),
    File::script("/main.js", include_str!("../../pages/world/main.js")),
    File::script("/protocol.js", include_str!("../../pages/world/protocol.js")),
    File::script("/follower.js", include_str!("../../pages/world/follower.js")),
    File::script("/predict.js", include_str!("../../pages/world/predict.js")),
    File::script("/playback.js", include_str!("../../pages/world/playback.js")),
    File::script("/controls.js", include_str!("../../pages/world/controls.js")),
    File::script("/palette.js", include_str!("../../pages/world/palette.js")),
    File::script("/stage.js", include_str!("../../pages/world/stage.js")),
    File::script("/panel.js", include_str!("../../pages/world/panel.js")),
    File::script("/vendor/three.js", include_str!("../../pages/world/vendor/three.js")),
];
