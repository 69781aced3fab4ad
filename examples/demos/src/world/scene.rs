//! The physics: what moves, and what players do to it.

use super::arena::{self, Form, Kind, Prop, Tone};
use super::drive::{Command, STEP, drive};
use super::message::Own;
use super::quantise::{self, Rotation};
use super::snapshot::{Body, BodyId, Snapshot, Tick};
use rapier3d::prelude::{
    CoefficientCombineRule, Collider, ColliderBuilder, ColliderHandle, PhysicsWorld, Pose, RigidBodyBuilder,
    RigidBodyHandle, Rotation as Quaternion, Vector,
};
use std::collections::BTreeMap;
use std::f32::consts::PI;

/// The whole world, and its time.
pub struct Scene {
    physics: PhysicsWorld,
    tick: Tick,
    bodies: BTreeMap<BodyId, Thing>,
    /// Players since the start, for their places.
    arrivals: u8,
}

struct Thing {
    kind: u8,
    tint: u8,
    body: RigidBodyHandle,
    collider: ColliderHandle,
    /// The last command, of a player.
    last: u32,
    home: Pose,
}

impl Scene {
    /// The most players at once.
    pub const MOST_PLAYERS: usize = 250;

    /// How many colours players have.
    pub const TINTS: u8 = 12;

    /// Everything in its place, and nobody there.
    #[must_use]
    pub fn new() -> Self {
        let mut physics = PhysicsWorld { gravity: Vector::new(0.0, GRAVITY, 0.0), ..PhysicsWorld::default() };
        physics.integration_parameters.dt = STEP;
        for fixed in arena::statics() {
            let restitution = if fixed.tone == Tone::Bumper { 1.1 } else { 0.0 };
            for shape in solids(&fixed.form) {
                let shape = shape.friction(0.8).restitution(restitution);
                physics.insert_collider(shape.restitution_combine_rule(CoefficientCombineRule::Max), None);
            }
        }
        let mut scene = Self { physics, tick: 0, bodies: BTreeMap::new(), arrivals: 0 };
        for (id, prop) in (0..).zip(arena::props()) {
            scene.put(id, prop);
        }
        scene
    }

    /// A new player. `None` where there are too many.
    pub fn join(&mut self) -> Option<BodyId> {
        let players = self.players();
        if players >= Self::MOST_PLAYERS {
            return None;
        }
        let first = BodyId::try_from(self.bodies.len() - players).ok()?;
        let id = (first..).find(|id| !self.bodies.contains_key(id))?;
        let tint = u8::try_from((id - first) % u16::from(Self::TINTS)).ok()?;
        let position = arena::spawn(self.arrivals);
        self.arrivals = self.arrivals.wrapping_add(1);
        self.put(id, Prop { kind: arena::PLAYER, tint, position, yaw: 0.0 });
        Some(id)
    }

    /// A player is gone. The last one's going puts everything back where it was.
    pub fn leave(&mut self, id: BodyId) {
        if self.bodies.get(&id).is_none_or(|thing| thing.kind != arena::PLAYER) {
            return;
        }
        if let Some(thing) = self.bodies.remove(&id) {
            self.physics.remove_body(thing.body);
        }
        if self.players() == 0 {
            for thing in self.bodies.values() {
                send_home(&mut self.physics, thing);
            }
        }
    }

    /// What a player does in the next step, and the number of its command.
    pub fn command(&mut self, id: BodyId, command: Command, last: u32) {
        let Some(thing) = self.bodies.get_mut(&id) else { return };
        thing.last = last;
        let grounded = stands(&self.physics, thing.collider);
        let Some(body) = self.physics.bodies.get_mut(thing.body) else { return };
        let was = body.linvel().to_array();
        let now = drive(was, grounded, command);
        // Who wants nothing and lies still may sleep.
        if command.is_idle() && (body.is_sleeping() || was == now) {
            return;
        }
        body.set_linvel(Vector::from_array(now), true);
        if grounded && let Some(Kind::Ball { radius }) = arena::KINDS.get(usize::from(thing.kind)) {
            // It rolls as fast as it moves. Friction has nothing to add then, and the page foresees the same.
            body.set_angvel(Vector::new(now[2] / radius, 0.0, -now[0] / radius), true);
        }
    }

    /// One step of time.
    pub fn step(&mut self) {
        self.physics.step();
        self.tick = self.tick.wrapping_add(1);
        for thing in self.bodies.values() {
            let lost = self.physics.bodies.get(thing.body).is_some_and(|body| {
                let position = body.translation();
                !position.is_finite() || position.y < arena::SEA || position.abs().max_element() > FARTHEST
            });
            if lost {
                send_home(&mut self.physics, thing);
            }
        }
    }

    /// The number of the last step.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// How many players there are.
    #[must_use]
    pub fn players(&self) -> usize {
        self.bodies.values().rev().take_while(|thing| thing.kind == arena::PLAYER).count()
    }

    /// Where everything is.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let bodies = self.bodies.iter().filter_map(|(id, thing)| {
            let body = self.physics.bodies.get(thing.body)?;
            let body = Body {
                kind: thing.kind,
                tint: thing.tint,
                position: quantise::position(body.translation().to_array()),
                // Players roll as far as they move: the page turns them, and nothing is sent for it.
                rotation: match thing.kind {
                    arena::PLAYER => Rotation::NONE,
                    _ => Rotation::new(body.rotation().to_array()),
                },
            };
            Some((*id, body))
        });
        Snapshot::new(self.tick, bodies.collect())
    }

    /// From what a player foresees its own way.
    #[must_use]
    pub fn own(&self, id: BodyId) -> Option<Own> {
        let thing = self.bodies.get(&id)?;
        let body = self.physics.bodies.get(thing.body)?;
        Some(Own {
            tick: self.tick,
            last: thing.last,
            grounded: stands(&self.physics, thing.collider),
            position: quantise::position(body.translation().to_array()),
            velocity: quantise::velocity(body.linvel().to_array()),
        })
    }

    fn put(&mut self, id: BodyId, prop: Prop) {
        let pose = Pose::from_parts(Vector::from_array(prop.position), Quaternion::from_rotation_y(prop.yaw));
        let body = RigidBodyBuilder::dynamic().pose(pose).linear_damping(0.05).angular_damping(0.3);
        let Some(collider) = collider(prop.kind) else { return };
        let (body, collider) = self.physics.insert(body, collider);
        // A player comes back where it began; so does everything else.
        self.bodies
            .insert(id, Thing { kind: prop.kind, tint: prop.tint, body, collider, last: 0, home: pose });
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scene")
            .field("tick", &self.tick)
            .field("bodies", &self.bodies.len())
            .finish_non_exhaustive()
    }
}

/// What can be touched of a static.
fn solids(form: &Form) -> Vec<ColliderBuilder> {
    match *form {
        // Four boxes, from each side to the one across, fill it. Things lie still on boxes, and do not on the hull of a large octagon.
        Form::Octagon { top: [x, y, z], above, below, height } if above == below => {
            let half_side = above * (PI / 8.0).tan();
            let boxes = (0..4_u8).map(|side| {
                let turn = Quaternion::from_rotation_y(f32::from(side) * PI / 4.0);
                let pose = Pose::from_parts(Vector::new(x, y - height / 2.0, z), turn);
                ColliderBuilder::cuboid(above, height / 2.0, half_side).position(pose)
            });
            boxes.collect()
        }
        Form::Octagon { .. } => Vec::new(),
        Form::Box { middle, half: [x, y, z], pitch, yaw } => {
            let turn = Quaternion::from_rotation_y(yaw) * Quaternion::from_rotation_x(-pitch);
            vec![
                ColliderBuilder::cuboid(x, y, z).position(Pose::from_parts(Vector::from_array(middle), turn)),
            ]
        }
    }
}

fn collider(kind: u8) -> Option<Collider> {
    // Boxes do not bounce: stacks of them would never come to rest.
    let (shape, density, restitution) = match *arena::KINDS.get(usize::from(kind))? {
        Kind::Ball { radius } if kind == arena::PLAYER => (ColliderBuilder::ball(radius), 2.0, 0.4),
        Kind::Ball { radius } => (ColliderBuilder::ball(radius), 0.25 / radius, 0.5),
        Kind::Box { half: [x, y, z] } => (ColliderBuilder::cuboid(x, y, z), 0.3, 0.0),
    };
    let shape = shape.restitution(restitution).restitution_combine_rule(CoefficientCombineRule::Max);
    Some(shape.density(density).friction(0.6).build())
}

/// Does something carry it, so that it can be driven and jump?
fn stands(physics: &PhysicsWorld, collider: ColliderHandle) -> bool {
    physics.contact_pairs_with(collider).any(|pair| {
        pair.solver_manifolds().iter().any(|manifold| {
            // The normal points from the first collider to the second.
            let up =
                if pair.collider1 == collider { -manifold.data.normal.y } else { manifold.data.normal.y };
            up > STEEPEST && !manifold.data.solver_contacts.is_empty()
        })
    })
}

fn send_home(physics: &mut PhysicsWorld, thing: &Thing) {
    if let Some(body) = physics.bodies.get_mut(thing.body) {
        body.set_position(thing.home, true);
        body.set_linvel(Vector::ZERO, true);
        body.set_angvel(Vector::ZERO, true);
    }
}

/// Metres a second, each second: more than on Earth, for small things look heavy then.
const GRAVITY: f32 = -18.0;

/// The sine of how much ground may rise.
const STEEPEST: f32 = 0.5;

/// Positions on the wire reach 64 m.
const FARTHEST: f32 = 62.0;

#[cfg(test)]
mod tests;
