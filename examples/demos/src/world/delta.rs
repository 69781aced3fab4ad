//! A snapshot as what is new since another one: the base, which the client has.
//!
//! ```text
//!  0       1               5               9
//! +-------+---------------+---------------+----------------+===========+===========+============
//! | 1: u8 |   tick: u32   |   base: u32   | count: varint  | skips ... | masks ... | values ...
//! +-------+---------------+---------------+----------------+===========+===========+============
//! ```
//! `base` 0 is the snapshot without bodies, so that everything is new: a full snapshot is no other message. A body without an entry is as it is
//! in the base, so that one that sleeps costs nothing. There are `count` entries, by ascending id, each with a skip (varint), a mask (u8), and
//! values as its mask says. Skips lie together, and masks, for they are alike, which compression likes.
//!
//! `skip` is how many ids lie between this one and the one before (or 0). The bits of the mask, and what follows for each, in this order:
//!
//! | bit | | |
//! |---|---|---|
//! | 0, 1, 2 | x, y, z | signed varint each: steps of the position since the base |
//! | 3 | turned | three signed varints: steps of the three parts of the rotation since the base, which leaves out the same part |
//! | 4 | turned over | u32: the whole rotation, as in [`Rotation`] |
//! | 6 | new | u8 `kind` and u8 `tint`, before all others; its base is a body at the origin that is not turned, even if the id is in the base |
//! | 7 | gone | nothing, and no other bit |
//!
//! Bits 3 and 4 exclude each other, and bit 5 is 0.

use super::message;
use super::quantise::Rotation;
use super::snapshot::{Body, BodyId, Snapshot, Tick};
use super::wire::{self, Malformed};
use bytes::{Buf, BufMut};
use std::cmp::Ordering;

const TURNED: u8 = 1 << 3;
const TURNED_OVER: u8 = 1 << 4;
const UNUSED: u8 = 1 << 5;
const NEW: u8 = 1 << 6;
const GONE: u8 = 1 << 7;

/// The message that makes `snapshot` of `base`.
#[must_use]
pub fn encode(base: &Snapshot, snapshot: &Snapshot) -> Vec<u8> {
    let mut entries = Entries::default();
    let (mut old, mut new) = (base.bodies(), snapshot.bodies());
    loop {
        match (old.split_first(), new.split_first()) {
            (None, None) => break,
            (Some((&(id, was), old_rest)), Some((&(other, is), new_rest))) => match id.cmp(&other) {
                Ordering::Less => {
                    entries.gone(id);
                    old = old_rest;
                }
                Ordering::Greater => {
                    entries.put(other, &is);
                    new = new_rest;
                }
                Ordering::Equal => {
                    if (was.kind, was.tint) == (is.kind, is.tint) {
                        entries.changed(id, &was, &is);
                    } else {
                        entries.put(id, &is);
                    }
                    (old, new) = (old_rest, new_rest);
                }
            },
            (Some((&(id, _), rest)), None) => {
                entries.gone(id);
                old = rest;
            }
            (None, Some((&(id, is), rest))) => {
                entries.put(id, &is);
                new = rest;
            }
        }
    }
    let mut out = Vec::with_capacity(14 + entries.skips.len() + entries.masks.len() + entries.values.len());
    out.put_u8(message::SNAPSHOT);
    out.put_u32_le(snapshot.tick());
    out.put_u32_le(base.tick());
    wire::put_varint(&mut out, entries.count);
    out.extend_from_slice(&entries.skips);
    out.extend_from_slice(&entries.masks);
    out.extend_from_slice(&entries.values);
    out
}

/// The tick of a message and that of the base that it needs, 0 for none.
///
/// # Errors
/// Where it is no snapshot.
pub fn ticks(mut message: &[u8]) -> Result<(Tick, Tick), Malformed> {
    match message.try_get_u8()? {
        message::SNAPSHOT => Ok((message.try_get_u32_le()?, message.try_get_u32_le()?)),
        other => Err(Malformed::Type(other)),
    }
}

/// The snapshot that a message makes of `base`.
///
/// # Errors
/// Where it is malformed or for another base.
pub fn apply(base: &Snapshot, mut message: &[u8]) -> Result<Snapshot, Malformed> {
    let (tick, base_tick) = ticks(message)?;
    if base_tick != base.tick() {
        return Err(Malformed::Base(base_tick));
    }
    message.advance(9);
    let count = wire::varint(&mut message)?;
    // Each takes a byte at least, so that nothing is allocated that was only declared.
    let skips: Vec<u32> = (0..count).map(|_| wire::varint(&mut message)).collect::<Result<_, _>>()?;
    let (masks, mut values) = message.split_at_checked(skips.len()).ok_or(Malformed::Short)?;
    let mut bodies = Vec::with_capacity(base.bodies().len());
    let mut old = base.bodies();
    let mut next = 0_u32;
    for (skip, mask) in skips.into_iter().zip(masks) {
        let id = next.checked_add(skip).ok_or(Malformed::Range)?;
        next = id + 1;
        let id = BodyId::try_from(id).map_err(|_| Malformed::Range)?;
        let before = old.partition_point(|(old, _)| *old < id);
        let (unchanged, rest) = old.split_at_checked(before).unwrap_or((old, &[]));
        bodies.extend_from_slice(unchanged);
        let was = match rest.split_first() {
            Some((&(other, was), rest)) if other == id => {
                old = rest;
                Some(was)
            }
            _ => {
                old = rest;
                None
            }
        };
        if let Some(is) = entry(was.ok_or(Malformed::UnknownBody(id)), *mask, &mut values)? {
            bodies.push((id, is));
        }
    }
    bodies.extend_from_slice(old);
    wire::end(&values)?;
    Ok(Snapshot::new(tick, bodies))
}

/// What the entry makes of a body; `None` when it is gone.
fn entry(was: Result<Body, Malformed>, mask: u8, input: &mut &[u8]) -> Result<Option<Body>, Malformed> {
    if mask == GONE {
        return was.map(|_| None);
    }
    if mask & (GONE | UNUSED) != 0 || mask & (TURNED | TURNED_OVER) == TURNED | TURNED_OVER {
        return Err(Malformed::Range);
    }
    let mut body =
        if mask & NEW == 0 { was? } else { Body::at_origin(input.try_get_u8()?, input.try_get_u8()?) };
    for (axis, part) in body.position.iter_mut().enumerate() {
        if mask & 1 << axis != 0 {
            let moved = i32::from(*part).checked_add(wire::signed(input)?).ok_or(Malformed::Range)?;
            *part = i16::try_from(moved).map_err(|_| Malformed::Range)?;
        }
    }
    if mask & TURNED != 0 {
        let difference = [wire::signed(input)?, wire::signed(input)?, wire::signed(input)?];
        body.rotation = body.rotation.after(difference).ok_or(Malformed::Range)?;
    }
    if mask & TURNED_OVER != 0 {
        body.rotation = Rotation::from_bits(input.try_get_u32_le()?).ok_or(Malformed::Range)?;
    }
    Ok(Some(body))
}

/// Entries as they are written, in columns.
#[derive(Default)]
struct Entries {
    count: u32,
    /// The least id that the next entry may have.
    next: u32,
    skips: Vec<u8>,
    masks: Vec<u8>,
    values: Vec<u8>,
}

impl Entries {
    fn gone(&mut self, id: BodyId) {
        self.begin(id, GONE);
    }

    fn put(&mut self, id: BodyId, is: &Body) {
        let was = Body::at_origin(is.kind, is.tint);
        self.begin(id, NEW | mask(&was, is));
        self.values.extend_from_slice(&[is.kind, is.tint]);
        self.parts(&was, is);
    }

    fn changed(&mut self, id: BodyId, was: &Body, is: &Body) {
        let mask = mask(was, is);
        if mask != 0 {
            self.begin(id, mask);
            self.parts(was, is);
        }
    }

    fn begin(&mut self, id: BodyId, mask: u8) {
        let id = u32::from(id);
        wire::put_varint(&mut self.skips, id - self.next);
        self.masks.push(mask);
        self.next = id + 1;
        self.count += 1;
    }

    fn parts(&mut self, was: &Body, is: &Body) {
        for (was, is) in was.position.into_iter().zip(is.position) {
            if was != is {
                wire::put_signed(&mut self.values, i32::from(is) - i32::from(was));
            }
        }
        if was.rotation != is.rotation {
            match turned(was, is) {
                Some(difference) => {
                    difference.iter().for_each(|part| wire::put_signed(&mut self.values, *part))
                }
                None => self.values.put_u32_le(is.rotation.bits()),
            }
        }
    }
}

/// How far a body turned, where that takes three bytes; the whole rotation takes four.
fn turned(was: &Body, is: &Body) -> Option<[i32; 3]> {
    is.rotation.since(was.rotation).filter(|parts| parts.iter().all(|part| (-64..64).contains(part)))
}

fn mask(was: &Body, is: &Body) -> u8 {
    let mut mask = 0;
    for (axis, (was, is)) in was.position.into_iter().zip(is.position).enumerate() {
        mask |= u8::from(was != is) << axis;
    }
    if was.rotation == is.rotation {
        mask
    } else if turned(was, is).is_some() {
        mask | TURNED
    } else {
        mask | TURNED_OVER
    }
}

#[cfg(test)]
mod tests;
