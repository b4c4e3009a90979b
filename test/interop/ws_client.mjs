#!/usr/bin/env node
// npm's ws as a client of `hawser serve`: ws_client.mjs HAWSER

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import WebSocket from 'ws';
import { mebibyte, run, serve, text } from './harness.mjs';

const server = await serve(process.argv[2]);

async function open(...options) {
  const socket = new WebSocket(server.uri, ...options);
  await once(socket, 'open');
  return socket;
}

async function next(socket) {
  const [data, isBinary] = await once(socket, 'message');
  return isBinary ? data : data.toString();
}

async function close(socket, code = 1000, reason = '') {
  const closed = once(socket, 'close');
  socket.close(code, reason);
  assert.equal((await closed)[0], code, 'close status');
}

async function expectEcho(socket, content) {
  const echo = next(socket);
  socket.send(content);
  assert.deepEqual(await echo, content);
}

/// Sends parts as the fragments of one message.
function sendFragments(socket, parts, binary) {
  parts.forEach((part, i) => socket.send(part, { binary, fin: i === parts.length - 1 }));
}

const cases = {
  async 'text is echoed, an empty one too'() {
    const socket = await open();
    for (const content of [text, '', 'x'.repeat(125), 'x'.repeat(126), 'x'.repeat(65535), 'x'.repeat(65536)]) await expectEcho(socket, content);
    await close(socket);
  },

  async 'binary is echoed, an empty one too'() {
    const socket = await open();
    for (const content of [Buffer.from([...Array(256).keys()]), Buffer.alloc(0), Buffer.alloc(65536)]) await expectEcho(socket, content);
    await close(socket);
  },

  async 'a message of 1 MiB is echoed, as text and as binary'() {
    const socket = await open();
    await expectEcho(socket, 'é'.repeat(mebibyte / 2));
    await expectEcho(socket, Buffer.alloc(mebibyte, 'hawser'));
    await close(socket);
  },

  async 'fragments are put together, cut within a character too'() {
    const socket = await open();
    const bytes = Buffer.from(text);
    for (const parts of [[...bytes].map((byte) => Buffer.from([byte])), [bytes, Buffer.alloc(0), Buffer.from('!')]]) {
      for (const binary of [false, true]) {
        const echo = next(socket);
        sendFragments(socket, parts, binary);
        const whole = Buffer.concat(parts);
        assert.deepEqual(await echo, binary ? whole : whole.toString());
      }
    }
    await close(socket);
  },

  async 'a ping between two fragments is answered before the message is complete'() {
    const socket = await open();
    const pong = once(socket, 'pong');
    socket.send('first ', { fin: false });
    socket.ping('between');
    assert.equal((await pong)[0].toString(), 'between');
    const echo = next(socket);
    socket.send('second', { fin: true });
    assert.equal(await echo, 'first second');
    await close(socket);
  },

  async 'a ping is answered with its content, a pong that nobody asked for is ignored'() {
    const socket = await open();
    for (const content of ['', 'hello', 'x'.repeat(125)]) {
      const pong = once(socket, 'pong');
      socket.ping(content);
      assert.equal((await pong)[0].toString(), content);
    }
    socket.pong('unasked');
    await expectEcho(socket, 'still there');
    await close(socket);
  },

  async 'the server sends a ping'() {
    const socket = await open();
    const ping = once(socket, 'ping');
    socket.send('@ping');
    await ping;
    await expectEcho(socket, 'still there');
    await close(socket);
  },

  async 'the first offered subprotocol that the server has is agreed on'() {
    for (const [offered, agreed] of [[['chat'], 'chat'], [['other', 'superchat', 'chat'], 'superchat'], [[], '']]) {
      const socket = await open(offered);
      assert.equal(socket.protocol, agreed);
      await close(socket);
    }
    await assert.rejects(open(['other']), /no subprotocol/);
  },

  async 'a close from the client is answered with its status'() {
    for (const [code, reason] of [[1000, ''], [1000, 'bye'], [1001, 'leaving'], [3000, text], [4999, 'r'.repeat(123)]]) {
      await close(await open(), code, reason);
    }
  },

  async 'a close without a status is answered by one without'() {
    const socket = await open();
    const closed = once(socket, 'close');
    socket.close();
    assert.equal((await closed)[0], 1005);
  },

  async 'a close from the server arrives with its status'() {
    const socket = await open();
    const closed = once(socket, 'close');
    socket.send('@close');
    assert.equal((await closed)[0], 1000);
  },

  async 'the server drops the connection without a close'() {
    const socket = await open();
    const closed = once(socket, 'close');
    socket.send('@disconnect');
    assert.equal((await closed)[0], 1006);
  },

  async 'messages that are sent before a close are answered before its answer'() {
    const socket = await open();
    const received = [];
    socket.on('message', (data) => received.push(data.toString()));
    const sent = Array.from({ length: 100 }, (_, i) => `message ${i}`);
    sent.forEach((content) => socket.send(content));
    await close(socket);
    assert.deepEqual(received, sent);
  },

  async 'a message too broken for UTF-8 is closed with 1007'() {
    const socket = await open();
    const closed = once(socket, 'close');
    socket.send(Buffer.from([0xc3, 0x28]), { binary: false });
    assert.equal((await closed)[0], 1007);
  },

  async 'a plain request gets a page that opens a WebSocket'() {
    const [response] = await once(request(server.uri.replace('ws:', 'http:')).end(), 'response');
    const page = Buffer.concat(await response.toArray()).toString();
    assert.equal(response.statusCode, 200);
    assert.match(page, /new WebSocket/);
  },

  async 'SIGTERM closes open connections with 1001 and ends the server with exit status 0'() {
    const sockets = await Promise.all(Array.from({ length: 10 }, () => open()));
    const closed = sockets.map((socket) => once(socket, 'close'));
    assert.equal(await server.stop(), 0, 'exit status');
    for (const [code] of await Promise.all(closed)) assert.equal(code, 1001);
  },
};

await run(Object.entries(cases));
process.exit();
