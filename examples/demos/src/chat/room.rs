//! What a room knows. Without sockets and clocks.

use super::protocol::{Person, Said};
use std::collections::{BTreeMap, VecDeque};

/// One room.
#[derive(Debug, Default)]
pub struct Room {
    /// The last messages; their numbers follow each other.
    history: VecDeque<Said>,
    last: u64,
    authors: BTreeMap<String, Author>,
    /// Counts comings and goings.
    changes: u64,
}

#[derive(Debug, Default)]
struct Author {
    name: String,
    /// The newest message that was accepted.
    accepted: u64,
    /// Connections, for a browser may have several tabs.
    here: usize,
    /// When that was last zero.
    left: u64,
}

/// What somebody who enters is told.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The newest of its own messages that was accepted.
    pub accepted: u64,
    /// Who is here.
    pub people: Vec<Person>,
    /// What was said since, or the last of it.
    pub history: Vec<Said>,
    /// Is something missing before `history`?
    pub gap: bool,
    /// Is that news for the others?
    pub is_new: bool,
}

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is said.
    New(Said),
    /// It was said before.
    Again,
    /// Its author is not here.
    Stranger,
}

impl Room {
    /// `author` comes, and has seen the messages up to `seen`.
    pub fn enter(&mut self, author: &str, name: &str, seen: u64) -> Entry {
        self.forget_some();
        let entry = self.authors.entry(author.to_owned()).or_default();
        let is_new = entry.here == 0 || entry.name != name;
        name.clone_into(&mut entry.name);
        entry.here += 1;
        let accepted = entry.accepted;
        // Numbers of another run may be larger than all of ours.
        let seen = if seen > self.last { 0 } else { seen };
        let oldest = self.history.front().map_or(self.last + 1, |said| said.id);
        let history = self.history.iter().filter(|said| said.id > seen).cloned().collect();
        Entry { accepted, people: self.people(), history, gap: seen > 0 && seen + 1 < oldest, is_new }
    }

    /// One of the author's connections goes. Was it the last?
    pub fn leave(&mut self, author: &str) -> bool {
        self.changes += 1;
        let Some(entry) = self.authors.get_mut(author) else { return false };
        entry.here = entry.here.saturating_sub(1);
        entry.left = self.changes;
        entry.here == 0
    }

    /// A message, which may have come before: its answer was lost, or came too late for a connection that is gone.
    pub fn say(&mut self, author: &str, seq: u64, text: String, at: u64) -> Verdict {
        let Some(entry) = self.authors.get_mut(author).filter(|entry| entry.here > 0) else {
            return Verdict::Stranger;
        };
        if seq <= entry.accepted {
            return Verdict::Again;
        }
        entry.accepted = seq;
        self.last += 1;
        let said = Said { id: self.last, author: author.to_owned(), name: entry.name.clone(), seq, text, at };
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(said.clone());
        Verdict::New(said)
    }

    /// Who is here.
    #[must_use]
    pub fn people(&self) -> Vec<Person> {
        let here = self.authors.iter().filter(|(_, author)| author.here > 0);
        here.map(|(author, entry)| Person { author: author.clone(), name: entry.name.clone() }).collect()
    }

    /// Of those who are not here so many are known that their messages are not said twice; of more, those who left first are forgotten.
    fn forget_some(&mut self) {
        if self.authors.len() < AUTHORS {
            return;
        }
        let absent = self.authors.iter().filter(|(_, author)| author.here == 0);
        if let Some((first, _)) = absent.min_by_key(|(_, author)| author.left) {
            let first = first.clone();
            self.authors.remove(&first);
        }
    }
}

/// Messages that a room remembers.
pub const HISTORY: usize = 200;
/// Authors that a room remembers beside those who are here.
const AUTHORS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(history: &[Said]) -> Vec<&str> {
        history.iter().map(|said| &*said.text).collect()
    }

    fn room() -> Room {
        let mut room = Room::default();
        room.enter("a", "Ada", 0);
        room.enter("b", "Bob", 0);
        room
    }

    fn say(room: &mut Room, author: &str, seq: u64, text: &str) -> Verdict {
        room.say(author, seq, text.to_owned(), 7)
    }

    #[test]
    fn what_is_said_again_after_a_reconnect_is_said_once() {
        let mut room = room();
        assert!(matches!(say(&mut room, "a", 1, "hello"), Verdict::New(Said { id: 1, .. })));
        // The connection breaks before the answer has come.
        room.leave("a");
        let entry = room.enter("a", "Ada", 0);
        assert_eq!(entry.accepted, 1);
        assert_eq!(say(&mut room, "a", 1, "hello"), Verdict::Again);
        assert!(matches!(say(&mut room, "a", 2, "again"), Verdict::New(Said { id: 2, .. })));
    }

    #[test]
    fn who_comes_back_gets_what_was_said_meanwhile_and_nothing_twice() {
        let mut room = room();
        say(&mut room, "b", 1, "one");
        room.leave("a");
        say(&mut room, "b", 2, "two");
        say(&mut room, "b", 3, "three");
        let entry = room.enter("a", "Ada", 1);
        assert_eq!(texts(&entry.history), ["two", "three"]);
        assert!(!entry.gap);
    }

    #[test]
    fn who_was_away_for_too_long_is_told_of_the_gap() {
        let mut room = room();
        for seq in 1..=HISTORY as u64 + 10 {
            say(&mut room, "b", seq, "more");
        }
        let entry = room.enter("a", "Ada", 5);
        assert_eq!((entry.history.len(), entry.gap), (HISTORY, true));
        assert!(!room.enter("a", "Ada", 10).gap, "the next one is the oldest that is remembered");
        assert!(!room.enter("c", "Cleo", 0).gap, "who is new misses nothing");
    }

    #[test]
    fn numbers_from_before_a_restart_are_no_numbers() {
        let mut room = room();
        say(&mut room, "b", 1, "one");
        let entry = room.enter("a", "Ada", 4711);
        assert_eq!((texts(&entry.history), entry.gap), (vec!["one"], false));
    }

    #[test]
    fn two_tabs_of_one_browser_are_one_person() {
        let mut room = room();
        assert!(!room.enter("a", "Ada", 0).is_new);
        assert_eq!(room.people().len(), 2);
        assert!(!room.leave("a"));
        assert!(room.leave("a"));
        assert_eq!(room.people(), [Person { author: "b".into(), name: "Bob".into() }]);
    }

    #[test]
    fn another_name_is_news() {
        let mut room = room();
        assert!(room.enter("a", "Ada L.", 0).is_new);
        assert_eq!(room.people()[0].name, "Ada L.");
    }

    #[test]
    fn who_is_not_here_says_nothing() {
        let mut room = room();
        room.leave("a");
        assert_eq!(say(&mut room, "a", 1, "hello?"), Verdict::Stranger);
    }

    #[test]
    fn authors_who_left_are_forgotten_in_the_end() {
        let mut room = Room::default();
        for number in 0..AUTHORS + 10 {
            let author = number.to_string();
            room.enter(&author, "somebody", 0);
            room.leave(&author);
        }
        assert_eq!(room.authors.len(), AUTHORS);
    }
}
