// npm's `ws` under a fuzzing suite, compressing where it is offered: the same command line and output as testee.py, which explains them.
'use strict';

const { parseArgs } = require('util');
const { WebSocket, WebSocketServer } = require('ws');

// Resolves when the connection has ended, with the first message where there was one.
function echo(ws) {
  let first = null;
  return new Promise((resolve) => {
    ws.on('message', (data, isBinary) => {
      first ??= data;
      // Judged by the suite, also where the connection is closing already.
      ws.send(data, { binary: isBinary }, () => {});
    });
    ws.on('error', () => {}); // 'close' follows
    ws.on('close', () => resolve(first));
  });
}

async function client({ url, agent }) {
  const visit = (path) => echo(new WebSocket(url + path));
  const count = Number(await visit('/getCaseCount'));
  if (!count) throw new Error('the suite does not tell its cases');
  for (let number = 1; number <= count; number += 1) await visit(`/runCase?case=${number}&agent=${agent}`);
  await visit(`/updateReports?agent=${agent}`);
}

function server() {
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: true });
  wss.on('connection', echo);
  wss.on('listening', () => console.log(`listening on ws://127.0.0.1:${wss.address().port}/`));
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { url: { type: 'string' }, agent: { type: 'string' } },
});
({ client, server })[positionals[0]](values);
