//! A client that applies what it gets has what the server has, whatever was lost or late.

use super::*;
use crate::world::follower::Follower;
use crate::world::history::History;
use crate::world::viewer::Viewer;
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use ws_proto::Message;

fn rotation() -> impl Strategy<Value = Rotation> {
    prop_oneof![
        prop::array::uniform4(-1.0_f32..1.0).prop_map(Rotation::new),
        any::<u32>().prop_filter_map("a part is out of range", Rotation::from_bits),
    ]
}

fn body() -> impl Strategy<Value = Body> {
    (0_u8..4, 0_u8..4, prop::array::uniform3(any::<i16>()), rotation())
        .prop_map(|(kind, tint, position, rotation)| Body { kind, tint, position, rotation })
}

fn snapshot(tick: Tick) -> impl Strategy<Value = Snapshot> {
    let id = prop_oneof![0_u16..40, any::<u16>()];
    prop::collection::vec((id, body()), 0..60).prop_map(move |bodies| Snapshot::new(tick, bodies))
}

/// What happens to a body between two snapshots.
#[derive(Debug, Clone)]
enum Change {
    Put(BodyId, Body),
    Move(BodyId, [i16; 3]),
    Turn(BodyId, [i32; 3]),
    Remove(BodyId),
}

fn change() -> impl Strategy<Value = Change> {
    let id = || 0_u16..30;
    prop_oneof![
        (id(), body()).prop_map(|(id, body)| Change::Put(id, body)),
        (id(), prop::array::uniform3(-300_i16..300)).prop_map(|(id, by)| Change::Move(id, by)),
        (id(), prop::array::uniform3(-20_i32..20)).prop_map(|(id, by)| Change::Turn(id, by)),
        id().prop_map(Change::Remove),
    ]
}

/// What happens between the server and one client, in its order.
#[derive(Debug, Clone)]
enum Happening {
    /// A step, and the client is sent what it should be.
    Step(Vec<Change>),
    /// So many messages arrive.
    Arrive(usize),
    /// The client's acknowledgement sets out.
    Acknowledge,
    /// The oldest acknowledgement arrives, or none does that is on its way.
    Deliver { lost: bool },
    /// The client forgets everything.
    Forget,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => prop::collection::vec(change(), 0..8).prop_map(Happening::Step),
        5 => (1_usize..4).prop_map(Happening::Arrive),
        3 => Just(Happening::Acknowledge),
        3 => any::<bool>().prop_map(|lost| Happening::Deliver { lost }),
        1 => Just(Happening::Forget),
    ]
}

#[derive(Default)]
struct Server {
    tick: Tick,
    truth: BTreeMap<BodyId, Body>,
    history: History,
}

impl Server {
    fn step(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Put(id, body) => {
                    self.truth.insert(*id, *body);
                }
                Change::Move(id, by) => {
                    if let Some(body) = self.truth.get_mut(id) {
                        body.position
                            .iter_mut()
                            .zip(by)
                            .for_each(|(part, by)| *part = part.saturating_add(*by));
                    }
                }
                Change::Turn(id, by) => {
                    if let Some(body) = self.truth.get_mut(id) {
                        body.rotation = body.rotation.after(*by).unwrap_or(body.rotation);
                    }
                }
                Change::Remove(id) => {
                    self.truth.remove(id);
                }
            }
        }
        self.tick += 2;
        self.history
            .push(Snapshot::new(self.tick, self.truth.iter().map(|(id, body)| (*id, *body)).collect()));
    }
}

fn bytes(message: &Message) -> Vec<u8> {
    match message {
        Message::Binary(bytes) => bytes.to_vec(),
        Message::Text(_) => panic!("a snapshot is binary"),
    }
}

proptest! {
    #[test]
    fn a_delta_makes_the_snapshot_of_its_base(base in snapshot(3), is in snapshot(5)) {
        prop_assert_eq!(apply(&base, &encode(&base, &is)), Ok(is.clone()));
        let nothing = Snapshot::default();
        prop_assert_eq!(apply(&nothing, &encode(&nothing, &is)), Ok(is));
    }

    #[test]
    fn what_did_not_change_costs_nothing(was in snapshot(3)) {
        let is = Snapshot::new(4, was.bodies().to_vec());
        prop_assert_eq!(encode(&was, &is).len(), 10);
    }

    #[test]
    fn garbage_never_panics(base in snapshot(3), mut garbage in prop::collection::vec(any::<u8>(), 0..200), start in 0_usize..11) {
        let _ = apply(&base, &garbage);
        // Once more with a head that is right.
        let head = encode(&base, &Snapshot::new(4, Vec::new()));
        for (to, from) in garbage.iter_mut().zip(head).take(start) {
            *to = from;
        }
        let _ = apply(&base, &garbage);
        let _ = Follower::default().take(&garbage);
    }

    #[test]
    fn a_cut_message_is_an_error(base in snapshot(3), is in snapshot(5), cut in 1_usize..20) {
        let message = encode(&base, &is);
        prop_assert!(apply(&base, &message[..message.len().saturating_sub(cut)]).is_err());
    }

    /// The heart of it: acknowledgements are lost and late, snapshots are late and left out, the client forgets; whatever it takes
    /// is bit for bit what the server had at that step, and when the network is well it is in step within a second.
    #[test]
    fn a_client_has_the_truth_whatever_was_lost_or_late(happenings in prop::collection::vec(happening(), 0..200)) {
        let mut server = Server::default();
        let (mut viewer, mut follower) = (Viewer::default(), Follower::default());
        let (mut there, mut back) = (VecDeque::new(), VecDeque::new());
        let mut truths = BTreeMap::new();
        for happening in happenings {
            match happening {
                Happening::Step(changes) => {
                    server.step(&changes);
                    truths.insert(server.tick, server.history.newest().expect("one was pushed").as_ref().clone());
                    if let Some(encoded) = viewer.next(&mut server.history) {
                        there.push_back(bytes(encoded.message.message()));
                    }
                }
                Happening::Arrive(count) => {
                    for message in there.drain(..count.min(there.len())) {
                        if follower.take(&message).is_ok() {
                            let newest = follower.newest().expect("it took one");
                            prop_assert_eq!(newest, &truths[&newest.tick()]);
                        }
                    }
                }
                Happening::Acknowledge => back.push_back(follower.ack()),
                Happening::Deliver { lost } => {
                    if let Some(tick) = back.pop_front() && !lost {
                        viewer.acknowledge(tick);
                    }
                }
                Happening::Forget => follower = Follower::default(),
            }
            prop_assert!(there.len() < 400);
        }
        // Now everything arrives, a snapshot each second step; a second has 30.
        let steps = (0..30).take_while(|_| {
            for message in there.drain(..) {
                let _ = follower.take(&message);
            }
            for tick in back.drain(..) {
                viewer.acknowledge(tick);
            }
            server.step(&[]);
            there.extend(viewer.next(&mut server.history).map(|encoded| bytes(encoded.message.message())));
            let in_step = there.pop_front().is_some_and(|message| follower.take(&message).is_ok())
                && follower.newest() == server.history.newest().map(AsRef::as_ref);
            back.push_back(follower.ack());
            !in_step
        });
        prop_assert!(steps.count() < 30, "not in step within a second");
    }
}

fn at(x: i16) -> Body {
    Body { position: [x, 0, 0], ..Body::at_origin(1, 2) }
}

#[test]
fn bytes_are_as_drawn() {
    let base = Snapshot::new(4, vec![(0, at(1)), (7, at(5)), (8, at(9))]);
    let is = Snapshot::new(6, vec![(0, at(1)), (7, at(-60)), (300, Body::at_origin(3, 4))]);
    let head = [1, 6, 0, 0, 0, 4, 0, 0, 0, 3];
    let skips = [7, 0, 0xa3, 0x02]; // 291 ids between
    let masks = [1, GONE, NEW];
    let values = [0x81, 0x01, 3, 4]; // -65; kind 3, tint 4
    assert_eq!(encode(&base, &is), [head.as_slice(), &skips, &masks, &values].concat());
}

#[test]
fn entries_that_break_a_rule_are_refused() {
    let base = Snapshot::new(4, vec![(0, at(i16::MAX))]);
    let message = |entry: &[u8]| [&[1, 6, 0, 0, 0, 4, 0, 0, 0, 1], entry].concat();
    for (entry, error) in [
        (&[0, GONE | 1][..], Malformed::Range),
        (&[0, UNUSED], Malformed::Range),
        (&[0, TURNED | TURNED_OVER, 0, 0, 0], Malformed::Range),
        (&[0, 1, 2], Malformed::Range),
        (&[0, TURNED, 0x80, 0x08, 2, 0], Malformed::Range),
        (&[0, TURNED_OVER, 0xff, 0xff, 0xff, 0xff], Malformed::Range),
        (&[1, 1, 2], Malformed::UnknownBody(1)),
        (&[1, GONE], Malformed::UnknownBody(1)),
        (&[0xff, 0xff, 0x7f, GONE], Malformed::Range),
        (&[0, 1, 1, 0], Malformed::Trailing),
        (&[0, 1], Malformed::Short),
    ] {
        let refused = apply(&base, &message(entry));
        assert!(refused.is_err(), "{entry:?}");
        if error != Malformed::Range {
            assert_eq!(refused, Err(error), "{entry:?}");
        }
    }
    assert_eq!(apply(&Snapshot::default(), &message(&[0, 1, 1])), Err(Malformed::Base(4)));
}

#[test]
fn clients_with_the_same_base_share_one_message() {
    let mut history = History::default();
    for tick in 1..=3 {
        history.push(Snapshot::new(tick, vec![(0, at(i16::try_from(tick).expect("small")))]));
    }
    let messages: Vec<_> = (0..100).filter_map(|client| history.message(client % 3)).collect();
    assert_eq!((messages.len(), history.encodes()), (100, 3));
}

#[test]
fn a_client_that_acknowledges_nothing_is_not_sent_more_and_more() {
    let mut server = Server::default();
    let mut viewer = Viewer::default();
    let mut sent = 0;
    for _ in 0..300 {
        server.step(&[]);
        sent += usize::from(viewer.next(&mut server.history).is_some());
    }
    assert_eq!(sent, 20, "a full one every half second");
    let newest = server.tick;
    server.step(&[]);
    viewer.acknowledge(newest - 28);
    let sent = (0..300).filter(|_| {
        server.step(&[]);
        viewer.next(&mut server.history).is_some()
    });
    assert_eq!(sent.count(), Viewer::MOST_ON_THEIR_WAY);
}
