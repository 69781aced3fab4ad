// A headless Chromium on the page of one of our servers. Prints what it sees, one JSON value a line: {"step": ..., ...}.
'use strict';

const { parseArgs } = require('util');
const { chromium } = require('playwright-core');

const PATIENCE = 120_000; // milliseconds for anything that is waited for; the machine may be busy
const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'].concat([
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]);
const EVENTS = ['WillSendHandshakeRequest', 'HandshakeResponseReceived', 'FrameSent', 'FrameReceived', 'FrameError', 'Closed'];

const { values: options } = parseArgs({
  options: {
    chromium: { type: 'string' }, // the executable
    profile: { type: 'string' }, // an empty folder
    url: { type: 'string' }, // the page of the server under test
    foreign: { type: 'string' }, // a page of another origin
  },
});

const tell = (step, what) => console.log(JSON.stringify({ step, ...what }));

async function main() {
  const context = await chromium.launchPersistentContext(options.profile, {
    executablePath: options.chromium,
    args: ARGUMENTS,
    chromiumSandbox: false,
    timeout: PATIENCE,
  });
  context.setDefaultTimeout(PATIENCE);
  try {
    tell('started', { version: context.browser()?.version() ?? 'unknown' });
    await ownPage(context);
    await foreignPage(context);
    await drain(context);
  } finally {
    await context.close();
  }
}

// The server's own page may connect, and what it sends comes back.
async function ownPage(context) {
  const { page, events } = await open(context, options.url);
  const output = page.locator('output');
  await output.filter({ hasText: 'connected' }).waitFor();
  const text = 'the same words again and again, '.repeat(200);
  await page.locator('input').fill(text);
  await page.locator('button').click();
  await output.filter({ hasText: `← ${text.trim()}` }).waitFor();
  tell('own page', {
    shown: (await output.textContent()).split('\n')[0],
    request: headers(events.WillSendHandshakeRequest[0].request),
    status: events.HandshakeResponseReceived[0].response.status,
    response: headers(events.HandshakeResponseReceived[0].response),
    sent: events.FrameSent.map(({ response }) => response.payloadData.length),
    received: events.FrameReceived.map(({ response }) => response.payloadData.length),
    echoed: events.FrameReceived[0]?.response.payloadData === text,
    errors: events.FrameError.map(({ errorMessage }) => errorMessage),
  });
  await page.close();
}

// A page of another origin may not.
async function foreignPage(context) {
  const { page, events } = await open(context, options.foreign);
  const target = new URL('ws', options.url.replace(/^http/, 'ws')).href;
  const closed = await page.evaluate(
    (url) =>
      new Promise((resolve) => {
        const socket = new WebSocket(url);
        socket.onopen = () => resolve({ opened: true });
        socket.onclose = ({ code, wasClean }) => resolve({ opened: false, code, wasClean });
      }),
    target,
  );
  // The events come on their own way, later than the page's. The status of a refusal is in this one.
  for (let waited = 0; waited < PATIENCE && !events.FrameError.length; waited += 50) {
    await page.waitForTimeout(50);
  }
  tell('foreign page', {
    ...closed,
    errors: events.FrameError.map(({ errorMessage }) => errorMessage),
  });
  await page.close();
}

// Whoever is connected when the server gets SIGTERM is told so.
async function drain(context) {
  const { page, events } = await open(context, options.url);
  const output = page.locator('output');
  await output.filter({ hasText: 'connected' }).waitFor();
  await page.evaluate((url) => {
    const socket = new WebSocket(url);
    window.ended = new Promise((resolve) => {
      socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean });
    });
    return new Promise((resolve) => (socket.onopen = resolve));
  }, new URL('ws', options.url.replace(/^http/, 'ws')).href);
  tell('ready for SIGTERM', {});
  const ended = await page.evaluate(() => window.ended);
  await output.filter({ hasText: 'closed with' }).waitFor();
  tell('drained', {
    ended,
    shown: (await output.textContent()).split('\n').find((line) => line.startsWith('closed')),
    errors: events.FrameError.map(({ errorMessage }) => errorMessage),
  });
  await page.close();
}

// A new tab, and what the browser's protocol tells of its sockets.
async function open(context, url) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const events = {};
  for (const name of EVENTS) {
    events[name] = [];
    session.on(`Network.webSocket${name}`, (event) => events[name].push(event));
  }
  await session.send('Network.enable');
  await page.goto(url);
  return { page, events };
}

// Names in lower case.
function headers(message) {
  return Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name.toLowerCase(), value]));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
