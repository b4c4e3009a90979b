#!/usr/bin/env node
// Headless Chromium as a client of `hawser serve`: chromium_client.mjs HAWSER CHROMIUM [OPTION...]
// The options go to the server. With --tls it has a certificate that nobody knows.

import assert from 'node:assert/strict';
import { openBrowser } from './browser.mjs';
import { mebibyte, run, serve, text } from './harness.mjs';

const [hawser, executablePath, ...options] = process.argv.slice(2);
const server = await serve(hawser, ...options);
const { page, inPage, visit, newPage, close } = await openBrowser(executablePath);
await visit(server);

const cases = {
  async 'text is echoed, an empty one too'() {
    const contents = [text, '', 'x'.repeat(125), 'x'.repeat(126), 'x'.repeat(65535), 'x'.repeat(65536)];
    const echoes = await inPage(async (sent) => {
      const { socket, next } = await openSocket();
      const received = [];
      for (const content of sent) {
        socket.send(content);
        received.push(await next());
      }
      return received;
    }, contents);
    assert.deepEqual(echoes, contents);
  },

  async 'binary is echoed, an empty one too'() {
    const lengths = await inPage(async () => {
      const { socket, next } = await openSocket();
      const received = [];
      for (const length of [0, 1, 256, 65536]) {
        const bytes = Uint8Array.from({ length }, (_, i) => i);
        socket.send(bytes);
        const echo = new Uint8Array(await next());
        received.push(echo.every((byte, i) => byte === bytes[i]) ? echo.length : 'other bytes');
      }
      return received;
    });
    assert.deepEqual(lengths, [0, 1, 256, 65536]);
  },

  async 'a message of 1 MiB is echoed, as text and as binary'() {
    const same = await inPage(async (length) => {
      const { socket, next } = await openSocket();
      const content = 'é'.repeat(length / 2);
      socket.send(content);
      const echo = await next();
      socket.send(new Blob([content]));
      return [echo === content, new TextDecoder().decode(await next()) === content, socket.bufferedAmount];
    }, mebibyte);
    assert.deepEqual(same, [true, true, 0]);
  },

  async 'a thousand messages come back in their order'() {
    const disorder = await inPage(async () => {
      const { socket, next } = await openSocket();
      for (let i = 0; i < 1000; i += 1) socket.send(`${i}`);
      for (let i = 0; i < 1000; i += 1) if ((await next()) !== `${i}`) return i;
      return null;
    });
    assert.equal(disorder, null);
  },

  async 'the server\'s ping leaves the connection usable'() {
    const echo = await inPage(async () => {
      const { socket, next } = await openSocket();
      socket.send('@ping');
      socket.send('still there');
      return next();
    });
    assert.equal(echo, 'still there');
  },

  async 'the first offered subprotocol that the server has is agreed on'() {
    const agree = (offered) => inPage(async (subprotocols) => (await openSocket(subprotocols)).socket.protocol, offered);
    assert.equal(await agree(['chat']), 'chat');
    assert.equal(await agree(['other', 'superchat', 'chat']), 'superchat');
    assert.equal(await agree([]), '');
    await assert.rejects(agree(['other']), /refused: 1006/);
  },

  async 'a close from the page is answered with its status'() {
    for (const [code, reason] of [[1000, ''], [1000, 'bye'], [3000, text], [4999, 'r'.repeat(123)]]) {
      const closed = await inPage(async (status) => {
        const { socket, closed } = await openSocket();
        socket.close(...status);
        return closed;
      }, [code, reason]);
      assert.equal(closed.code, code);
      assert.equal(closed.wasClean, true);
    }
  },

  async 'a close without a status is answered by one without'() {
    const closed = await inPage(async () => {
      const { socket, closed } = await openSocket();
      socket.close();
      return closed;
    });
    assert.equal(closed.code, 1005);
    assert.equal(closed.wasClean, true);
  },

  async 'a close from the server arrives with its status'() {
    const closed = await inPage(async () => {
      const { socket, closed } = await openSocket();
      socket.send('@close');
      return closed;
    });
    assert.equal(closed.code, 1000);
    assert.equal(closed.wasClean, true);
  },

  async 'the server drops the connection without a close'() {
    const closed = await inPage(async () => {
      const { socket, closed } = await openSocket();
      socket.send('@disconnect');
      return closed;
    });
    assert.equal(closed.code, 1006);
    assert.equal(closed.wasClean, false);
  },

  async 'fifty connections at once get their own messages back'() {
    const echoes = await inPage(() => Promise.all(Array.from({ length: 50 }, async (_, i) => {
      const { socket, next, closed } = await openSocket();
      socket.send(`mine is ${i}`);
      const echo = await next();
      socket.close(1000);
      return [echo, (await closed).code];
    })));
    assert.deepEqual(echoes, Array.from({ length: 50 }, (_, i) => [`mine is ${i}`, 1000]));
  },

  async 'the server\'s own page opens a WebSocket to it, without an error'() {
    const visitor = await newPage();
    const errors = [];
    visitor.on('pageerror', (error) => errors.push(String(error)));
    visitor.on('console', (line) => line.type() === 'error' && errors.push(line.text()));
    const opened = visitor.waitForEvent('websocket', { timeout: 20000 });
    const response = await visit(server, visitor);
    assert.equal(response.status(), 200);
    assert.match(response.headers()['content-type'], /^text\/html/);
    assert.equal(new URL((await opened).url()).host, new URL(server.uri).host);
    await visitor.waitForLoadState();
    assert.deepEqual(errors, []);
    await visitor.close();
  },

  async 'a page that is left ends its connections, and the server serves others'() {
    await inPage(async () => void (await openSocket()));
    await visit(server);
    const echo = await inPage(async () => {
      const { socket, next } = await openSocket();
      socket.send('hello again');
      return next();
    });
    assert.equal(echo, 'hello again');
  },

  async 'SIGTERM closes open connections with 1001 and ends the server with exit status 0'() {
    const closed = inPage(async () => {
      const { closed } = await openSocket();
      document.title = 'open';
      return closed;
    });
    closed.catch(() => {}); // reported where it is waited for
    await page.waitForFunction(() => document.title === 'open');
    assert.equal(await server.stop(), 0, 'exit status');
    assert.equal((await closed).code, 1001);
  },
};

try {
  await run(Object.entries(cases));
} finally {
  await close();
}
process.exit();
