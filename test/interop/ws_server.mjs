#!/usr/bin/env node
// npm's ws as a server for the hawser command: ws_server.mjs HAWSER

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import { command, mebibyte, run, text, within } from './harness.mjs';

const hawser = process.argv[2];

/// Runs the command against a server that serves one client with `handler`. Gives how the command ended,
/// what the handler returned, and the status and reason of the client's close.
async function meet(handler, [verb, ...rest], { input = '', ...options } = {}) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  await once(server, 'listening');
  const served = once(server, 'connection').then(async ([socket, request]) => {
    // Not once(), which an 'error' event would end too.
    const closed = new Promise((resolve) => socket.on('close', (...status) => resolve(status)));
    socket.on('error', () => {});
    const handled = await handler(socket, request);
    const [code, reason] = await closed;
    return { handled, code, reason: reason.toString() };
  });
  served.catch(() => {}); // reported below, where it is waited for
  try {
    const ended = await command(hawser, [verb, `ws://127.0.0.1:${server.address().port}/path?query=1`, ...rest], input);
    return { ...ended, ...(await within(10, served)) };
  } finally {
    server.close();
    for (const socket of server.clients) socket.terminate();
  }
}

function echo(socket) {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
}

async function expectEcho(socket, content, send = () => socket.send(content)) {
  const message = once(socket, 'message');
  send();
  const [data, isBinary] = await message;
  assert.deepEqual(isBinary ? data : data.toString(), content);
}

/// `hawser echo` against `handler`, after which the server closes with 1000.
async function expectEchoes(handler) {
  const ended = await meet(async (socket) => {
    await handler(socket);
    socket.close(1000, 'done');
  }, ['echo']);
  assert.equal(ended.status, 0, ended.err);
  assert.equal(ended.code, 1000);
}

const cases = {
  async 'send: every message arrives, the replies are printed, the close is clean'() {
    const messages = ['hello', text, 'third'];
    const ended = await meet(echo, ['send', ...messages]);
    assert.equal(ended.status, 0, ended.err);
    assert.deepEqual(ended.out.trimEnd().split('\n'), messages);
    assert.equal(ended.code, 1000);
  },

  async 'connect: lines from a pipe become messages, and all answers are printed before the end'() {
    const lines = [...Array(100).keys()].map((i) => `${i}: ${text}`.repeat(i));
    const ended = await meet(echo, ['connect'], { input: lines.join('\n') });
    assert.equal(ended.status, 0, ended.err);
    assert.deepEqual(ended.out.split('\n'), [...lines, '']);
    assert.equal(ended.code, 1000);
  },

  async 'connect: a close with another status and reason'() {
    const ended = await meet(echo, ['connect', '--close', `4001:${text}`]);
    assert.equal(ended.status, 0, ended.err);
    assert.deepEqual([ended.code, ended.reason], [4001, text]);
  },

  async 'connect: header, subprotocol and path are in the request'() {
    const ended = await meet(
      (socket, request) => [request.url, request.headers['x-color'], socket.protocol],
      ['connect', '--header', 'X-Color: blue', '--subprotocol', 'chat'],
    );
    assert.equal(ended.status, 0, ended.err);
    assert.deepEqual(ended.handled, ['/path?query=1', 'blue', 'chat']);
  },

  async 'echo: text and binary of every length class come back'() {
    const texts = [text, '', 'x'.repeat(125), 'x'.repeat(126), 'x'.repeat(65535), 'x'.repeat(65536)];
    const binaries = [Buffer.from([...Array(256).keys()]), Buffer.alloc(0), Buffer.alloc(65536)];
    await expectEchoes(async (socket) => {
      for (const content of [...texts, ...binaries]) await expectEcho(socket, content);
    });
  },

  async 'echo: 1 MiB of text and of binary come back'() {
    await expectEchoes(async (socket) => {
      await expectEcho(socket, 'é'.repeat(mebibyte / 2));
      await expectEcho(socket, Buffer.alloc(mebibyte, 'hawser'));
    });
  },

  async 'echo: fragments are put together, cut within a character too'() {
    const bytes = Buffer.from(text);
    await expectEchoes(async (socket) => {
      for (const content of [text, bytes]) {
        await expectEcho(socket, content, () => {
          bytes.forEach((byte, i) => socket.send(Buffer.from([byte]), { binary: content === bytes, fin: i === bytes.length - 1 }));
        });
      }
    });
  },

  async 'echo: pings are answered, between fragments too'() {
    await expectEchoes(async (socket) => {
      for (const content of ['', 'hello', 'x'.repeat(125)]) {
        const pong = once(socket, 'pong');
        socket.ping(content);
        assert.equal((await pong)[0].toString(), content);
      }
      const pong = once(socket, 'pong');
      socket.send('first ', { fin: false });
      socket.ping('between');
      assert.equal((await pong)[0].toString(), 'between');
      await expectEcho(socket, 'first second', () => socket.send('second', { fin: true }));
    });
  },

  async 'echo: a close is answered with its status; only 1000 ends with exit status 0'() {
    for (const [code, reason, status] of [[1000, 'done', 0], [1001, 'leaving', 1], [1011, '', 1], [4999, text, 1]]) {
      const ended = await meet((socket) => socket.close(code, reason), ['echo']);
      assert.equal(ended.code, code);
      assert.equal(ended.status, status, ended.err);
      if (status !== 0) assert.match(ended.err, new RegExp(code));
    }
  },

  async 'echo: a connection that breaks is a failure'() {
    const ended = await meet((socket) => socket.terminate(), ['echo']);
    assert.equal(ended.status, 1);
    assert.notEqual(ended.err, '');
  },

  async 'echo: a message over the bound is closed with 1009 by the server, and that is a failure'() {
    const ended = await meet((socket) => socket.send('x'.repeat(1000)), ['echo'], { maxPayload: 999 });
    assert.equal(ended.status, 1);
    assert.match(ended.err, /1009/);
  },

  async 'echo: no extension is agreed on that the client did not offer'() {
    const ended = await meet((socket) => {
      const extensions = socket.extensions;
      socket.close(1000);
      return extensions;
    }, ['echo'], { perMessageDeflate: true });
    assert.equal(ended.status, 0, ended.err);
    assert.equal(ended.handled, '');
  },
};

await run(Object.entries(cases));
process.exit();
