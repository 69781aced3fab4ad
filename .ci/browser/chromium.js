// What the scripts of this folder have in common: a Chromium, and a line of JSON for each step: {"step": ..., ...}.
'use strict';

const { parseArgs } = require('util');
const { chromium } = require('playwright-core');

const PATIENCE = 120_000; // milliseconds for anything that is waited for; the machine may be busy
const ARGUMENTS = ['--no-sandbox', '--no-first-run', '--disable-quic'].concat([
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]);

// The words behind the script: the executable, an empty folder, a page, and `more`.
function read(more = {}) {
  const string = { type: 'string' };
  return parseArgs({ options: { chromium: string, profile: string, url: string, ...more } }).values;
}

// Does `work` in a Chromium of its own, which is closed behind it.
function run(options, args, settings, work) {
  const launched = async () => {
    const context = await chromium.launchPersistentContext(options.profile, {
      executablePath: options.chromium,
      args: [...ARGUMENTS, ...args],
      chromiumSandbox: false,
      timeout: PATIENCE,
      ...settings,
    });
    context.setDefaultTimeout(PATIENCE);
    try {
      await work(context);
    } finally {
      await context.close();
    }
  };
  launched().catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}

function tell(step, what = {}) {
  console.log(JSON.stringify({ step, ...what }));
}

const version = (context) => context.browser()?.version() ?? 'unknown';

// A new tab, what its page logs, and what the browser's protocol tells of its sockets, an array for each kind of event.
async function open(context, url) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const tab = { page, errors: [], events: {} };
  page.on('pageerror', (error) => tab.errors.push(String(error)));
  // That there is no server for a while is no fault of the page's.
  page.on('console', (line) => line.type() === 'error' && !/WebSocket connection/.test(line.text()) && tab.errors.push(line.text()));
  for (const name of ['WillSendHandshakeRequest', 'HandshakeResponseReceived', 'FrameSent', 'FrameReceived', 'FrameError']) {
    tab.events[name] = [];
    session.on(`Network.webSocket${name}`, (event) => tab.events[name].push(event));
  }
  await session.send('Network.enable');
  await page.goto(url);
  return tab;
}

// Of a request or a response that the browser's protocol tells of, by its name in lower case; nothing where there is none.
function header(message, wanted) {
  return Object.entries(message.headers).find(([name]) => name.toLowerCase() === wanted)?.[1] ?? '';
}

module.exports = { PATIENCE, header, open, read, run, tell, version };
