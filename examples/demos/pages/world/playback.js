// All others, a moment late, so that there is a snapshot on either side of what is shown.

import { quaternion } from './follower.js';
import { metres } from './protocol.js';

/** @typedef {import('./follower.js').Snapshot} Snapshot */
/** @typedef {import('./follower.js').Body} Body */
/** @typedef {[number, number, number, number]} Turn */

/** How late, in steps: three snapshots. */
const DELAY = 6;
/** Beyond so many steps the clock is set, not adjusted. */
const FAR = 30;
/** Metres between two snapshots: such a body was put elsewhere. */
const JUMP_CUT = 3;

export class Playback {
  /** The step that is shown, with its fraction. */
  cursor = 0;

  /**
   * Time goes on.
   * @param {number} steps since the last call
   * @param {number} newest the newest snapshot's tick
   */
  advance(steps, newest) {
    const behind = newest - DELAY - this.cursor;
    if (Math.abs(behind) > FAR) this.cursor = newest - DELAY;
    // A little faster or slower, which nobody sees.
    else this.cursor += steps * (1 + Math.max(-0.15, Math.min(0.15, behind * 0.04)));
  }

  /**
   * Calls `show` for each body, where it is and how it is turned.
   * @param {Snapshot[]} snapshots by ascending tick
   * @param {(id: number, body: Body, position: [number, number, number], turn: Turn) => void} show
   */
  each(snapshots, show) {
    let after = snapshots.findIndex(({ tick }) => tick >= this.cursor);
    if (after < 0) after = snapshots.length - 1;
    const to = snapshots[after];
    if (!to) return;
    const from = snapshots[after - 1] ?? to;
    const share = to === from ? 1 : Math.min(1, Math.max(0, (this.cursor - from.tick) / (to.tick - from.tick)));
    for (const [id, body] of to.bodies) {
      const was = from.bodies.get(id);
      const position = metres(body.position);
      const turn = quaternion(body);
      if (was && was !== body && was.kind === body.kind) {
        const old = metres(was.position);
        if (Math.hypot(old[0] - position[0], old[1] - position[1], old[2] - position[2]) < JUMP_CUT) {
          for (const axis of [0, 1, 2]) position[axis] = old[axis] + (position[axis] - old[axis]) * share;
          mix(quaternion(was), turn, share);
        }
      }
      show(id, body, position, turn);
    }
  }
}

/**
 * Between two rotations the short way round, into the second.
 * @param {Turn} from
 * @param {Turn} to
 * @param {number} share
 */
function mix(from, to, share) {
  const sign = from.reduce((sum, part, index) => sum + part * to[index], 0) < 0 ? -1 : 1;
  from.forEach((part, index) => (to[index] = part * sign * (1 - share) + to[index] * share));
  const length = Math.hypot(...to);
  to.forEach((part, index) => (to[index] = part / length));
}
