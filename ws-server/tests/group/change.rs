//! Groups under change: members join, leave, stall and die at random, for as many steps as one likes.

use crate::hall::{Guest, guest_with, settle, text};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::time::timeout;
use ws_server::proto::{Config, ConfigBuilder};
use ws_server::{Group, GroupMessage, Membership, QueueLimits, SlowConsumer};
use ws_testkit::{Rng, entropy};

const STEPS: usize = 10_000;
const GROUPS: usize = 3;
const MOST_PLAYERS: usize = 25;
const KEYS: usize = 4;
/// Beside waiting, which some do in one group.
const POLICIES: [SlowConsumer; 4] =
    [SlowConsumer::DropNewest, SlowConsumer::DropOldest, SlowConsumer::Coalesce, SlowConsumer::Disconnect];

/// Numbered over all groups, in the order in which they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sent {
    number: usize,
    key: u64,
}

/// One connection, and what it is to get.
struct Player {
    guest: Guest,
    reads: bool,
    seats: [Option<Membership<DuplexStream>>; GROUPS],
    policies: [SlowConsumer; GROUPS],
    due: [Vec<Sent>; GROUPS],
    got: [Vec<Sent>; GROUPS],
}

struct World {
    rng: Rng,
    groups: [Group<DuplexStream>; GROUPS],
    players: Vec<Player>,
    last: usize,
    seen: Seen,
}

/// That the run had what it is to show.
#[derive(Debug, Default)]
struct Seen {
    delivered: usize,
    dropped: u64,
    coalesced: u64,
    ended_for_being_slow: usize,
    given_up: usize,
    waited: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let groups = std::array::from_fn(|_| Group::default());
        Self { rng: Rng::new(seed), groups, players: Vec::new(), last: 0, seen: Seen::default() }
    }

    async fn step(&mut self) {
        let count = self.players.len();
        match self.rng.below(100) {
            0..6 if count < MOST_PLAYERS => self.enter(),
            0..6 => {}
            _ if count == 0 => {}
            6..18 => self.join_or_leave(),
            18..20 => self.die().await,
            20..30 => {
                let player = self.rng.below(count);
                self.players[player].reads ^= true;
            }
            _ => self.send().await,
        }
        if !self.players.is_empty() && self.rng.below(3) == 0 {
            let player = self.rng.below(self.players.len());
            let player = &mut self.players[player];
            if player.reads {
                player.read().await;
            }
        }
    }

    fn enter(&mut self) {
        let rng = &mut self.rng;
        let limits = QueueLimits { max_messages: 1 + rng.below(12), max_bytes: 10 + rng.below(400) };
        let guest = guest_with(8 + rng.below(120), limits, config);
        let mut policies = std::array::from_fn(|_| POLICIES[rng.below(POLICIES.len())]);
        if rng.below(6) == 0 {
            policies[0] = SlowConsumer::Wait;
        }
        let reads = rng.below(3) > 0;
        let (seats, due, got) = Default::default();
        self.players.push(Player { guest, reads, seats, policies, due, got });
    }

    fn join_or_leave(&mut self) {
        let index = self.rng.below(self.players.len());
        let group = self.rng.below(GROUPS);
        let player = &mut self.players[index];
        player.seats[group] = match player.seats[group].take() {
            Some(_leaves) => None,
            None => Some(self.groups[group].join_by(&player.guest.member, player.policies[group])),
        };
    }

    async fn send(&mut self) {
        let group = self.rng.below(GROUPS);
        let someone = self.rng.below(self.players.len());
        self.last += 1;
        let sent = Sent { number: self.last, key: self.rng.below(KEYS) as u64 };
        let filler = "x".repeat(self.rng.below(60));
        let message =
            GroupMessage::new(format!("{group} {} {} {filler}", sent.number, sent.key)).key(sent.key);
        let member = &self.players[someone].guest.member;
        let (message, is_for): (_, fn(usize, usize) -> bool) = match self.rng.below(4) {
            0 => (message.except(member), |player, someone| player != someone),
            1 => (message.only(member), |player, someone| player == someone),
            _ => (message, |_, _| true),
        };
        // Who waits for somebody that never reads gives up, and then it was for nobody.
        if timeout(Duration::from_millis(5), self.groups[group].send(message)).await.is_err() {
            self.seen.given_up += 1;
            return;
        }
        for (index, player) in self.players.iter_mut().enumerate() {
            if player.seats[group].is_some() && is_for(index, someone) {
                player.due[group].push(sent);
            }
        }
    }

    /// The client goes, or the handler ends, in the middle of whatever is under way.
    async fn die(&mut self) {
        let index = self.rng.below(self.players.len());
        let player = self.players.swap_remove(index);
        let closer = player.guest.closer();
        self.seen.add(player.check(false));
        if self.rng.below(2) == 0 {
            drop(player);
        } else {
            let Player { guest, seats, .. } = player;
            drop(guest.client);
            settle().await;
            drop((guest.handler, guest.member, seats));
        }
        // A closing handshake may take as long as its timeout where the peer does not read.
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(!closer.is_alive(), "the socket of one who died is still there");
    }

    /// All read again: what was due has come.
    async fn end(mut self) -> Seen {
        for mut player in std::mem::take(&mut self.players) {
            player.read().await;
            self.seen.add(player.check(true));
            let closer = player.guest.closer();
            drop(player);
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert!(!closer.is_alive());
        }
        for group in &self.groups {
            let stats = group.stats();
            assert_eq!(stats.members, 0);
            self.seen.waited += stats.waited;
        }
        self.seen
    }
}

impl Player {
    async fn read(&mut self) {
        while let Some(message) = self.guest.next_if_any().await {
            let text = text(&message);
            let mut words = text.split(' ').map(|word| word.parse::<usize>());
            let mut word = || words.next().expect("three words").expect("a number");
            let (group, number, key) = (word(), word(), word() as u64);
            self.got[group].push(Sent { number, key });
        }
    }

    /// What came is what was due; all of it, where the player has stayed, reads and was not too slow.
    fn check(&self, has_read: bool) -> Seen {
        let stats = self.guest.member.stats();
        let complete = has_read && !stats.gone;
        let mut seen = Seen { ended_for_being_slow: usize::from(stats.gone), ..Seen::default() };
        let (mut missing, mut coalesced) = (0, 0);
        for ((due, got), policy) in self.due.iter().zip(&self.got).zip(self.policies) {
            seen.delivered += got.len();
            let absent = due.len() - got.len();
            match policy {
                SlowConsumer::Coalesce => {
                    let newest = |sent: &[Sent]| -> BTreeMap<u64, usize> {
                        sent.iter().map(|sent| (sent.key, sent.number)).collect()
                    };
                    for key in 0..KEYS as u64 {
                        let of_key = |sent: &&Sent| sent.key == key;
                        assert!(is_part_in_order(got.iter().filter(of_key), due.iter().filter(of_key)));
                    }
                    assert!(!complete || newest(got) == newest(due), "the newest of each key comes");
                    coalesced += absent;
                }
                SlowConsumer::DropNewest | SlowConsumer::DropOldest => {
                    assert!(is_part_in_order(got.iter(), due.iter()), "{got:?} of {due:?}");
                    missing += absent;
                }
                _ if complete => assert_eq!(got, due, "{policy:?}"),
                _ => assert_eq!(got[..], due[..got.len()], "{policy:?}"),
            }
        }
        if complete {
            assert_eq!(
                (missing as u64, coalesced as u64),
                (stats.dropped, stats.coalesced),
                "all is counted"
            );
        }
        (seen.dropped, seen.coalesced) = (stats.dropped, stats.coalesced);
        seen
    }
}

/// Are these some of those, in their order?
fn is_part_in_order<'s>(
    some: impl Iterator<Item = &'s Sent>,
    mut of: impl Iterator<Item = &'s Sent>,
) -> bool {
    let mut some = some;
    some.all(|sent| of.any(|other| other == sent))
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.dropped += other.dropped;
        self.coalesced += other.coalesced;
        self.ended_for_being_slow += other.ended_for_being_slow;
    }
}

/// Without pings: how long a player does not read is no matter here.
fn config() -> Config {
    ConfigBuilder::new(entropy(1)).ping_interval(None).build().expect("a good one")
}

async fn run(seed: u64) -> Seen {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step().await;
    }
    let seen = world.end().await;
    assert_eq!(tasks(), before, "no task is left");
    seen
}

#[tokio::test(start_paused = true)]
async fn every_member_that_stays_gets_every_message_in_order_and_nobody_one_that_is_not_his() {
    for seed in [1, 2, 3] {
        let seen = run(seed).await;
        let all_happened = seen.delivered > 2000
            && seen.dropped > 50
            && seen.coalesced > 20
            && seen.ended_for_being_slow > 20
            && seen.given_up > 20
            && seen.waited > 20;
        assert!(all_happened, "seed {seed} shows little: {seen:?}");
    }
}
