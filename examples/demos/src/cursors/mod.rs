//! Pointers that everybody sees.
//!
//! Pages tell where they point, as often as they like; 60 times a second all are told of those who moved. Who reads too slowly gets the
//! newest positions, not all that were missed: they are coalesced by key.

pub mod field;
mod simulate;

use crate::serve::{Listen, serve_and};
use crate::site::{File, Site};
use anyhow::Result;
use clap::Parser;
use field::{Field, Look, Slot};
use serde::Serialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};
use ws_server::{Acceptance, BoxError, Group, GroupMessage, Incoming, Member, Message, Router, SlowConsumer};

/// How the program is started.
#[derive(Clone, Debug, Parser)]
#[command(about = "Pointers that everybody sees")]
pub struct Options {
    #[command(flatten)]
    listen: Listen,
    /// So many users that move by themselves, over connections of their own
    #[arg(long, value_name = "N", default_value_t = 0)]
    simulate: u32,
}

/// Runs the demo until it is told to end.
///
/// # Errors
/// The address cannot be had.
pub async fn run(options: Options) -> Result<()> {
    let board = Arc::new(Board::default());
    tokio::spawn(tell(Arc::clone(&board)));
    let router = Router::new().route("/ws", move |incoming| visit(incoming, Arc::clone(&board)))?;
    serve_and(options.listen, Site::new(&FILES), router, move |addr| {
        for number in 0..options.simulate {
            tokio::spawn(async move {
                if let Err(error) = simulate::wander(addr, number).await {
                    eprintln!("simulated user {number}: {error}");
                }
            });
        }
    })
    .await
}

/// The field, and those who see it.
struct Board {
    field: Mutex<Field>,
    /// Comings and goings are in the order of the field's own, because they are sent while this is held. Nobody is waited for meanwhile.
    door: tokio::sync::Mutex<()>,
    group: Group,
    moved: Notify,
}

impl Default for Board {
    fn default() -> Self {
        let group = Group::new(SlowConsumer::Coalesce);
        Self { field: Mutex::default(), door: <_>::default(), group, moved: Notify::new() }
    }
}

impl Board {
    fn field(&self) -> MutexGuard<'_, Field> {
        self.field.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What pages are told beside positions.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Told<'a> {
    Welcome { you: Slot, people: Vec<(Slot, Look)> },
    Here { slot: Slot, look: &'a Look },
    Looks { slot: Slot, look: &'a Look },
    Gone { slot: Slot },
    Full,
}

impl Told<'_> {
    fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// 60 times a second, while anybody moves.
async fn tell(board: Arc<Board>) {
    let mut ticks = interval(Duration::from_secs(1) / 60);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        board.moved.notified().await;
        ticks.tick().await;
        let moved = board.field().take_moved();
        for (block, bytes) in moved {
            board.group.send(GroupMessage::new(bytes).key(block.into())).await;
        }
    }
}

async fn visit(incoming: Incoming, board: Arc<Board>) -> Result<(), BoxError> {
    let (mut hears, says) = incoming.accept(Acceptance::default()).await?.split();
    let me = Member::new(says);
    // Who comes says first how it looks.
    let Some(Message::Text(look)) = hears.recv().await? else { return Ok(()) };
    let look = parse(look.as_str())?;

    let door = board.door.lock().await;
    let Some(slot) = board.field().enter(look.clone()) else {
        return Ok(me.send(Told::Full.json()).await?);
    };
    let membership = board.group.join(&me);
    let (people, positions) = {
        let field = board.field();
        (field.people(), field.all())
    };
    let welcome = Told::Welcome { you: slot, people }.json();
    board.group.send(GroupMessage::new(welcome).only(&me)).await;
    for (block, bytes) in positions {
        board.group.send(GroupMessage::new(bytes).only(&me).key(block.into())).await;
    }
    let here = Told::Here { slot, look: &look }.json();
    board.group.send(GroupMessage::new(here).except(&me)).await;
    drop(door);

    let ended = loop {
        match hears.recv().await {
            Ok(Some(Message::Text(text))) => {
                let Ok(look) = parse(text.as_str()) else { continue };
                let _door = board.door.lock().await;
                board.field().change(slot, look.clone());
                board.group.send(Told::Looks { slot, look: &look }.json()).await;
            }
            Ok(Some(message)) => {
                if board.field().point(slot, message.as_bytes()) {
                    board.moved.notify_one();
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.into()),
        }
    };

    drop(membership);
    let _door = board.door.lock().await;
    board.field().leave(slot);
    board.group.send(Told::Gone { slot }.json()).await;
    ended
}

fn parse(look: &str) -> serde_json::Result<Look> {
    let look: Look = serde_json::from_str(look)?;
    Ok(Look { name: look.name.trim().chars().take(24).collect(), colour: look.colour % 8, ..look })
}

const FILES: [File; 4] = [
    File::html("/", include_str!("../../pages/cursors/index.html")),
    File::style("/cursors.css", include_str!("../../pages/cursors/cursors.css")),
    File::script("/cursors.js", include_str!("../../pages/cursors/cursors.js")),
    File::script("/track.js", include_str!("../../pages/cursors/track.js")),
];
