// The Node.js peer, on npm's `ws`: the same command line, scenarios and report as peer.py, which explains them.
'use strict';

const fs = require('fs');
const http = require('http');
const https = require('https');
const path = require('path');
const { parseArgs } = require('util');
const { WebSocket, WebSocketServer } = require('ws');

const MATRIX = JSON.parse(fs.readFileSync(path.join(__dirname, 'matrix.json'), 'utf8'));
const PATIENCE = 20; // seconds for anything that is waited for
const WORDS = 'frame mask opcode Grüße 世界 payload 😀 fin '.split(' ');

// What comes from the other end, in the order in which it came; ask for it one by one.
class Inbox {
  constructor(ws) {
    this.events = [];
    this.wake = () => {};
    const put = (event) => {
      this.events.push(event);
      this.wake();
    };
    ws.on('message', (data, isBinary) => put({ what: 'message', data, isBinary }));
    ws.on('pong', (data) => put({ what: 'pong', data }));
    ws.on('close', (code, reason) => put({ what: 'close', code, reason: reason.toString() }));
    ws.on('error', (error) => put({ what: 'error', error }));
  }

  async next(what) {
    const deadline = Date.now() + PATIENCE * 1000;
    while (this.events.length === 0) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`waited ${PATIENCE} s for a ${what} in vain`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => (clearTimeout(timer), resolve());
      });
    }
    const event = this.events.shift();
    if (event.what === 'error') throw event.error;
    if (event.what !== what) throw new Error(`a ${event.what} came where a ${what} was due`);
    return event;
  }
}

async function matrix(ws, inbox) {
  for (const [number, message] of MATRIX.messages.entries()) {
    const sent = payload(message.kind, message.bytes, number);
    const what = `message ${number} (${JSON.stringify(message)})`;
    if (message.fragments) {
      sendInFragments(ws, sent, message);
      const pong = await inbox.next('pong');
      if (pong.data.toString() !== 'between') throw new Error(`${what}: the pong is not for the ping`);
    } else {
      ws.send(sent, { binary: message.kind !== 'text' });
    }
    expectEcho(await inbox.next('message'), sent, message.kind, what);
  }
  const { kind, bytes, count } = MATRIX.burst;
  const burst = Array.from({ length: count }, (_, number) => payload(kind, bytes, number));
  for (const sent of burst) ws.send(sent, { binary: kind !== 'text' });
  for (const [number, sent] of burst.entries()) {
    expectEcho(await inbox.next('message'), sent, kind, `message ${number} of the burst`);
  }
  for (const size of MATRIX.pings) {
    const sent = Buffer.alloc(size, 'p');
    ws.ping(sent);
    if (!sent.equals((await inbox.next('pong')).data)) throw new Error(`the pong to a ping of ${size} bytes differs`);
  }
  await close(ws, inbox, { code: 1000, reason: 'done' });
}

// Cut anywhere, also inside a character; a ping goes out between the first two fragments.
function sendInFragments(ws, data, message) {
  const size = Math.ceil(data.length / message.fragments);
  for (let start = 0; start < data.length; start += size) {
    const fin = start + size >= data.length;
    ws.send(data.subarray(start, start + size), { binary: message.kind !== 'text', fin });
    if (start === 0) ws.ping('between');
  }
}

async function close(ws, inbox, { code, reason }) {
  if (code === null) ws.close();
  else ws.close(code, reason);
  const received = await inbox.next('close');
  if (received.code === 1006) throw new Error('the connection ended without a Close frame');
  // The code comes back (RFC 6455 §5.5.1); our reason is ours alone.
  if (received.code !== (code ?? 1005) || received.reason !== '') {
    throw new Error(`close ${code} '${reason}' was answered with ${received.code} '${received.reason}'`);
  }
}

async function echoOnce(ws, inbox) {
  const sent = Buffer.from('before');
  ws.send(sent, { binary: false });
  expectEcho(await inbox.next('message'), sent, 'text', 'the only message');
}

function expectEcho({ data, isBinary }, sent, kind, what) {
  if (isBinary !== (kind !== 'text')) throw new Error(`${what}: sent ${kind}, got back the other kind`);
  if (!sent.equals(data)) {
    throw new Error(`${what}: the ${data.length} bytes that came back are not the ${sent.length} sent`);
  }
}

function payload(kind, size, seed) {
  let state = seed + 1;
  const chance = (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  if (kind === 'noise') return Buffer.from(Array.from({ length: size }, () => chance(256)));
  const words = [];
  for (let left = size; ; ) {
    const word = Buffer.from(`${WORDS[chance(WORDS.length)]} `);
    left -= word.length;
    if (left < 0) break;
    words.push(word);
  }
  return Buffer.concat([...words, Buffer.alloc(size, '.')], size);
}

const SCENARIOS = {
  '/matrix': matrix,
  '/drop': async (ws, inbox) => {
    await echoOnce(ws, inbox);
    ws.terminate();
  },
};
for (const end of MATRIX.closes) {
  SCENARIOS[`/close/${end.code ?? 'none'}`] = async (ws, inbox) => {
    await echoOnce(ws, inbox);
    await close(ws, inbox, end);
  };
}

async function outcome(scenario, ws, inbox) {
  try {
    await SCENARIOS[scenario](ws, inbox);
    return null;
  } catch (error) {
    ws.terminate();
    return error.message;
  }
}

function report(scenario, fault) {
  console.log(JSON.stringify({ scenario, fault }));
}

async function client({ url, ca, compression }) {
  const trust = ca ? { ca: fs.readFileSync(ca) } : {};
  for (const scenario of Object.keys(SCENARIOS)) {
    if (scenario === '/drop') continue;
    const ws = new WebSocket(url + scenario, { ...trust, perMessageDeflate: deflate(compression) });
    const inbox = new Inbox(ws);
    const opened = new Promise((resolve) => ws.on('open', () => resolve(true)).on('error', () => resolve(false)));
    report(scenario, (await opened) ? await outcome(scenario, ws, inbox) : inbox.events[0].error.message);
  }
}

function server({ cert, key, compression }) {
  const listener = cert
    ? https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) })
    : http.createServer();
  const verifyClient = ({ req }, decide) => decide(req.url in SCENARIOS, 403, 'no such scenario');
  const wss = new WebSocketServer({ server: listener, verifyClient, perMessageDeflate: deflate(compression) });
  wss.on('connection', async (ws, request) => {
    report(request.url, await outcome(request.url, ws, new Inbox(ws)));
  });
  listener.listen(0, '127.0.0.1', () => {
    console.log(`listening on ${cert ? 'wss' : 'ws'}://127.0.0.1:${listener.address().port}/`);
  });
}

function deflate(compression) {
  if (compression === 'off') return false;
  const narrow = {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    serverMaxWindowBits: 10,
    clientMaxWindowBits: 10,
  };
  return { threshold: 128, ...(compression === 'narrow' ? narrow : {}) };
}

const text = { type: 'string' };
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { url: text, ca: text, cert: text, key: text, compression: { type: 'string', default: 'on' } },
});
({ client, server })[positionals[0]](values);
