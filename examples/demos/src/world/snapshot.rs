//! Where everything is after one step of the scene.

use super::quantise::Rotation;

/// A number that a body keeps for its life; later another body may have it.
pub type BodyId = u16;

/// The number of a step. 0 is before the first, where there was nothing.
pub type Tick = u32;

/// What a client knows of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body {
    /// Its shape: a row of the table of kinds that the client got when it came.
    pub kind: u8,
    /// Its colour, of those that the page has for this kind.
    pub tint: u8,
    /// The middle, in steps of [`quantise::position`](super::quantise::position).
    pub position: [i16; 3],
    /// How it is turned.
    pub rotation: Rotation,
}

impl Body {
    /// What a body that the base has not is compared with.
    #[must_use]
    pub const fn at_origin(kind: u8, tint: u8) -> Self {
        Self { kind, tint, position: [0; 3], rotation: Rotation::NONE }
    }
}

/// All bodies after one step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    tick: Tick,
    /// Invariant: ids ascend.
    bodies: Vec<(BodyId, Body)>,
}

impl Snapshot {
    /// Takes the bodies in any order; of two with the same id it keeps one.
    #[must_use]
    pub fn new(tick: Tick, mut bodies: Vec<(BodyId, Body)>) -> Self {
        bodies.sort_unstable_by_key(|(id, _)| *id);
        bodies.dedup_by_key(|(id, _)| *id);
        Self { tick, bodies }
    }

    /// The step after which it was taken.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// All bodies, by ascending id.
    #[must_use]
    pub fn bodies(&self) -> &[(BodyId, Body)] {
        &self.bodies
    }

    /// The body with this id.
    #[must_use]
    pub fn body(&self, id: BodyId) -> Option<&Body> {
        let index = self.bodies.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.bodies.get(index).map(|(_, body)| body)
    }
}
