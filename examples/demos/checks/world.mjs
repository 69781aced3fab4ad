// The world's page against what the server's tests wrote: `node --test examples/demos/checks/world.mjs`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const pages = new URL('../pages/world/', import.meta.url);
const { Follower, apply, quaternion } = await import(new URL('follower.js', pages));
const { commandsMessage, pingMessage, readOwn, readPong } = await import(new URL('protocol.js', pages));
const { drive } = await import(new URL('predict.js', pages));
const { Playback } = await import(new URL('playback.js', pages));
const vectors = JSON.parse(readFileSync(new URL('world-vectors.json', import.meta.url), 'utf8'));

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16)).buffer;
const hex = (buffer) => Buffer.from(buffer).toString('hex');

const bodies = ({ bodies }) =>
  [...bodies]
    .sort(([one], [other]) => one - other)
    .map(([id, { kind, tint, position, largest, parts }]) => {
      const rotation = parts.reduce((bits, part) => bits * 1024 + part + 511, largest);
      return [id, kind, tint, ...position, rotation];
    });

test('deltas make what the server has, bit for bit', () => {
  const snapshots = new Map([[0, { tick: 0, bodies: new Map() }]]);
  for (const { base, tick, message, bodies: expected } of vectors.deltas) {
    const snapshot = apply(snapshots.get(base), bytes(message));
    assert.equal(snapshot.tick, tick);
    assert.deepEqual(bodies(snapshot), expected);
    if (tick) snapshots.set(tick, snapshot);
  }
  assert.ok(vectors.deltas.length > 40);
});

test('malformed messages are refused', () => {
  for (const { message } of vectors.refused) {
    assert.throws(() => apply({ tick: 0, bodies: new Map() }, bytes(message)), RangeError, message);
  }
  assert.ok(vectors.refused.length > 5);
});

test('a follower that lost its base asks for everything and goes on from there', () => {
  const follower = new Follower();
  const delta = vectors.deltas.find(({ base }) => base > 0);
  const full = vectors.deltas.find(({ base }) => base === 0);
  assert.equal(follower.take(bytes(delta.message)), false);
  assert.equal(follower.ack, 0);
  assert.equal(follower.take(bytes(full.message)), true);
  assert.equal(follower.ack, full.tick);
  assert.deepEqual(bodies(follower.newest), full.bodies);
});

test('rotations are unit quaternions', () => {
  const snapshot = apply({ tick: 0, bodies: new Map() }, bytes(vectors.deltas[0].message));
  assert.ok(snapshot.bodies.size > 0);
  for (const body of snapshot.bodies.values()) assert.ok(Math.abs(Math.hypot(...quaternion(body)) - 1) < 1e-9);
});

test('other messages have the bytes that the server reads and writes', () => {
  const { commands, ping, own, pong } = vectors.messages;
  const list = commands.commands.map(([x, z, buttons]) => ({ x, z, buttons }));
  assert.equal(hex(commandsMessage(commands.ack, commands.last, list)), commands.message);
  assert.equal(hex(pingMessage(ping.number)), ping.message);
  const { message: ownBytes, ...ownFields } = own;
  assert.deepEqual(readOwn(bytes(ownBytes)), ownFields);
  const { message: pongBytes, ...pongFields } = pong;
  assert.deepEqual(readPong(bytes(pongBytes)), pongFields);
  assert.throws(() => readOwn(bytes(ownBytes + '00')), RangeError);
  assert.throws(() => readPong(bytes(pongBytes.slice(2))), RangeError);
});

test('the page drives as the server does', () => {
  for (const { was, grounded, command: [x, z, buttons], is } of vectors.drives) {
    const now = drive(was, grounded, { x, z, buttons });
    now.forEach((part, axis) => assert.ok(Math.abs(part - is[axis]) < 1e-4, `${now} is not ${is}`));
  }
  assert.ok(vectors.drives.length > 100);
});

test('what is shown lies between two snapshots', () => {
  const at = (tick, x) => ({
    tick,
    bodies: new Map([[1, { kind: 1, tint: 0, position: [x, 0, 0], largest: 3, parts: [0, 0, 0] }]]),
  });
  const playback = new Playback();
  playback.advance(0, 106);
  assert.equal(playback.cursor, 100);
  const seen = [];
  playback.cursor = 101;
  playback.each([at(98, 0), at(100, 512), at(102, 1024)], (id, body, position) => seen.push([id, ...position]));
  assert.deepEqual(seen, [[1, 1.5, 0, 0]]);
});
