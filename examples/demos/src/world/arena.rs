//! The place: islands that never move, and what lies on them. The page draws exactly this.

use serde::{Deserialize, Serialize};
use std::f32::consts::{FRAC_PI_2, PI};

/// The shape of a body.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "shape", rename_all = "camelCase")]
pub enum Kind {
    /// A ball, by its radius in metres.
    Ball {
        /// Metres.
        radius: f32,
    },
    /// A box, by half of its edges in metres.
    Box {
        /// Metres along x, y, z.
        half: [f32; 3],
    },
}

/// The kind of all players. The other rows of [`KINDS`] are things.
pub const PLAYER: u8 = 0;
const CRATE: u8 = 1;
const LARGE_CRATE: u8 = 2;
const BALL: u8 = 3;
const GIANT: u8 = 4;
const DOMINO: u8 = 5;

/// Every shape that there is.
pub const KINDS: [Kind; 6] = [
    Kind::Ball { radius: 0.6 },
    Kind::Box { half: [0.5, 0.5, 0.5] },
    Kind::Box { half: [0.85, 0.85, 0.85] },
    Kind::Ball { radius: 0.45 },
    Kind::Ball { radius: 1.7 },
    Kind::Box { half: [0.16, 1.0, 0.6] },
];

/// How a static looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Tone {
    /// What one rolls on.
    Ground,
    /// What carries it.
    Rock,
    /// Ramps and platforms.
    Deck,
    /// Kerbs.
    Trim,
    /// Posts; what hits them bounces.
    Bumper,
}

/// A convex thing that never moves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Static {
    /// How it looks.
    pub tone: Tone,
    /// Its corners, in metres; y is up.
    pub points: Vec<[f32; 3]>,
}

/// A thing that moves, where it begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prop {
    /// A row of [`KINDS`].
    pub kind: u8,
    /// Its colour.
    pub tint: u8,
    /// Metres.
    pub position: [f32; 3],
    /// How it is turned about the vertical, in radians.
    pub yaw: f32,
}

/// Whatever is lower than this has fallen into the sea and comes back.
pub const SEA: f32 = -9.0;

/// How far a side of the main island is from its middle, in metres.
const ISLAND: f32 = 23.0;
/// The same for the platform in its middle, and how high that is.
const PLATFORM: f32 = 5.0;
const PLATFORM_HEIGHT: f32 = 1.4;
/// The middle of the islet, which a bridge leads to.
const ISLET_Z: f32 = -37.0;
const ISLET: f32 = 6.5;

/// Everything that never moves.
#[must_use]
pub fn statics() -> Vec<Static> {
    let mut statics = vec![
        prism(Tone::Ground, [0.0, 0.0], ISLAND, ISLAND, -0.6, 0.0),
        prism(Tone::Rock, [0.0, 0.0], ISLAND - 5.0, ISLAND - 0.7, -5.0, -0.6),
        prism(Tone::Ground, [0.0, ISLET_Z], ISLET, ISLET, -0.6, 0.0),
        prism(Tone::Rock, [0.0, ISLET_Z], ISLET - 3.0, ISLET - 0.7, -4.0, -0.6),
        prism(Tone::Deck, [0.0, 0.0], PLATFORM, PLATFORM, 0.0, PLATFORM_HEIGHT),
        // The bridge.
        block(Tone::Deck, [0.0, -0.25, (ISLET_Z + ISLET - ISLAND) / 2.0], [1.6, 0.25, (ISLET_Z + ISLET + ISLAND).abs() / 2.0 + 0.6], 0.0),
    ];
    for quarter in 0..4_u8 {
        let turn = f32::from(quarter) * FRAC_PI_2;
        // Up to the platform.
        statics.push(wedge(Tone::Deck, at(PLATFORM + 4.5, turn), 1.7, 4.6, PLATFORM_HEIGHT, turn));
        // Over the edge of nothing: one jumps from these.
        let diagonal = turn + PI / 4.0;
        statics.push(wedge(Tone::Deck, at(15.0, diagonal - 0.16), 1.8, 3.6, 1.15, diagonal + FRAC_PI_2));
        // Kerbs on the slanted sides; the straight ones are open.
        statics.push(block(Tone::Trim, [at(ISLAND - 0.3, diagonal)[0], 0.2, at(ISLAND - 0.3, diagonal)[1]], [8.6, 0.2, 0.3], diagonal));
        for side in [-0.24, 0.24] {
            statics.push(prism(Tone::Bumper, at(ISLAND - 4.6, turn + side), 0.75, 0.75, 0.0, 1.3));
        }
    }
    statics
}

/// Everything that moves, but for the players.
#[must_use]
pub fn props() -> Vec<Prop> {
    let mut props = Vec::new();
    // A pyramid on the platform.
    for (layer, count) in [(0_u8, 3_u8), (1, 2), (2, 1)] {
        for (row, column) in (0..count).flat_map(|row| (0..count).map(move |column| (row, column))) {
            let place = |index: u8| (f32::from(index) - f32::from(count - 1) / 2.0) * 1.04;
            let y = PLATFORM_HEIGHT + 0.5 + f32::from(layer) * 1.001;
            props.push(Prop { kind: CRATE, tint: layer, position: [place(column), y, place(row)], yaw: 0.0 });
        }
    }
    // Walls of large crates to break through, east and west.
    for side in [-1.0, 1.0] {
        for (layer, count) in [(0_u8, 3_u8), (1, 2)] {
            for column in 0..count {
                let z = (f32::from(column) - f32::from(count - 1) / 2.0) * 1.76;
                let y = 0.85 + f32::from(layer) * 1.701;
                props.push(Prop { kind: LARGE_CRATE, tint: (layer + column) % 3, position: [side * 17.2, y, z], yaw: 0.0 });
            }
        }
    }
    // Dominoes in an arc, south of the platform; each falls on the next.
    for index in 0..13_u8 {
        let angle = (f32::from(index) - 6.0) * 0.11;
        let [x, z] = at(11.2, angle);
        props.push(Prop { kind: DOMINO, tint: index % 3, position: [x, 1.0, z], yaw: angle });
    }
    // Small balls in a triangle, north, before the bridge.
    for row in 0..4_u8 {
        for column in 0..=row {
            let x = (f32::from(column) - f32::from(row) / 2.0) * 1.0;
            props.push(Prop { kind: BALL, tint: (row + column) % 3, position: [x, 0.45, -13.5 - f32::from(row) * 0.9], yaw: 0.0 });
        }
    }
    // Giants: one on the islet, two before the walls.
    for (tint, position) in (0_u8..).zip([[0.0, 1.7, ISLET_Z], [-13.0, 1.7, 0.0], [13.0, 1.7, 0.0]]) {
        props.push(Prop { kind: GIANT, tint, position, yaw: 0.0 });
    }
    props
}

/// Where a player begins, in metres: above one of twenty places near the slanted sides, where nothing else is.
#[must_use]
pub fn spawn(number: u8) -> [f32; 3] {
    let side = f32::from(number % 4) * FRAC_PI_2 + PI / 4.0;
    let [x, z] = at(20.0, side + (f32::from(number / 4 % 5) - 2.0) * 0.12);
    [x, 2.5, z]
}

/// A point on a circle: x and z.
fn at(radius: f32, angle: f32) -> [f32; 2] {
    [radius * angle.sin(), radius * angle.cos()]
}

/// An octagon with this distance of its sides from the middle, below and above.
fn prism(tone: Tone, [x, z]: [f32; 2], below: f32, above: f32, bottom: f32, top: f32) -> Static {
    let corners = |distance: f32, y: f32| {
        (0..8_u8).map(move |corner| {
            let [dx, dz] = at(distance / (PI / 8.0).cos(), (f32::from(corner) + 0.5) * PI / 4.0);
            [x + dx, y, z + dz]
        })
    };
    Static { tone, points: corners(below, bottom).chain(corners(above, top)).collect() }
}

/// A box, by its middle, half of its edges and its turn about the vertical.
fn block(tone: Tone, [x, y, z]: [f32; 3], half: [f32; 3], yaw: f32) -> Static {
    let signs = (0..8_u8).map(|bits| [0, 1, 2].map(|bit| if bits & 1 << bit == 0 { -1.0 } else { 1.0 }));
    let points = signs.map(|[sx, sy, sz]: [f32; 3]| {
        let [dx, dz] = turned([sx * half[0], sz * half[2]], yaw);
        [x + dx, y + sy * half[1], z + dz]
    });
    Static { tone, points: points.collect() }
}

/// A ramp: its foot is in the middle of its front, and it rises away from `facing`.
fn wedge(tone: Tone, foot: [f32; 2], half_width: f32, run: f32, rise: f32, facing: f32) -> Static {
    let corner = |side: f32, y: f32, back: f32| {
        let [dx, dz] = turned([side * half_width, -back], facing);
        [foot[0] + dx, y, foot[1] + dz]
    };
    let points = [-1.0, 1.0].map(|side| [corner(side, 0.0, 0.0), corner(side, 0.0, run), corner(side, rise, run)]);
    Static { tone, points: points.concat() }
}

/// A vector x, z turned about the vertical so that 0, 1 becomes the direction of [`at`].
fn turned([x, z]: [f32; 2], yaw: f32) -> [f32; 2] {
    [x * yaw.cos() + z * yaw.sin(), z * yaw.cos() - x * yaw.sin()]
}
