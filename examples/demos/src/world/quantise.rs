//! What a snapshot keeps of a position, a rotation and a velocity: small whole numbers, so that both ends have the very same.

/// Steps of a position in a metre: an `i16` reaches 64 m to each side, 2 mm apart.
pub const POSITION_STEPS: f32 = 512.0;

/// Steps of a velocity in a metre a second: an `i16` reaches 128 m/s.
pub const VELOCITY_STEPS: f32 = 256.0;

/// Steps from 0 to the largest value that the three smaller parts of a unit quaternion can have, which is √½.
const ROTATION_STEPS: f32 = 511.0;

/// A rotation by its three smaller parts; the largest follows, for the four squares add up to 1.
///
/// ```text
///  31 30 29        20 19        10 9          0
/// +-----+------------+------------+------------+
/// |which|   first    |   second   |   third    |   each part + 511, of 0..=1022; x before y before z before w
/// +-----+------------+------------+------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// The part left out, of x, y, z, w: 0..=3.
    largest: u8,
    /// The others in their order, each of -511..=511.
    parts: [i16; 3],
}

impl Rotation {
    /// No rotation at all.
    pub const NONE: Self = Self { largest: 3, parts: [0; 3] };

    /// The nearest one that there is, of a unit quaternion x, y, z, w. Parts that are no numbers count as 0.
    #[must_use]
    pub fn new(quaternion: [f32; 4]) -> Self {
        let mut largest = 0;
        let mut most = 0.0;
        let mut sign = 1.0;
        for (index, part) in (0_u8..).zip(quaternion) {
            if part.abs() > most {
                (largest, most, sign) = (index, part.abs(), part.signum());
            }
        }
        let mut parts = [0; 3];
        let others = (0_u8..).zip(quaternion).filter(|(index, _)| *index != largest);
        for (to, (_, part)) in parts.iter_mut().zip(others) {
            // A quaternion and its negative are one rotation, so that the largest is never negative.
            *to = rounded(part * sign * std::f32::consts::SQRT_2 * ROTATION_STEPS).clamp(-511, 511);
        }
        Self { largest, parts }
    }

    /// As it is written; [`from_bits`](Self::from_bits) is the way back.
    #[must_use]
    pub fn bits(self) -> u32 {
        let parts = self
            .parts
            .iter()
            .fold(0, |bits, part| bits << 10 | u32::from(part.wrapping_add(511).unsigned_abs()));
        u32::from(self.largest) << 30 | parts
    }

    /// What was written. `None` where a part is 1023, which nothing writes.
    #[must_use]
    pub fn from_bits(bits: u32) -> Option<Self> {
        let part = |shift: u32| {
            let part = i16::try_from(bits >> shift & 1023).ok()?.checked_sub(511)?;
            (part <= 511).then_some(part)
        };
        let largest = u8::try_from(bits >> 30).ok()?;
        Some(Self { largest, parts: [part(20)?, part(10)?, part(0)?] })
    }

    /// The parts of `self` without those of `base`, where both leave out the same one.
    #[must_use]
    pub fn since(self, base: Self) -> Option<[i32; 3]> {
        let [a, b, c] = self.parts.map(i32::from);
        let [x, y, z] = base.parts.map(i32::from);
        (self.largest == base.largest).then_some([a - x, b - y, c - z])
    }

    /// The way back from [`since`](Self::since). `None` where a part is more than there can be.
    #[must_use]
    pub fn after(self, difference: [i32; 3]) -> Option<Self> {
        let mut parts = self.parts;
        for (part, difference) in parts.iter_mut().zip(difference) {
            *part = i16::try_from(i32::from(*part).checked_add(difference)?).ok()?;
            if part.unsigned_abs() > 511 {
                return None;
            }
        }
        Some(Self { largest: self.largest, parts })
    }

    /// The unit quaternion x, y, z, w.
    #[must_use]
    pub fn quaternion(self) -> [f32; 4] {
        let small = self.parts.map(|part| f32::from(part) / ROTATION_STEPS / std::f32::consts::SQRT_2);
        let large = (1.0 - small.iter().map(|part| part * part).sum::<f32>()).max(0.0).sqrt();
        let [a, b, c] = small;
        match self.largest {
            0 => [large, a, b, c],
            1 => [a, large, b, c],
            2 => [a, b, large, c],
            _ => [a, b, c, large],
        }
    }
}

/// A position in steps; what is farther away than 64 m is at 64 m.
#[must_use]
pub fn position(metres: [f32; 3]) -> [i16; 3] {
    metres.map(|part| rounded(part * POSITION_STEPS))
}

/// The way back, in metres.
#[must_use]
pub fn metres(position: [i16; 3]) -> [f32; 3] {
    position.map(|part| f32::from(part) / POSITION_STEPS)
}

/// A velocity in steps; what is faster than 128 m/s has 128 m/s.
#[must_use]
pub fn velocity(metres_a_second: [f32; 3]) -> [i16; 3] {
    metres_a_second.map(|part| rounded(part * VELOCITY_STEPS))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast to an integer saturates, and makes 0 of what is no number"
)]
fn rounded(value: f32) -> i16 {
    value.round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_position_is_off_by_half_a_step_at_most(x in -63.9_f32..63.9, y in -63.9_f32..63.9, z in -63.9_f32..63.9) {
            for (was, is) in [x, y, z].into_iter().zip(metres(position([x, y, z]))) {
                prop_assert!((was - is).abs() <= 0.5 / POSITION_STEPS + 1e-5);
            }
        }

        #[test]
        fn a_rotation_turns_as_before_within_a_quarter_of_a_degree(parts in prop::array::uniform4(-1.0_f32..1.0)) {
            let length = parts.iter().map(|part| part * part).sum::<f32>().sqrt();
            prop_assume!(length > 0.1);
            let unit = parts.map(|part| part / length);
            let rotation = Rotation::new(unit);
            let dot: f32 = unit.into_iter().zip(rotation.quaternion()).map(|(a, b)| a * b).sum();
            let degrees = (2.0 * dot.abs().min(1.0).acos()).to_degrees();
            prop_assert!(degrees < 0.25, "{degrees}");
            prop_assert_eq!(Rotation::from_bits(rotation.bits()), Some(rotation));
        }

        #[test]
        fn any_bits_are_one_rotation_or_none(bits: u32) {
            if let Some(rotation) = Rotation::from_bits(bits) {
                prop_assert_eq!(rotation.bits(), bits);
                prop_assert!(rotation.quaternion().iter().all(|part| part.is_finite()));
            }
        }
    }

    #[test]
    fn what_is_no_number_is_at_the_origin() {
        assert_eq!(position([f32::NAN, f32::INFINITY, f32::NEG_INFINITY]), [0, i16::MAX, i16::MIN]);
        assert_eq!(Rotation::new([f32::NAN; 4]).bits(), Rotation { largest: 0, parts: [0; 3] }.bits());
    }
}
