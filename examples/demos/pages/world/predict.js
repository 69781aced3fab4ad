// Ahead of the server: what the own ball will do is shown before the server tells. The rule is that of the server's `drive.rs`.

import { BOOST, JUMP } from './protocol.js';

/** @typedef {import('./protocol.js').Command} Command */
/** @typedef {import('./protocol.js').Own} Own */
/** @typedef {import('./protocol.js').Vector} Vector */

/** Seconds. */
export const STEP = 1 / 60;

const SPEED = 9;
const BOOST_SPEED = 14;
const JUMP_SPEED = 7.5;
const GROUND_ACCELERATION = 32;
const AIR_ACCELERATION = 10;
const COASTING = 9;
const GRAVITY = 18;

/** What is more wrong than this is no mistake of foresight: the ball was put elsewhere. Metres. */
const JUMP_CUT = 4;
/** How fast a mistake fades, in a second. */
const FADING = 9;

/**
 * The velocity after a command.
 * @param {Vector} velocity
 * @param {boolean} grounded
 * @param {Command} command
 * @returns {Vector}
 */
export function drive([x, y, z], grounded, command) {
  const [toX, toZ] = [command.x / 127, command.z / 127];
  const speed = (command.buttons & BOOST ? BOOST_SPEED : SPEED) / Math.max(1, Math.hypot(toX, toZ));
  const wants = command.x !== 0 || command.z !== 0;
  const most = STEP * (grounded ? (wants ? GROUND_ACCELERATION : COASTING) : wants ? AIR_ACCELERATION : 0);
  const [byX, byZ] = [toX * speed - x, toZ * speed - z];
  const wanted = Math.hypot(byX, byZ);
  const share = wanted > most ? most / wanted : 1;
  const jumps = grounded && command.buttons & JUMP;
  return [x + byX * share, jumps ? Math.max(y, JUMP_SPEED) : y, z + byZ * share];
}

/** The own ball. */
export class Predictor {
  /** @type {Vector} */
  position = [0, 0, 0];
  /** @type {Vector} where it was a step ago */
  before = [0, 0, 0];
  /** @type {Vector} */
  velocity = [0, 0, 0];
  grounded = false;
  known = false;
  /** The number of the last command. */
  last = 0;
  /** @type {{ number: number, command: Command }[]} those that the server has not obeyed yet, as far as is known */
  #pending = [];
  /** @type {Vector} what is added to what is foreseen, so that nothing jumps */
  #mistake = [0, 0, 0];

  /** A new connection: commands are counted anew. */
  reset() {
    this.known = false;
    this.last = 0;
    this.#pending = [];
    this.#mistake = [0, 0, 0];
  }

  /**
   * One step ahead.
   * @param {Command} command
   */
  step(command) {
    this.last += 1;
    this.#pending.push({ number: this.last, command });
    // A second of them: more than that the server will not catch up on.
    if (this.#pending.length > 60) this.#pending.shift();
    this.before = [...this.position];
    this.#move(command);
    const fade = Math.exp(-FADING * STEP);
    this.#mistake = /** @type {Vector} */ (this.#mistake.map((part) => part * fade));
  }

  /**
   * The server tells where the ball is: from there, all that it has not obeyed yet once more.
   * @param {Own} own
   */
  correct(own) {
    const shown = this.shown(1);
    this.position = own.position;
    this.velocity = own.velocity;
    this.grounded = own.grounded;
    this.#pending = this.#pending.filter(({ number }) => number > own.last);
    for (const { command } of this.#pending) {
      this.before = [...this.position];
      this.#move(command);
    }
    if (!this.#pending.length) this.before = [...this.position];
    const mistake = /** @type {Vector} */ (shown.map((part, axis) => part - this.position[axis]));
    const cut = !this.known || Math.hypot(...mistake) > JUMP_CUT;
    this.#mistake = cut ? [0, 0, 0] : mistake;
    if (cut) this.before = [...this.position];
    this.known = true;
  }

  /**
   * Where to draw it.
   * @param {number} share of the step that is under way, 0 to 1
   * @returns {Vector}
   */
  shown(share) {
    return /** @type {Vector} */ (
      this.position.map((part, axis) => this.before[axis] + (part - this.before[axis]) * share + this.#mistake[axis])
    );
  }

  /** @param {Command} command */
  #move(command) {
    this.velocity = drive(this.velocity, this.grounded, command);
    if (this.velocity[1] >= JUMP_SPEED) this.grounded = false;
    if (!this.grounded) this.velocity[1] -= GRAVITY * STEP;
    this.position = /** @type {Vector} */ (this.position.map((part, axis) => part + this.velocity[axis] * STEP));
  }
}
