// Two tabs of a headless Chromium in the world. Prints what it sees, one JSON value a line: {"step": ..., ...}.
'use strict';

const { parseArgs } = require('util');
const { chromium } = require('playwright-core');

const PATIENCE = 120_000; // milliseconds for anything that is waited for; the machine may be busy
const ARGUMENTS = ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'].concat([
  '--no-sandbox',
  '--no-first-run',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]);
const SIZE = { width: 640, height: 400 }; // pixels are drawn by the processor

const { values: options } = parseArgs({
  options: {
    chromium: { type: 'string' }, // the executable
    url: { type: 'string' }, // the page of the server under test
  },
});

const tell = (step, what) => console.log(JSON.stringify({ step, ...what }));
const state = (page) => page.evaluate(() => window.world.state);
const seen = async (page, id) => (await state(page)).players.find((player) => player.id === id)?.position;
const apart = (one, other) => Math.hypot(...one.map((part, axis) => part - other[axis]));

async function main() {
  const browser = await chromium.launch({
    executablePath: options.chromium,
    args: ARGUMENTS,
    chromiumSandbox: false,
    timeout: PATIENCE,
  });
  try {
    tell('started', { version: browser.version() });
    const tabs = [await open(browser), await open(browser)];
    await play(tabs);
    await comeBack(tabs);
  } finally {
    await browser.close();
  }
}

// What one does, the other sees, and both know the same in the end.
async function play([one, other]) {
  const { id } = await state(one.page);
  await waitFor('the other tab sees the player stand', async () => (await seen(other.page, id))?.[1] < 0.7);
  const began = await seen(other.page, id);
  await one.page.locator('#view').focus();
  // Into the middle, wherever that is: the camera stands behind the player by its own angle.
  await one.page.keyboard.down('KeyW');
  await waitFor('the other tab sees the player move', async () => apart(await seen(other.page, id), began) > 1.5);
  await one.page.keyboard.up('KeyW');
  await waitFor('both know the same place, and what is foreseen is there', async () => {
    const [mine, theirs] = [await state(one.page), await seen(other.page, id)];
    return apart(mine.players.find((player) => player.id === id).position, theirs) < 0.05 && apart(mine.shown, theirs) < 0.3;
  });
  await waitFor('the panel has figures', async () => (await one.page.locator('#ratio').textContent()).endsWith('%'));
  await waitFor('two players are counted', async () => (await one.page.locator('#players').textContent()) === '2');
  const { counts, ...mine } = await state(one.page);
  const { events } = one;
  tell('played', {
    moved: apart(await seen(other.page, id), began),
    counts,
    extensions: mine.extensions,
    totals: mine.totals,
    roundTrip: mine.roundTrip,
    bytesASecond: mine.bytesASecond,
    response: header(events.responses[0], 'sec-websocket-extensions'),
    binary: events.received.filter(({ opcode }) => opcode === 2).length,
    panel: (await one.page.locator('#panel').innerText()).split('\n'),
    errors: [...one.errors, ...other.errors],
  });
}

// The server is killed, and started again at the same address.
async function comeBack(tabs) {
  tell('ready for the end', {});
  for (const { page } of tabs) await waitFor('the tab tells that it reconnects', async () => (await state(page)).status !== 'open');
  tell('ended', {});
  for (const { page } of tabs) {
    await waitFor('the tab is back and in step', async () => {
      const { status, own, connections, players } = await state(page);
      return status === 'open' && own && connections > 1 && players.length === 2;
    });
  }
  tell('came back', { states: await Promise.all(tabs.map(({ page }) => state(page))) });
}

// A new window, and what the browser's protocol tells of its sockets.
async function open(browser) {
  const context = await browser.newContext({ viewport: SIZE });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const tab = { page, events: { responses: [], received: [] }, errors: [] };
  session.on('Network.webSocketHandshakeResponseReceived', ({ response }) => tab.events.responses.push(response));
  session.on('Network.webSocketFrameReceived', ({ response }) => tab.events.received.push(response));
  page.on('pageerror', (error) => tab.errors.push(error.message));
  await session.send('Network.enable');
  await page.goto(options.url);
  await waitFor('the own ball is known', async () => Boolean((await state(page)).own));
  return tab;
}

async function waitFor(what, holds) {
  const until = Date.now() + PATIENCE;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > until) throw new Error(`not within ${PATIENCE / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function header({ headers }, wanted) {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === wanted)?.[1] ?? '';
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
