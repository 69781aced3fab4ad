//! A hundred players in the real scene, over networks with a delay; time is counted in steps.

use super::*;
use crate::world::drive::{Command, STEPS_A_SECOND};
use crate::world::follower::Follower;
use crate::world::scene::Scene;
use crate::world::snapshot::Snapshot;
use std::collections::BTreeMap;

/// One client and its network: what is sent arrives after so many steps, each way.
struct Client {
    delay: u32,
    viewer: Viewer,
    follower: Follower,
    there: VecDeque<(Tick, Vec<u8>)>,
    back: VecDeque<(Tick, Tick)>,
    bytes: usize,
    full: usize,
}

impl Client {
    fn new(delay: u32) -> Self {
        let (there, back) = Default::default();
        Self {
            delay,
            viewer: Viewer::default(),
            follower: Follower::default(),
            there,
            back,
            bytes: 0,
            full: 0,
        }
    }

    fn step(&mut self, history: &mut History, now: Tick, truths: &BTreeMap<Tick, Snapshot>) {
        while let Some((_, tick)) = self.back.pop_front_if(|(due, _)| *due <= now) {
            self.viewer.acknowledge(tick);
        }
        if let Some(encoded) = self.viewer.next(history) {
            self.bytes += encoded.len;
            self.full += usize::from(encoded.base == 0);
            self.there.push_back((now + self.delay, encoded.message.message().as_bytes().to_vec()));
        }
        while let Some((_, message)) = self.there.pop_front_if(|(due, _)| *due <= now) {
            if self.follower.take(&message).is_ok() {
                let newest = self.follower.newest().expect("it took one");
                assert_eq!(Some(newest), truths.get(&newest.tick()), "bit for bit");
            }
        }
        if now.is_multiple_of(2) {
            self.back.push_back((now + self.delay, self.follower.ack()));
        }
    }

    /// How many steps old its newest snapshot is.
    fn age(&self, now: Tick) -> Tick {
        now - self.follower.newest().map_or(0, Snapshot::tick)
    }
}

struct Game {
    scene: Scene,
    history: History,
    truths: BTreeMap<Tick, Snapshot>,
    players: Vec<u16>,
}

impl Game {
    fn new() -> Self {
        let mut scene = Scene::new();
        let players = (0..100).filter_map(|_| scene.join()).collect();
        Self { scene, history: History::default(), truths: BTreeMap::new(), players }
    }

    fn step(&mut self, clients: &mut [Client]) {
        let now = self.scene.tick() + 1;
        for id in &self.players {
            let turn = (u32::from(*id) * 37 + now / 50 * 61).to_le_bytes()[0];
            let command =
                Command { x: turn.cast_signed(), z: turn.wrapping_mul(3).cast_signed(), buttons: 0 };
            self.scene.command(*id, command, now);
        }
        self.scene.step();
        if now.is_multiple_of(2) {
            let snapshot = self.scene.snapshot();
            self.truths.insert(now, snapshot.clone());
            self.history.push(snapshot);
        }
        for client in clients {
            client.step(&mut self.history, now, &self.truths);
        }
    }
}

#[test]
fn who_comes_late_or_loses_its_place_is_in_step_within_a_second_among_a_hundred_players() {
    let mut game = Game::new();
    // Networks with round trips of 0, 67, 200 and 400 ms.
    let mut clients: Vec<Client> = Vec::new();
    (0..2 * STEPS_A_SECOND).for_each(|_| game.step(&mut clients));
    clients.extend([0, 2, 6, 12].map(Client::new));
    (0..STEPS_A_SECOND).for_each(|_| game.step(&mut clients));
    let now = game.scene.tick();
    for client in &clients {
        assert!(
            client.age(now) <= client.delay + 2,
            "came late: {} steps behind with {}",
            client.age(now),
            client.delay
        );
    }
    // They lose their place: all that they know, as a page that was loaded anew within its connection would.
    clients.iter_mut().for_each(|client| client.follower = Follower::default());
    (0..STEPS_A_SECOND).for_each(|_| game.step(&mut clients));
    let now = game.scene.tick();
    for client in &clients {
        assert!(
            client.age(now) <= client.delay + 2,
            "lost: {} steps behind with {}",
            client.age(now),
            client.delay
        );
        assert!(client.full <= 4, "{} full snapshots with {}", client.full, client.delay);
    }
}

#[test]
fn a_tab_that_was_hidden_for_long_gets_one_full_snapshot_and_goes_on() {
    let mut game = Game::new();
    let mut clients = [Client::new(1)];
    (0..STEPS_A_SECOND).for_each(|_| game.step(&mut clients));
    let full = clients[0].full;
    // Hidden: it takes what comes, and acknowledges nothing.
    for _ in 0..6 * STEPS_A_SECOND {
        game.step(&mut clients);
        clients[0].back.clear();
    }
    let during = clients[0].bytes;
    game.step(&mut clients);
    clients[0].back.clear();
    assert_eq!(clients[0].bytes, during, "nothing is sent to a tab that does not look");
    (0..STEPS_A_SECOND).for_each(|_| game.step(&mut clients));
    assert!(clients[0].age(game.scene.tick()) <= 3);
    assert!(clients[0].full <= full + 1 + Viewer::MOST_ON_THEIR_WAY, "{}", clients[0].full);
}

#[test]
fn deltas_are_smaller_than_full_snapshots_even_when_a_hundred_roll_all_the_time() {
    let mut game = Game::new();
    let mut clients = [Client::new(3)];
    (0..STEPS_A_SECOND).for_each(|_| game.step(&mut clients));
    let before = clients[0].bytes;
    let full: usize = (0..2 * STEPS_A_SECOND)
        .map(|_| {
            game.step(&mut clients);
            let newest = game.history.message(0).expect("there is one");
            if game.scene.tick().is_multiple_of(2) { newest.len } else { 0 }
        })
        .sum();
    let deltas = clients[0].bytes - before;
    assert!(deltas * 5 < full * 3, "{deltas} of {full}");
}
