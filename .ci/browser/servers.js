// A headless Chromium on the page of one of our servers. Prints what it sees, one JSON value a line: {"step": ..., ...}.
'use strict';

const { PATIENCE, header, open, read, run, tell, version } = require('./chromium.js');

const options = read({ foreign: { type: 'string' } }); // a page of another origin

run(options, ['--disable-gpu'], {}, async (context) => {
  tell('started', { version: version(context) });
  await ownPage(context);
  await foreignPage(context);
  await drain(context);
});

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
    offered: header(events.WillSendHandshakeRequest[0].request, 'sec-websocket-extensions'),
    status: events.HandshakeResponseReceived[0].response.status,
    agreed: header(events.HandshakeResponseReceived[0].response, 'sec-websocket-extensions'),
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
  tell('ready for SIGTERM');
  const ended = await page.evaluate(() => window.ended);
  await output.filter({ hasText: 'closed with' }).waitFor();
  tell('drained', {
    ended,
    shown: (await output.textContent()).split('\n').find((line) => line.startsWith('closed')),
    errors: events.FrameError.map(({ errorMessage }) => errorMessage),
  });
  await page.close();
}
