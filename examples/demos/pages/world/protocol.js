// What is sent, as the server's `message.rs` draws it. Numbers are little-endian.

/**
 * What is wanted for one step.
 * @typedef {{ x: number, z: number, buttons: number }} Command x and z: -127 to 127
 */

/**
 * The exact state of the own body, in metres.
 * @typedef {object} Own
 * @property {number} tick
 * @property {number} last the last command that was obeyed
 * @property {boolean} grounded
 * @property {Vector} position
 * @property {Vector} velocity
 */

/** @typedef {[number, number, number]} Vector */

/**
 * @typedef {object} Pong
 * @property {number} number
 * @property {number} tick
 * @property {number} players
 * @property {number} late
 * @property {number} payload
 * @property {number} wire
 */

/** @typedef {{ shape: 'ball', radius: number } | { shape: 'box', half: Vector }} Kind */

/**
 * @typedef {{ tone: Tone } & (
 *   { form: 'octagon', top: Vector, above: number, below: number, height: number } |
 *   { form: 'box', middle: Vector, half: Vector, pitch: number, yaw: number }
 * )} Static
 */

/** @typedef {'ground' | 'rock' | 'deck' | 'trim' | 'bumper'} Tone */

/**
 * The first message, which is text.
 * @typedef {object} Welcome
 * @property {number} id
 * @property {number} stepsASecond
 * @property {number} stepsASnapshot
 * @property {Kind[]} kinds
 * @property {Static[]} statics
 */

export const JUMP = 1;
export const BOOST = 2;
export const MOST_COMMANDS = 8;

/** Types of messages. */
export const SNAPSHOT = 1;
export const OWN = 2;
export const PONG = 3;
const COMMANDS = 1;
const PING = 2;

const POSITION_STEPS = 512;
const VELOCITY_STEPS = 256;

/** Bytes that are read from their start. Reading past the end throws a RangeError. */
export class Reader {
  #view;
  #at = 0;

  /** @param {ArrayBuffer} bytes */
  constructor(bytes) {
    this.#view = new DataView(bytes);
  }

  u8() {
    return this.#view.getUint8(this.#at++);
  }

  u16() {
    this.#at += 2;
    return this.#view.getUint16(this.#at - 2, true);
  }

  i16() {
    this.#at += 2;
    return this.#view.getInt16(this.#at - 2, true);
  }

  u32() {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  u64() {
    this.#at += 8;
    return Number(this.#view.getBigUint64(this.#at - 8, true));
  }

  /** 7 bits a byte, the lowest first. */
  varint() {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new RangeError('number out of range');
  }

  /** 0, -1, 1, -2 are 0, 1, 2, 3. */
  signed() {
    const value = this.varint();
    return value % 2 ? -(value + 1) / 2 : value / 2;
  }

  /** @returns {Vector} */
  vector() {
    return [this.i16(), this.i16(), this.i16()];
  }

  end() {
    if (this.#at !== this.#view.byteLength) throw new RangeError('message too long');
  }
}

/**
 * @param {number} ack the newest snapshot; 0 asks for a full one
 * @param {number} last the number of the last command
 * @param {Command[]} commands at most 8
 */
export function commandsMessage(ack, last, commands) {
  const view = new DataView(new ArrayBuffer(10 + 3 * commands.length));
  view.setUint8(0, COMMANDS);
  view.setUint32(1, ack, true);
  view.setUint32(5, last, true);
  view.setUint8(9, commands.length);
  commands.forEach(({ x, z, buttons }, index) => {
    view.setInt8(10 + 3 * index, x);
    view.setInt8(11 + 3 * index, z);
    view.setUint8(12 + 3 * index, buttons);
  });
  return view.buffer;
}

/** @param {number} number the answer has it, too */
export function pingMessage(number) {
  const view = new DataView(new ArrayBuffer(5));
  view.setUint8(0, PING);
  view.setUint32(1, number, true);
  return view.buffer;
}

/**
 * @param {ArrayBuffer} bytes
 * @returns {Own}
 */
export function readOwn(bytes) {
  const reader = new Reader(bytes);
  reader.u8();
  const own = {
    tick: reader.u32(),
    last: reader.u32(),
    grounded: (reader.u8() & 1) === 1,
    position: metres(reader.vector()),
    velocity: /** @type {Vector} */ (reader.vector().map((part) => part / VELOCITY_STEPS)),
  };
  reader.end();
  return own;
}

/**
 * @param {ArrayBuffer} bytes
 * @returns {Pong}
 */
export function readPong(bytes) {
  const reader = new Reader(bytes);
  reader.u8();
  const pong = {
    number: reader.u32(),
    tick: reader.u32(),
    players: reader.u16(),
    late: reader.u32(),
    payload: reader.u64(),
    wire: reader.u64(),
  };
  reader.end();
  return pong;
}

/**
 * @param {Vector} position in steps
 * @returns {Vector}
 */
export function metres([x, y, z]) {
  return [x / POSITION_STEPS, y / POSITION_STEPS, z / POSITION_STEPS];
}
