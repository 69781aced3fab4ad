// A headless Chromium with one of the demos in two tabs. Prints what it sees, one JSON value a line: {"step": ..., ...}.
'use strict';

const path = require('path');
const { header, open, read, run, tell } = require('./chromium.js');

const WIDTHS = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

const options = read({
  demo: { type: 'string' }, // which
  pictures: { type: 'string' }, // a folder
  crowd: { type: 'boolean', default: false }, // with many others there: a picture, and the numbers that the page shows
});

// What is done on each page, and how it is seen on the other. `round` counts: each time something else. `offline`: something that is done
// while the server is away, and seen when it is back.
const DEMOS = {
  chat: {
    status: '#status',
    async act(page, round) {
      await page.locator('#text').fill(`message ${round}`);
      await page.locator('#text').press('Enter');
    },
    async seen(page, round) {
      const text = page.locator('.text', { hasText: new RegExp(`^message ${round}$`) });
      await text.waitFor();
      await page.locator('.waits').waitFor({ state: 'detached' });
      if ((await text.count()) !== 1) throw new Error(`message ${round} is shown ${await text.count()} times`);
    },
    offline: true,
    async pose(pages) {
      const lines = [
        ['Ivy', 'Has anyone a plan for the harvest supper?'],
        ['Linden', 'Long table under the lime tree, if it stays dry.'],
        ['Linden', 'I can bring bread and the good knives.'],
        ['Ivy', 'Then I see to the soup. Pumpkin, from the lower field: we have more of those than anybody can eat, and they keep badly this year.'],
        ['Linden', 'Perfect. What about chairs?'],
        ['Ivy', 'Forty from the school. I asked.'],
      ];
      for (const [index, name] of ['Ivy', 'Linden'].entries()) {
        await pages[index].locator('#name').fill(name);
        await pages[index].locator('#name').press('Enter');
        await pages[index].evaluate(() => (location.hash = 'harvest'));
        await pages[index].locator('#people li', { hasText: name }).waitFor();
      }
      for (const [name, text] of lines) {
        const page = pages[name === 'Ivy' ? 0 : 1];
        await page.locator('#text').fill(text);
        await page.locator('#text').press('Enter');
        await pages[1].locator('.text', { hasText: text }).waitFor();
      }
      await pages[0].locator('#text').pressSequentially('And');
      await pages[1].locator('#typing', { hasText: 'Ivy' }).waitFor();
    },
  },
  cursors: {
    status: '#status',
    async act(page, round) {
      await page.mouse.move(...place(round));
    },
    async seen(page, round) {
      await page.waitForFunction(([x, y]) => {
        const canvas = document.querySelector('canvas');
        const scale = devicePixelRatio;
        return canvas.getContext('2d').getImageData((x + 4) * scale, (y + 8) * scale, 1, 1).data[3] === 255;
      }, place(round));
    },
    async pose() {},
    numbers: '#numbers',
  },
};

// Away from the middle, where pointers begin.
const place = (round) => [150 + 90 * round, 200 + 30 * round];
const demo = DEMOS[options.demo];

run(options, ['--enable-unsafe-swiftshader'], { viewport: WIDTHS.desktop }, async (context) => {
  const tabs = [await enter(context), await enter(context)];
  const pages = tabs.map(({ page }) => page);
  const errors = () => tabs.flatMap((tab) => tab.errors);
  if (options.crowd) {
    await crowd(pages);
    tell('crowd', { shown: (await pages[0].locator(demo.numbers).innerText()).replace(/\s+/g, ' '), errors: errors() });
    return;
  }
  await demo.act(pages[0], 1);
  await demo.seen(pages[1], 1);
  await demo.act(pages[1], 2);
  await demo.seen(pages[0], 2);
  tell('both ways', compression(tabs[0]));

  for (const page of pages) await page.locator(demo.status, { hasText: 'lost' }).waitFor();
  if (demo.offline) await demo.act(pages[0], 3);
  tell('lost');
  for (const page of pages) await page.locator(demo.status, { hasText: 'Connected' }).waitFor();
  if (demo.offline) for (const page of pages) await demo.seen(page, 3);
  await demo.act(pages[0], 4);
  await demo.seen(pages[1], 4);
  await demo.act(pages[1], 5);
  await demo.seen(pages[0], 5);
  tell('back');

  await demo.pose(pages);
  await pictures(pages[1], options.demo);
  tell('done', { errors: errors() });
});

async function crowd(pages) {
  await pages[0].waitForFunction(() => Number(document.querySelector('#here').textContent) === 202);
  // Two numbers of whole seconds with everybody there.
  for (let changes = 0; changes < 2; changes += 1) await pages[0].waitForTimeout(1100);
  await pictures(pages[0], `${options.demo}-crowd`);
}

async function pictures(page, name) {
  await page.bringToFront();
  for (const [width, viewport] of Object.entries(WIDTHS)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      // Drawn once more, with these.
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      await page.screenshot({ path: path.join(options.pictures, `${name}-${width}-${colorScheme}.png`) });
    }
  }
  await page.setViewportSize(WIDTHS.desktop);
}

// A new tab that is connected.
async function enter(context) {
  const tab = await open(context, options.url);
  await tab.page.locator(demo.status, { hasText: 'Connected' }).waitFor();
  return tab;
}

// What was said of it for the tab's first socket.
function compression({ events }) {
  const extensions = (message) => header(message, 'sec-websocket-extensions');
  return {
    offered: extensions(events.WillSendHandshakeRequest[0].request),
    agreed: extensions(events.HandshakeResponseReceived[0].response),
  };
}
