// Where a pointer is between two messages.

/** Drawn so much later than it came, so that the next position is nearly always known. Milliseconds. */
const DELAY = 60;
/** Behind a longer pause the pointer stood still, and did not creep. */
const PAUSE = 120;

/** @typedef {{ at: number, x: number, y: number }} Sample */

export class Track {
  /** The oldest first. @type {Sample[]} */
  #samples = [];

  /**
   * It is there now.
   * @param {number} at
   * @param {number} x
   * @param {number} y
   */
  add(at, x, y) {
    const last = this.#samples.at(-1);
    if (last && last.x === x && last.y === y) return;
    if (last && at - last.at > PAUSE) this.#samples.push({ ...last, at: at - 1000 / 60 });
    this.#samples.push({ at, x, y });
    if (this.#samples.length > 32) this.#samples.shift();
  }

  /**
   * Where to draw it.
   * @param {number} now
   * @returns {{ x: number, y: number } | undefined}
   */
  position(now) {
    const time = now - DELAY;
    const samples = this.#samples;
    while (samples.length > 1 && /** @type {Sample} */ (samples[1]).at <= time) samples.shift();
    const [from, to] = samples;
    if (!from || !to || time <= from.at) return from;
    const part = (time - from.at) / (to.at - from.at);
    return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
  }
}
