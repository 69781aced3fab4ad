// The page: commands go out, snapshots come in, and each picture shows the own ball ahead of them and all else behind.

import { Socket } from '/shared/socket.js';
import { Controls } from './controls.js';
import { Follower } from './follower.js';
import { Panel } from './panel.js';
import { Playback } from './playback.js';
import { Predictor, STEP } from './predict.js';
import { MOST_COMMANDS, OWN, PONG, SNAPSHOT, commandsMessage, pingMessage, readOwn, readPong } from './protocol.js';
import { Stage } from './stage.js';

/** @typedef {import('./protocol.js').Command} Command */
/** @typedef {import('./protocol.js').Welcome} Welcome */
/** @typedef {[number, number, number]} Point */
/** @typedef {[number, number, number, number]} Turn */

/** @typedef {{ place: Point, turn: Turn }} Rolling */

/** The kind of players. */
const PLAYER = 0;
/** Milliseconds between pings. */
const PING_EVERY = 1000;
/** Commands of one message. */
const COMMANDS = 2;

const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const view = /** @type {HTMLCanvasElement} */ (find('view'));
const stage = new Stage(view);
const controls = new Controls(view, find('stick'), find('knob'), find('jump'));
const panel = new Panel();
const predictor = new Predictor();
const playback = new Playback();
let follower = new Follower();
/** @type {Welcome | undefined} */
let welcome;
/** @type {Command[]} those that are not sent yet */
let commands = [];
/** @type {Map<number, number>} when each ping left */
const pings = new Map();
let pingNumber = 0;
let connections = 0;
let status = /** @type {import('/shared/socket.js').Status} */ ('connecting');
/** Players' balls roll as far as they are shown to move; nothing is sent for it. @type {Map<number, Rolling>} */
let rolling = new Map();
/** @type {Point | undefined} */
let shown;

controls.onfirst = () => find('hint').classList.add('done');

const socket = new Socket('/ws', {
  onopen() {
    connections += 1;
    // Whatever was known belongs to another connection.
    follower = new Follower();
    predictor.reset();
    commands = [];
    welcome = undefined;
    pings.clear();
  },
  onmessage(data) {
    if (typeof data === 'string') {
      welcome = JSON.parse(data);
      if (welcome) stage.build(welcome);
      ping();
      return;
    }
    const type = new DataView(data).getUint8(0);
    if (type === SNAPSHOT) follower.take(data);
    else if (type === OWN) {
      const own = readOwn(data);
      // One begins with the island before one's eyes.
      if (!predictor.known) controls.yaw = Math.atan2(own.position[0], own.position[2]);
      predictor.correct(own);
    } else if (type === PONG) {
      const pong = readPong(data);
      panel.pong(pong, performance.now() - (pings.get(pong.number) ?? performance.now()));
      pings.delete(pong.number);
    }
  },
  onstatus(now) {
    status = now;
    panel.status(now);
  },
});

function ping() {
  pingNumber += 1;
  if (socket.send(pingMessage(pingNumber))) pings.set(pingNumber, performance.now());
}
setInterval(ping, PING_EVERY);

let before = performance.now();
/** Seconds that no step was made for yet. */
let left = 0;

/** @param {number} now */
function frame(now) {
  requestAnimationFrame(frame);
  // A tab that was hidden does not make up for it.
  const seconds = Math.min(0.1, Math.max(0, (now - before) / 1000));
  before = now;
  if (welcome) {
    for (left += seconds; left >= STEP; left -= STEP) {
      const command = controls.command();
      commands.push(command);
      predictor.step(command);
    }
    if (commands.length >= COMMANDS) {
      socket.send(commandsMessage(follower.ack, predictor.last, commands.slice(-MOST_COMMANDS)));
      commands = [];
    }
    playback.advance(seconds / STEP, follower.newest?.tick ?? 0);
  }
  draw(seconds);
}

/** @param {number} seconds */
function draw(seconds) {
  stage.clear();
  const own = welcome?.id;
  const rolls = rolling;
  rolling = new Map();
  playback.each(follower.snapshots, (id, body, position, turn) => {
    const kind = welcome?.kinds[body.kind];
    if (body.kind !== PLAYER || kind?.shape !== 'ball') return stage.body(body.kind, body.tint, position, turn);
    const mine = id === own && predictor.known;
    const place = mine ? predictor.shown(left / STEP) : position;
    if (mine) shown = place;
    const rolled = roll(rolls.get(id), place, kind.radius);
    rolling.set(id, rolled);
    stage.body(body.kind, body.tint, place, rolled.turn);
  });
  stage.draw(predictor.known ? shown : undefined, controls.yaw, controls.pitch, seconds);
}

/**
 * Turns a ball by the way that it went.
 * @param {Rolling | undefined} before
 * @param {Point} place
 * @param {number} radius
 * @returns {Rolling}
 */
function roll(before, place, radius) {
  if (!before) return { place, turn: [0, 0, 0, 1] };
  const [x, z] = [place[0] - before.place[0], place[2] - before.place[2]];
  const way = Math.hypot(x, z);
  if (way < 1e-5 || way > 3) return { place, turn: before.turn };
  const half = way / radius / 2;
  const [ax, az, aw] = [(z / way) * Math.sin(half), (-x / way) * Math.sin(half), Math.cos(half)];
  const [bx, by, bz, bw] = before.turn;
  const turned = [
    aw * bx + ax * bw - az * by,
    aw * by + az * bx - ax * bz,
    aw * bz + az * bw + ax * by,
    aw * bw - ax * bx - az * bz,
  ];
  const length = Math.hypot(...turned);
  return { place, turn: /** @type {Turn} */ (turned.map((part) => part / length)) };
}

requestAnimationFrame(frame);

// For checks from outside: what this page knows.
Object.defineProperty(window, 'world', {
  value: {
    get state() {
      const bodies = [...(follower.newest?.bodies ?? [])];
      return {
        status,
        connections,
        extensions: socket.extensions,
        id: welcome?.id,
        tick: follower.newest?.tick ?? 0,
        counts: { ...follower.counts },
        own: predictor.known ? [...predictor.position] : undefined,
        shown,
        players: bodies.filter(([, { kind }]) => kind === PLAYER).map(([id, { position }]) => ({ id, position: position.map((part) => part / 512) })),
        bodies: bodies.length,
        roundTrip: panel.roundTrip,
        totals: panel.totals,
        bytesASecond: panel.bytesASecond,
      };
    },
  },
});
