//! Who points where. Without sockets and clocks.
//!
//! Positions travel as bytes, numbers in network order:
//!
//! ```text
//! from a page   x:u16 y:u16                       0 is left or above, 65535 right or below
//! to the pages  block:u8 (slot:u16 x:u16 y:u16)*  everybody of the block who has pointed anywhere
//! ```

use serde::{Deserialize, Serialize};

/// All pointers.
#[derive(Debug, Default)]
pub struct Field {
    slots: Vec<Option<Pointer>>,
    /// A bit for each block in which something has moved.
    moved: u64,
}

/// Somebody.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Look {
    /// What they call themselves.
    pub name: String,
    /// Which colour of the palette.
    pub colour: u8,
    /// Is it nobody real?
    #[serde(default)]
    pub simulated: bool,
}

#[derive(Debug)]
struct Pointer {
    look: Look,
    at: Option<(u16, u16)>,
}

/// Where somebody is in the [`Field`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Slot(u16);

impl Field {
    /// Somebody comes; `None` where the field is full.
    pub fn enter(&mut self, look: Look) -> Option<Slot> {
        let free = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
        if free >= usize::from(BLOCKS) * BLOCK {
            return None;
        }
        let pointer = Some(Pointer { look, at: None });
        match self.slots.get_mut(free) {
            Some(slot) => *slot = pointer,
            None => self.slots.push(pointer),
        }
        u16::try_from(free).ok().map(Slot)
    }

    /// Somebody looks different.
    pub fn change(&mut self, slot: Slot, look: Look) {
        if let Some(Some(pointer)) = self.slots.get_mut(usize::from(slot.0)) {
            pointer.look = look;
        }
    }

    /// Somebody goes.
    pub fn leave(&mut self, slot: Slot) {
        if let Some(left) = self.slots.get_mut(usize::from(slot.0)) {
            *left = None;
        }
    }

    /// Somebody moves. Is it the first move since [`take_moved`](Self::take_moved)?
    pub fn point(&mut self, slot: Slot, message: &[u8]) -> bool {
        let (Some(Some(pointer)), &[x0, x1, y0, y1]) = (self.slots.get_mut(usize::from(slot.0)), message)
        else {
            return false;
        };
        pointer.at = Some((u16::from_be_bytes([x0, x1]), u16::from_be_bytes([y0, y1])));
        let was_still = self.moved == 0;
        self.moved |= 1 << (usize::from(slot.0) / BLOCK);
        was_still
    }

    /// Who is here.
    #[must_use]
    pub fn people(&self) -> Vec<(Slot, Look)> {
        let slots = (0..).map(Slot).zip(&self.slots);
        slots.filter_map(|(slot, pointer)| Some((slot, pointer.as_ref()?.look.clone()))).collect()
    }

    /// What is to be told of each block in which something has moved since. Newer bytes of a block make older ones useless.
    pub fn take_moved(&mut self) -> Vec<(u8, Vec<u8>)> {
        let moved = std::mem::take(&mut self.moved);
        (0..BLOCKS)
            .filter(|block| moved & (1 << block) != 0)
            .map(|block| (block, self.block(block)))
            .collect()
    }

    /// Where everybody is, for who has just come.
    #[must_use]
    pub fn all(&self) -> Vec<(u8, Vec<u8>)> {
        let blocks = u8::try_from(self.slots.len().div_ceil(BLOCK)).unwrap_or(u8::MAX);
        (0..blocks).map(|block| (block, self.block(block))).collect()
    }

    fn block(&self, block: u8) -> Vec<u8> {
        let first = usize::from(block) * BLOCK;
        let mut bytes = vec![block];
        for (slot, pointer) in (0..).zip(&self.slots).skip(first).take(BLOCK) {
            if let Some(Pointer { at: Some((x, y)), .. }) = pointer {
                let slot: u16 = slot;
                for number in [slot, *x, *y] {
                    bytes.extend(number.to_be_bytes());
                }
            }
        }
        bytes
    }
}

/// Pointers that are told of in one message.
const BLOCK: usize = 128;
/// As many as there are bits in `moved`.
const BLOCKS: u8 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn look(name: &str) -> Look {
        Look { name: name.into(), colour: 1, simulated: false }
    }

    #[test]
    fn who_moves_is_told_of_with_all_of_the_block() {
        let mut field = Field::default();
        let (a, b) = (field.enter(look("a")).unwrap(), field.enter(look("b")).unwrap());
        assert!(field.point(a, &[0, 1, 0, 2]));
        assert!(!field.point(b, &[0, 3, 0, 4]), "somebody has moved already");
        assert_eq!(field.take_moved(), [(0, vec![0, 0, 0, 0, 1, 0, 2, 0, 1, 0, 3, 0, 4])]);
        assert_eq!(field.take_moved(), []);
        assert!(field.point(b, &[0, 5, 0, 6]));
        assert_eq!(field.take_moved(), [(0, vec![0, 0, 0, 0, 1, 0, 2, 0, 1, 0, 5, 0, 6])]);
    }

    #[test]
    fn a_block_that_nobody_moved_in_is_not_told_of() {
        let mut field = Field::default();
        let slots: Vec<_> = (0..=BLOCK).map(|_| field.enter(look("x")).unwrap()).collect();
        field.point(slots[BLOCK], &[0, 1, 0, 2]);
        assert_eq!(field.take_moved(), [(1, vec![1, 0, 128, 0, 1, 0, 2])]);
        assert_eq!(field.all().len(), 2);
    }

    #[test]
    fn a_slot_is_used_again_without_the_old_position() {
        let mut field = Field::default();
        let (a, b) = (field.enter(look("a")).unwrap(), field.enter(look("b")).unwrap());
        field.point(a, &[9, 9, 9, 9]);
        field.leave(a);
        let c = field.enter(look("c")).unwrap();
        assert_eq!(c, a);
        assert_eq!(field.all(), [(0, vec![0])]);
        assert_eq!(field.people(), [(c, look("c")), (b, look("b"))]);
    }

    #[test]
    fn what_is_no_position_moves_nobody() {
        let mut field = Field::default();
        let a = field.enter(look("a")).unwrap();
        assert!(!field.point(a, &[1, 2, 3]));
        field.leave(a);
        assert!(!field.point(a, &[1, 2, 3, 4]));
        assert_eq!(field.take_moved(), []);
    }

    #[test]
    fn the_field_has_an_end() {
        let mut field = Field::default();
        for _ in 0..BLOCK * usize::from(BLOCKS) {
            assert!(field.enter(look("x")).is_some());
        }
        assert_eq!(field.enter(look("one more")), None);
    }
}
