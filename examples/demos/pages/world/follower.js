// Snapshots, and the deltas that make them: the client's half of what the server's `delta.rs` draws.

import { Reader } from './protocol.js';

/**
 * A body in whole steps, exactly as the server has it. Never changed once it is in a snapshot.
 * @typedef {object} Body
 * @property {number} kind
 * @property {number} tint
 * @property {[number, number, number]} position
 * @property {number} largest which part of the rotation follows from the others
 * @property {[number, number, number]} parts the others
 */

/** @typedef {{ tick: number, bodies: Map<number, Body> }} Snapshot */

const TURNED = 1 << 3;
const TURNED_OVER = 1 << 4;
const UNUSED = 1 << 5;
const NEW = 1 << 6;
const GONE = 1 << 7;

/** @type {Snapshot} */
const NOTHING = { tick: 0, bodies: new Map() };

/** The server's base is never older than so many snapshots. */
const LENGTH = 32;

/**
 * @param {Snapshot} base
 * @param {ArrayBuffer} message
 * @returns {Snapshot}
 */
export function apply(base, message) {
  const reader = new Reader(message);
  reader.u8();
  const tick = reader.u32();
  if (reader.u32() !== base.tick) throw new RangeError('another base');
  const bodies = new Map(base.bodies);
  const count = reader.varint();
  /** @type {number[]} */
  const skips = [];
  while (skips.length < count) skips.push(reader.varint());
  const masks = skips.map(() => reader.u8());
  let next = 0;
  for (const [index, mask] of masks.entries()) {
    const id = next + skips[index];
    next = id + 1;
    const was = bodies.get(id);
    if (mask === GONE) {
      if (!bodies.delete(id)) throw new RangeError(`no body ${id}`);
      continue;
    }
    if (mask & (GONE | UNUSED) || (mask & TURNED && mask & TURNED_OVER)) throw new RangeError('unknown mask');
    bodies.set(id, entry(reader, mask, was));
  }
  reader.end();
  return { tick, bodies };
}

/**
 * @param {Reader} reader
 * @param {number} mask
 * @param {Body | undefined} was
 * @returns {Body}
 */
function entry(reader, mask, was) {
  /** @type {Body} */
  let body;
  if (mask & NEW) {
    body = { kind: reader.u8(), tint: reader.u8(), position: [0, 0, 0], largest: 3, parts: [0, 0, 0] };
  } else if (was) {
    body = { ...was, position: [...was.position], parts: [...was.parts] };
  } else {
    throw new RangeError('no such body');
  }
  for (const axis of [0, 1, 2]) {
    if (mask & (1 << axis)) body.position[axis] += reader.signed();
  }
  if (mask & TURNED) {
    for (const part of [0, 1, 2]) body.parts[part] += reader.signed();
  }
  if (mask & TURNED_OVER) {
    const bits = reader.u32();
    body.largest = bits >>> 30;
    body.parts = [((bits >>> 20) & 1023) - 511, ((bits >>> 10) & 1023) - 511, (bits & 1023) - 511];
  }
  return body;
}

/** The snapshots that may be bases, and the newest one. */
export class Follower {
  /** @type {Snapshot[]} by ascending tick */
  snapshots = [];
  #lost = false;
  /** How many came, and how many of them were full. */
  counts = { taken: 0, full: 0, failed: 0 };

  get newest() {
    return this.snapshots.at(-1);
  }

  /** What to tell the server: the newest tick, or 0 where a full snapshot is needed. */
  get ack() {
    return this.#lost ? 0 : (this.newest?.tick ?? 0);
  }

  /**
   * Takes a message. `false`: it could not be taken, and a full one will be asked for.
   * @param {ArrayBuffer} message
   */
  take(message) {
    const view = new DataView(message);
    const [tick, baseTick] = [view.getUint32(1, true), view.getUint32(5, true)];
    if (baseTick && tick <= (this.newest?.tick ?? 0)) return true;
    const base = baseTick ? this.snapshots.find((snapshot) => snapshot.tick === baseTick) : NOTHING;
    try {
      if (!base) throw new RangeError(`base ${baseTick} is not at hand`);
      const snapshot = apply(base, message);
      // A full one of an earlier tick: the server was started anew.
      this.snapshots = this.snapshots.filter((old) => old.tick < tick).slice(1 - LENGTH);
      this.snapshots.push(snapshot);
      this.counts.taken += 1;
      this.counts.full += baseTick ? 0 : 1;
      this.#lost = false;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.counts.failed += 1;
      this.#lost = true;
    }
    return !this.#lost;
  }
}

/**
 * The unit quaternion x, y, z, w of a body.
 * @param {Body} body
 * @returns {[number, number, number, number]}
 */
export function quaternion({ largest, parts }) {
  const [a, b, c] = parts.map((part) => part / 511 / Math.SQRT2);
  const large = Math.sqrt(Math.max(0, 1 - a * a - b * b - c * c));
  if (largest === 0) return [large, a, b, c];
  if (largest === 1) return [a, large, b, c];
  if (largest === 2) return [a, b, large, c];
  return [a, b, c, large];
}
