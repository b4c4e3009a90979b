#!/usr/bin/env node
// npm's ws over TLS, as a client and as a server: ws_tls.mjs HAWSER

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket, { WebSocketServer } from 'ws';
import { command, mebibyte, run, serve, text } from './harness.mjs';

const hawser = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), 'hawser-test-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
execFileSync(new URL('../support/certificates.sh', import.meta.url).pathname, [folder]);
const file = (name) => join(folder, name);
const ca = readFileSync(file('root.pem'));
const identity = (name) => ({ cert: readFileSync(file(`${name}.pem`)), key: readFileSync(file(`${name}.key`)) });
const contents = [text, '', 'x'.repeat(16383), 'x'.repeat(65536), 'é'.repeat(mebibyte / 2)];
const trust = ['--cafile', file('root.pem')];

const server = await serve(hawser, '--tls', '--cert', file('server.pem'), '--key', file('server.key'));

async function open(options) {
  const socket = new WebSocket(server.uri, { ca, ...options });
  await once(socket, 'open');
  return socket;
}

async function expectEcho(socket, content) {
  const message = once(socket, 'message');
  socket.send(content);
  const [data, isBinary] = await message;
  assert.deepEqual(isBinary ? data : data.toString(), content);
}

/// Runs `hawser send` against ws on node's https; `tls`: its options.
async function send(messages, tls = {}, options = []) {
  const https = createServer({ ...identity('server'), ...tls });
  const sockets = new WebSocketServer({ server: https });
  sockets.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
  https.listen(0, '127.0.0.1');
  await once(https, 'listening');
  try {
    return await command(hawser, ['send', `wss://localhost:${https.address().port}/`, ...trust, ...options, ...messages], '');
  } finally {
    sockets.close();
    https.close();
  }
}

const cases = {
  async 'a client over TLS verifies the server, and everything is echoed'() {
    const socket = await open();
    for (const content of [...contents, Buffer.alloc(mebibyte, 'hawser')]) await expectEcho(socket, content);
    const closed = once(socket, 'close');
    socket.close(1000);
    assert.equal((await closed)[0], 1000);
  },

  async 'a client over TLS that expects another name refuses the server'() {
    await assert.rejects(open({ servername: 'other.example' }), /ERR_TLS_CERT_ALTNAME_INVALID|altnames/);
    await expectEcho(await open(), 'still there');
  },

  async 'thirty clients over TLS at once'() {
    await Promise.all(Array.from({ length: 30 }, async (_, i) => expectEcho(await open(), `mine is ${i}`)));
  },

  async 'send over TLS: every message arrives, the replies are printed'() {
    const messages = ['hello', text, 'x'.repeat(60000)];
    const { status, out, err } = await send(messages);
    assert.equal(status, 0, err);
    assert.deepEqual(out.trimEnd().split('\n'), messages);
  },

  async 'send over TLS shows its certificate to a server that asks for it'() {
    const strict = { ca, requestCert: true, rejectUnauthorized: true };
    const shown = await send(['hello'], strict, ['--cert', file('client.pem'), '--key', file('client.key')]);
    assert.equal(shown.status, 0, shown.err);
    assert.equal((await send(['hello'], strict)).status, 1);
  },

  async 'send over TLS refuses a server with another name'() {
    const { status, err } = await send(['hello'], identity('other'));
    assert.equal(status, 1);
    assert.match(err, /is not for "localhost" but for "other.example"/);
  },
};

await run(Object.entries(cases));
await server.stop();
process.exit();
