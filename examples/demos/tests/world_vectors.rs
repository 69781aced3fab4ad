//! What the page's decoder is checked against: `checks/world-vectors.json` is what these tests write, and they fail where it is not.
//!
//! `RENEW=1 cargo test --manifest-path examples/demos/Cargo.toml --test world_vectors` writes it anew.

use serde_json::{Value, json};
use ws_demos::world::delta;
use ws_demos::world::drive::{Command, drive};
use ws_demos::world::message::{ClientMessage, Own, Pong};
use ws_demos::world::quantise::Rotation;
use ws_demos::world::scene::Scene;
use ws_demos::world::snapshot::{Body, Snapshot};

#[test]
fn the_vectors_are_those_that_are_committed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/checks/world-vectors.json");
    let written = serde_json::to_string(&json!({
        "deltas": deltas(),
        "refused": refused(),
        "messages": messages(),
        "drives": drives(),
    }));
    // A line for each vector, so that changes can be read.
    let written = written.expect("it is JSON").replace("},{", "},\n{").replace(":[{", ":[\n{") + "\n";
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(path, &written).expect("the file can be written");
    }
    assert!(std::fs::read_to_string(path).expect("it is committed") == written, "run this test with RENEW=1");
}

/// Chains of deltas, each with what it makes: of the scene with players, and of bodies that change in every way.
fn deltas() -> Vec<Value> {
    let mut random = Random(7);
    let mut truth: Vec<(u16, Body)> = Vec::new();
    let mut snapshots = vec![Snapshot::default()];
    for tick in 1..=40 {
        for _ in 0..6 {
            let id = u16::try_from(random.below(24) * random.below(24)).expect("small");
            let at = truth.iter().position(|(other, _)| *other == id);
            match (random.below(5), at) {
                (0, Some(at)) => drop(truth.remove(at)),
                (1, Some(at)) => truth[at].1.rotation = random.rotation(),
                (2, Some(at)) => {
                    let by = [0; 3].map(|_| i32::try_from(random.below(30)).expect("small") - 15);
                    let body = &mut truth[at].1;
                    body.rotation = body.rotation.after(by).unwrap_or(body.rotation);
                    body.position[2] = body.position[2].wrapping_add(random.i16());
                }
                (_, Some(at)) => truth[at].1.position = [random.i16(), truth[at].1.position[1], random.i16()],
                (_, None) => {
                    let position = [random.i16(), random.i16(), random.i16()];
                    let [kind, tint, _, _] = random.next().to_le_bytes();
                    truth.push((id, Body { kind, tint, position, rotation: random.rotation() }));
                }
            }
        }
        snapshots.push(Snapshot::new(tick, truth.clone()));
    }
    // Not always from the one before.
    let pairs =
        (1..snapshots.len()).map(|index| (&snapshots[index - index.min(1 + index % 4)], &snapshots[index]));
    let mut vectors: Vec<Value> = pairs.map(|(base, is)| vector(base, is)).collect();
    let mut scene = Scene::new();
    scene.join();
    // A physics library of another version moves things otherwise, and this is not about physics: the start is enough.
    vectors.push(vector(&Snapshot::default(), &scene.snapshot()));
    vectors
}

fn vector(base: &Snapshot, is: &Snapshot) -> Value {
    let message = delta::encode(base, is);
    assert_eq!(delta::apply(base, &message).as_ref(), Ok(is));
    json!({ "base": base.tick(), "tick": is.tick(), "message": hex(&message), "bodies": bodies(is) })
}

/// Each as id, kind, tint, x, y, z, and the rotation as on the wire.
fn bodies(snapshot: &Snapshot) -> Vec<Value> {
    let rows = snapshot.bodies().iter().map(|(id, body)| {
        let [x, y, z] = body.position;
        json!([id, body.kind, body.tint, x, y, z, body.rotation.bits()])
    });
    rows.collect()
}

/// Messages for the empty base that must not be taken.
fn refused() -> Vec<Value> {
    let one = Snapshot::new(2, vec![(3, Body::at_origin(1, 1))]);
    let good = delta::encode(&Snapshot::default(), &one);
    let cuts = (9..good.len()).map(|len| good[..len].to_vec());
    let longer = [good.clone(), vec![0]].concat();
    let unknown = [&good[..9], &[1, 3, 1, 2]].concat();
    let gone = [&good[..9], &[1, 3, 0x80]].concat();
    let mask = [&good[..9], &[1, 3, 0x60, 1, 1]].concat();
    let base = delta::encode(&one, &Snapshot::new(4, Vec::new()));
    cuts.chain([longer, unknown, gone, mask, base])
        .map(|message| {
            assert!(delta::apply(&Snapshot::default(), &message).is_err());
            json!({ "message": hex(&message) })
        })
        .collect()
}

/// Other messages, each with what is in it.
fn messages() -> Value {
    let commands = vec![Command { x: 127, z: -127, buttons: 3 }, Command { x: 0, z: -1, buttons: 0 }];
    let own = Own {
        tick: 4_000_000_000,
        last: 77,
        grounded: true,
        position: [512, -512, 32_767],
        velocity: [256, -1, -32_768],
    };
    let pong = Pong {
        number: 9,
        tick: 70_000,
        players: 300,
        late: 2,
        payload: 9_007_199_254_740_991,
        wire: 5_000_000_000,
    };
    json!({
        "commands": { "ack": 70_000, "last": 500, "commands": [[127, -127, 3], [0, -1, 0]],
            "message": hex(&ClientMessage::Commands { ack: 70_000, last: 500, commands }.encode()) },
        "ping": { "number": 8, "message": hex(&ClientMessage::Ping { number: 8 }.encode()) },
        "own": { "tick": own.tick, "last": own.last, "grounded": own.grounded, "position": [1.0, -1.0, 63.998_046_875],
            "velocity": [1.0, -0.003_906_25, -128.0], "message": hex(&own.encode()) },
        "pong": { "number": pong.number, "tick": pong.tick, "players": pong.players, "late": pong.late, "payload": pong.payload,
            "wire": pong.wire, "message": hex(&pong.encode()) },
    })
}

/// The rule of driving: what a command makes of a velocity, to a ten-thousandth.
fn drives() -> Vec<Value> {
    let mut random = Random(11);
    let mut velocity = [0.0; 3];
    let steps = (0..120).map(|step| {
        let [x, z, _, _] = if step % 7 == 0 { [0; 4] } else { random.next().to_le_bytes() };
        let command = Command { x: x.cast_signed(), z: z.cast_signed(), buttons: u8::try_from(step / 9 % 4).expect("small") };
        let grounded = step % 5 != 0;
        let was = velocity;
        velocity = drive(velocity, grounded, command);
        let rounded = |parts: [f32; 3]| parts.map(|part| (f64::from(part) * 1e6).round() / 1e6);
        json!({ "was": rounded(was), "grounded": grounded, "command": [command.x, command.z, command.buttons], "is": rounded(velocity) })
    });
    steps.collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        // The constants of Numerical Recipes, and the better half of the bits.
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 ^ self.0 >> 16).wrapping_mul(0x045d_9f3b)
    }

    fn below(&mut self, end: u32) -> u32 {
        (self.next() >> 8) % end
    }

    fn i16(&mut self) -> i16 {
        let [a, b, _, _] = self.next().to_le_bytes();
        i16::from_le_bytes([a, b])
    }

    fn rotation(&mut self) -> Rotation {
        let parts = [0.0; 4].map(|_: f32| f32::from(self.i16()) / 32_768.0);
        let length = parts.iter().map(|part| part * part).sum::<f32>().sqrt().max(0.1);
        Rotation::new(parts.map(|part| part / length))
    }
}
