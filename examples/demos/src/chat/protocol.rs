//! What the page and the server say to each other, as JSON.

use serde::{Deserialize, Serialize};

/// What a page says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromPage {
    /// It enters a room: at first, with another name, and behind each reconnect.
    Enter {
        /// Known to this browser and the server alone; from it comes the author that all see.
        token: String,
        /// Of the author.
        name: String,
        /// Of the room.
        room: String,
        /// The run of the server that `seen` is of.
        #[serde(default)]
        run: String,
        /// The last message that it has of this room.
        #[serde(default)]
        seen: u64,
    },
    /// A message. Sent again until it was accepted, under the same number.
    Say {
        /// One more than that of the author's last message.
        seq: u64,
        /// The message.
        text: String,
    },
    /// Is something being written?
    Typing {
        /// Yes or no.
        on: bool,
    },
}

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToPage<'a> {
    /// The room is entered.
    Welcome {
        /// This run of the server: numbers of messages are of it.
        run: &'a str,
        /// The room.
        room: &'a str,
        /// Who you are.
        you: &'a str,
        /// The newest of your messages that was accepted.
        accepted: u64,
        /// Who is here.
        people: Vec<Person>,
        /// What was said since, or the last of it.
        history: Vec<Said>,
        /// Is something missing between what you have seen and this?
        gap: bool,
    },
    /// Somebody said something. To its author: it is accepted.
    Said(&'a Said),
    /// Your message was accepted before.
    Accepted {
        /// Its number.
        seq: u64,
    },
    /// Somebody is here, or has another name.
    Here(Person),
    /// Somebody is gone.
    Gone {
        /// Who.
        author: &'a str,
    },
    /// Somebody writes, or does not any more.
    Typing {
        /// Who.
        author: &'a str,
        /// Yes or no.
        on: bool,
    },
    /// Something was not done.
    Refused {
        /// Why.
        reason: &'static str,
        /// The message that it is about.
        seq: Option<u64>,
    },
}

impl ToPage<'_> {
    /// As it is sent.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Somebody who is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Tells authors apart.
    pub author: String,
    /// What they call themselves.
    pub name: String,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Counts the messages of the room.
    pub id: u64,
    /// Who said it.
    pub author: String,
    /// Under which name.
    pub name: String,
    /// The author's own number of it.
    pub seq: u64,
    /// The message.
    pub text: String,
    /// Milliseconds since 1970.
    pub at: u64,
}
