//! Rooms in which people talk.
//!
//! A message has the author's number of it. The page sends it again until it was accepted, and the room accepts each number once; the page
//! says which message of the room it has seen, and gets what comes after. So a connection may break at any moment.

pub mod protocol;
pub mod room;

use crate::serve::{Listen, serve};
use crate::site::{File, Site};
use anyhow::Result;
use clap::Parser;
use protocol::{FromPage, Person, ToPage};
use room::{Room, Verdict};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::Mutex;
use ws_server::{Acceptance, BoxError, Group, GroupMessage, Incoming, Member, Membership, Router};

/// How the program is started.
#[derive(Clone, Debug, Parser)]
#[command(about = "Rooms in which people talk")]
pub struct Options {
    #[command(flatten)]
    listen: Listen,
}

/// Runs the demo until it is told to end.
///
/// # Errors
/// The address cannot be had.
pub async fn run(options: Options) -> Result<()> {
    let house = Arc::new(House { run: format!("{:x}", now()), rooms: Mutex::default() });
    let router = Router::new().route("/ws", move |incoming| visit(incoming, Arc::clone(&house)))?;
    serve(options.listen, Site::new(&FILES), router).await
}

/// All rooms.
struct House {
    /// Tells one run of the server from another.
    run: String,
    rooms: Mutex<BTreeMap<String, Arc<Place>>>,
}

/// A room, and those to whom it speaks.
#[derive(Default)]
struct Place {
    /// Held while what changes it is sent, so that all see it happen in the order of the numbers. Nobody is waited for meanwhile.
    room: Mutex<Room>,
    /// Who is too slow comes back, and gets what was missed.
    group: Group,
}

async fn visit(incoming: Incoming, house: Arc<House>) -> Result<(), BoxError> {
    let (mut hears, says) = incoming.accept(Acceptance::default()).await?.split();
    let mut visitor = Visitor { house, me: Member::new(says), visit: None, typing: false };
    let ended = loop {
        let heard = match hears.recv().await {
            Ok(Some(message)) => match serde_json::from_slice(message.as_bytes()) {
                Ok(said) => visitor.hear(said).await,
                Err(_) => visitor.refuse("that was not understood", None).await,
            },
            Ok(None) => break Ok(()),
            Err(error) => Err(error.into()),
        };
        if heard.is_err() {
            break heard;
        }
    };
    visitor.leave().await;
    ended
}

/// One connection.
struct Visitor {
    house: Arc<House>,
    me: Member,
    visit: Option<Visit>,
    typing: bool,
}

/// Where it is.
struct Visit {
    place: Arc<Place>,
    author: String,
    _membership: Membership,
}

impl Visitor {
    async fn hear(&mut self, said: FromPage) -> Result<(), BoxError> {
        match said {
            FromPage::Enter { token, name, room, run, seen } => {
                let (name, room) = (tidy(&name, 32), tidy(&room, 32).to_lowercase());
                if token.len() < 16 || name.is_empty() || room.is_empty() {
                    return self.refuse("a name and a room, please", None).await;
                }
                self.leave().await;
                let seen = if run == self.house.run { seen } else { 0 };
                self.enter(author(&token), &name, &room, seen).await
            }
            FromPage::Say { seq, text } => self.say(seq, text.trim()).await,
            FromPage::Typing { on } => {
                self.types(on).await;
                Ok(())
            }
        }
    }

    async fn enter(&mut self, author: String, name: &str, room: &str, seen: u64) -> Result<(), BoxError> {
        let Some(place) = self.house.place(room).await else {
            return self.refuse("there are too many rooms", None).await;
        };
        {
            let mut state = place.room.lock().await;
            let membership = place.group.join(&self.me);
            let entry = state.enter(&author, name, seen);
            let welcome = ToPage::Welcome {
                run: &self.house.run,
                room,
                you: &author,
                accepted: entry.accepted,
                people: entry.people,
                history: entry.history,
                gap: entry.gap,
            };
            place.group.send(GroupMessage::new(welcome.json()).only(&self.me)).await;
            if entry.is_new {
                let here = ToPage::Here(Person { author: author.clone(), name: name.to_owned() });
                place.group.send(GroupMessage::new(here.json()).except(&self.me)).await;
            }
            drop(state);
            self.visit = Some(Visit { place, author, _membership: membership });
        }
        Ok(())
    }

    async fn say(&mut self, seq: u64, text: &str) -> Result<(), BoxError> {
        if text.is_empty() || text.chars().count() > LONGEST_TEXT {
            return self.refuse("a message has 1 to 2000 characters", Some(seq)).await;
        }
        let Some(visit) = &self.visit else { return self.refuse("enter a room first", None).await };
        self.typing = false;
        let mut state = visit.place.room.lock().await;
        match state.say(&visit.author, seq, text.to_owned(), now()) {
            Verdict::New(said) => visit.place.group.send(ToPage::Said(&said).json()).await,
            Verdict::Again => self.me.send(ToPage::Accepted { seq }.json()).await?,
            Verdict::Stranger => {}
        }
        Ok(())
    }

    async fn types(&mut self, on: bool) {
        if let Some(visit) = &self.visit
            && std::mem::replace(&mut self.typing, on) != on
        {
            let typing = ToPage::Typing { author: &visit.author, on }.json();
            visit.place.group.send(GroupMessage::new(typing).except(&self.me)).await;
        }
    }

    async fn leave(&mut self) {
        self.typing = false;
        let Some(Visit { place, author, _membership: membership }) = self.visit.take() else { return };
        drop(membership);
        let mut state = place.room.lock().await;
        if state.leave(&author) {
            place.group.send(ToPage::Gone { author: &author }.json()).await;
        }
    }

    async fn refuse(&self, reason: &'static str, seq: Option<u64>) -> Result<(), BoxError> {
        Ok(self.me.send(ToPage::Refused { reason, seq }.json()).await?)
    }
}

impl House {
    /// The room of this name, which is made where there is none; `None` when there are too many.
    async fn place(&self, name: &str) -> Option<Arc<Place>> {
        let mut rooms = self.rooms.lock().await;
        if let Some(place) = rooms.get(name) {
            return Some(Arc::clone(place));
        }
        if rooms.len() >= MOST_ROOMS {
            return None;
        }
        Some(Arc::clone(rooms.entry(name.to_owned()).or_default()))
    }
}

/// Who speaks, for all to see: the same in every run of the server, so that a page knows what it has seen before a restart.
fn author(token: &str) -> String {
    let mut hasher = DefaultHasher::new();
    token.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Without spaces around it and control characters in it, and not too long.
fn tidy(text: &str, longest: usize) -> String {
    text.trim().chars().filter(|character| !character.is_control()).take(longest).collect()
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

const LONGEST_TEXT: usize = 2000;
const MOST_ROOMS: usize = 1000;

const FILES: [File; 4] = [
    File::html("/", include_str!("../../pages/chat/index.html")),
    File::style("/chat.css", include_str!("../../pages/chat/chat.css")),
    File::script("/chat.js", include_str!("../../pages/chat/chat.js")),
    File::script("/outbox.js", include_str!("../../pages/chat/outbox.js")),
];
