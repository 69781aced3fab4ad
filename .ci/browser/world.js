// Two tabs of a headless Chromium in the world. Prints what it sees, one JSON value a line: {"step": ..., ...}.
'use strict';

const { PATIENCE, header, open, read, run, tell, version } = require('./chromium.js');

const SOFTWARE_GL = ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'];
const SIZE = { width: 640, height: 400 }; // pixels are drawn by the processor

const options = read();
const state = (page) => page.evaluate(() => window.world.state);
const seen = async (page, id) => (await state(page)).players.find((player) => player.id === id)?.position;
const apart = (one, other) => Math.hypot(...one.map((part, axis) => part - other[axis]));

run(options, SOFTWARE_GL, { viewport: SIZE }, async (context) => {
  tell('started', { version: version(context) });
  const tabs = [await enter(context), await enter(context)];
  await play(tabs);
  await comeBack(tabs);
});

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
    agreed: header(events.HandshakeResponseReceived[0].response, 'sec-websocket-extensions'),
    binary: events.FrameReceived.filter(({ response }) => response.opcode === 2).length,
    panel: (await one.page.locator('#panel').innerText()).split('\n'),
    errors: [...one.errors, ...other.errors],
  });
}

// The server is killed, and started again at the same address.
async function comeBack(tabs) {
  tell('ready for the end');
  for (const { page } of tabs) await waitFor('the tab tells that it reconnects', async () => (await state(page)).status !== 'open');
  tell('ended');
  for (const { page } of tabs) {
    await waitFor('the tab is back and in step', async () => {
      const { status, own, connections, players } = await state(page);
      return status === 'open' && own && connections > 1 && players.length === 2;
    });
  }
  tell('came back', { states: await Promise.all(tabs.map(({ page }) => state(page))) });
}

// A new tab with a ball of its own.
async function enter(context) {
  const tab = await open(context, options.url);
  await waitFor('the own ball is known', async () => Boolean((await state(tab.page)).own));
  return tab;
}

async function waitFor(what, holds) {
  const until = Date.now() + PATIENCE;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > until) throw new Error(`not within ${PATIENCE / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
