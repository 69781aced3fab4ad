// What the player wants: keys, the stick of a touch screen, and looking around by dragging.

import { BOOST, JUMP } from './protocol.js';

/** @typedef {import('./protocol.js').Command} Command */

/** By the place of the key, whatever letter is on it. @type {Record<string, [number, number]>} */
const DIRECTIONS = {
  KeyW: [0, 1],
  ArrowUp: [0, 1],
  KeyS: [0, -1],
  ArrowDown: [0, -1],
  KeyA: [-1, 0],
  ArrowLeft: [-1, 0],
  KeyD: [1, 0],
  ArrowRight: [1, 0],
};

/** Radians for a pixel. */
const TURN = 0.0055;
const [LOWEST, HIGHEST] = [0.18, 1.25];

export class Controls {
  /** Where the camera is, about the ball: radians. */
  yaw = 0;
  pitch = 0.5;
  /** Called once, when the player first does something. */
  onfirst = () => {};
  /** @type {Set<string>} */
  #keys = new Set();
  /** @type {[number, number]} right and ahead, of a circle of 1 */
  #stick = [0, 0];
  #jump = false;
  /** A tap that was shorter than a step counts, too. */
  #tapped = false;

  /**
   * @param {HTMLElement} view
   * @param {HTMLElement} stick
   * @param {HTMLElement} knob
   * @param {HTMLElement} jump
   */
  constructor(view, stick, knob, jump) {
    addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const known = event.code in DIRECTIONS || event.code === 'Space' || event.key === 'Shift';
      // Keys that open the panel stay what they are.
      if (!known || (event.code === 'Space' && event.target instanceof HTMLElement && event.target.closest('summary, button'))) return;
      event.preventDefault();
      this.#keys.add(event.key === 'Shift' ? 'Shift' : event.code);
      if (event.code === 'Space') this.#tapped = true;
      this.onfirst();
    });
    addEventListener('keyup', (event) => this.#keys.delete(event.key === 'Shift' ? 'Shift' : event.code));
    addEventListener('blur', () => this.#keys.clear());
    this.#look(view);
    this.#drive(stick, knob);
    jump.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      jump.setPointerCapture(event.pointerId);
      jump.dataset.held = 'true';
      [this.#jump, this.#tapped] = [true, true];
      this.onfirst();
    });
    const released = () => {
      delete jump.dataset.held;
      this.#jump = false;
    };
    jump.addEventListener('pointerup', released);
    jump.addEventListener('pointercancel', released);
  }

  /**
   * What is wanted for the next step, as the camera sees it.
   * @returns {Command}
   */
  command() {
    let [right, ahead] = this.#stick;
    for (const key of this.#keys) {
      const [x, y] = DIRECTIONS[key] ?? [0, 0];
      [right, ahead] = [right + x, ahead + y];
    }
    const length = Math.max(1, Math.hypot(right, ahead));
    const [sin, cos] = [Math.sin(this.yaw), Math.cos(this.yaw)];
    const jumps = this.#jump || this.#tapped || this.#keys.has('Space');
    this.#tapped = false;
    // The stick pushed all the way hurries.
    const hurries = this.#keys.has('Shift') || Math.hypot(...this.#stick) > 0.97;
    return {
      x: Math.round(((right * cos - ahead * sin) / length) * 127),
      z: Math.round(((-right * sin - ahead * cos) / length) * 127),
      buttons: (jumps ? JUMP : 0) | (hurries ? BOOST : 0),
    };
  }

  /** @param {HTMLElement} view */
  #look(view) {
    view.addEventListener('pointerdown', (event) => view.setPointerCapture(event.pointerId));
    view.addEventListener('pointermove', (event) => {
      if (!view.hasPointerCapture(event.pointerId)) return;
      this.yaw -= event.movementX * TURN;
      this.pitch = Math.min(HIGHEST, Math.max(LOWEST, this.pitch + event.movementY * TURN));
    });
  }

  /**
   * @param {HTMLElement} stick
   * @param {HTMLElement} knob
   */
  #drive(stick, knob) {
    /** @param {PointerEvent} event */
    const follow = (event) => {
      const box = stick.getBoundingClientRect();
      const reach = box.width / 2 - 16;
      const [x, y] = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
      const far = Math.max(1, Math.hypot(x, y) / reach);
      this.#stick = [x / far / reach, -y / far / reach];
      knob.style.transform = `translate(${x / far}px, ${y / far}px)`;
    };
    const released = () => {
      this.#stick = [0, 0];
      knob.style.transform = '';
    };
    stick.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      stick.setPointerCapture(event.pointerId);
      follow(event);
      this.onfirst();
    });
    stick.addEventListener('pointermove', (event) => {
      if (stick.hasPointerCapture(event.pointerId)) follow(event);
    });
    stick.addEventListener('pointerup', released);
    stick.addEventListener('pointercancel', released);
  }
}
