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

/// A thing that never moves. All lengths are metres; y is up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Static {
    /// How it looks.
    pub tone: Tone,
    /// What it is.
    #[serde(flatten)]
    pub form: Form,
}

/// The form of a static.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "camelCase")]
pub enum Form {
    /// A regular octagon that stands upright, two of its sides across the x axis.
    Octagon {
        /// The middle of its top.
        top: [f32; 3],
        /// From the middle to a side, above.
        above: f32,
        /// The same below. Only one with the same width everywhere can be touched.
        below: f32,
        /// From bottom to top.
        height: f32,
    },
    /// A box.
    Box {
        /// Its middle.
        middle: [f32; 3],
        /// Half of its edges.
        half: [f32; 3],
        /// Its rise along its own z axis, in radians.
        pitch: f32,
        /// Its turn about the vertical after that, in radians.
        yaw: f32,
    },
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
    let bridge = (ISLAND + ISLET_Z.abs() - ISLET) / 2.0;
    let mut statics = vec![
        octagon(Tone::Ground, [0.0, 0.0, 0.0], ISLAND, ISLAND, 0.6),
        octagon(Tone::Rock, [0.0, -0.6, 0.0], ISLAND - 0.8, ISLAND - 6.0, 4.4),
        octagon(Tone::Ground, [0.0, 0.0, ISLET_Z], ISLET, ISLET, 0.6),
        octagon(Tone::Rock, [0.0, -0.6, ISLET_Z], ISLET - 0.6, ISLET - 3.0, 3.4),
        octagon(Tone::Deck, [0.0, PLATFORM_HEIGHT, 0.0], PLATFORM, PLATFORM, PLATFORM_HEIGHT),
        slab(Tone::Deck, [0.0, -0.2, -bridge], [1.6, 0.2, bridge - ISLAND + 0.5], 0.0),
    ];
    for quarter in 0..4_u8 {
        let straight = f32::from(quarter) * FRAC_PI_2;
        let slanted = straight + PI / 4.0;
        // Up to the platform, from four sides.
        statics.push(ramp(at(PLATFORM + 4.4, straight), straight + PI, 1.7, 4.6, PLATFORM_HEIGHT));
        // Nowhere to: one jumps from these.
        statics.push(ramp(at(15.0, slanted - 0.16), slanted + FRAC_PI_2, 1.8, 3.6, 1.15));
        // Kerbs on the slanted sides; the straight ones are open.
        let [x, z] = at(ISLAND - 0.3, slanted);
        statics.push(slab(Tone::Trim, [x, 0.2, z], [8.4, 0.2, 0.3], slanted));
        for aside in [-0.24, 0.24] {
            let [x, z] = at(ISLAND - 4.6, straight + aside);
            statics.push(octagon(Tone::Bumper, [x, 1.3, z], 0.75, 0.75, 1.3));
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
                props.push(Prop {
                    kind: LARGE_CRATE,
                    tint: (layer + column) % 3,
                    position: [side * 17.2, y, z],
                    yaw: 0.0,
                });
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
            props.push(Prop {
                kind: BALL,
                tint: (row + column) % 3,
                position: [x, 0.45, -13.5 - f32::from(row) * 0.9],
                yaw: 0.0,
            });
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

fn octagon(tone: Tone, top: [f32; 3], above: f32, below: f32, height: f32) -> Static {
    Static { tone, form: Form::Octagon { top, above, below, height } }
}

/// A box that lies flat.
fn slab(tone: Tone, middle: [f32; 3], half: [f32; 3], yaw: f32) -> Static {
    Static { tone, form: Form::Box { middle, half, pitch: 0.0, yaw } }
}

/// A plank that begins at its foot on the ground and rises in a direction, that of [`at`].
fn ramp(foot: [f32; 2], direction: f32, half_width: f32, run: f32, rise: f32) -> Static {
    let pitch = rise.atan2(run);
    // The middle of its upper face, and from there down into the plank.
    let [along, up] = [run / 2.0 + pitch.sin() * PLANK, rise / 2.0 - pitch.cos() * PLANK];
    let [dx, dz] = at(along, direction);
    Static {
        tone: Tone::Deck,
        form: Form::Box {
            middle: [foot[0] + dx, up, foot[1] + dz],
            half: [half_width, PLANK, run.hypot(rise) / 2.0],
            pitch,
            yaw: direction,
        },
    }
}

/// Half of the thickness of a plank.
const PLANK: f32 = 0.14;
