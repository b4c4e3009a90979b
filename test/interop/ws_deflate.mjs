#!/usr/bin/env node
// permessage-deflate between the hawser command and npm's ws, in both roles: ws_deflate.mjs HAWSER

import assert from 'node:assert/strict';
import { once } from 'node:events';
import WebSocket, { WebSocketServer } from 'ws';
import { combinations, command, deflateOptions, mebibyte, run, serve, text, within } from './harness.mjs';

const hawser = process.argv[2];
const contents = ['', 'short', text.repeat(500), 'x'.repeat(mebibyte), Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 31) % 251)), 'one two three '.repeat(300)];
const sets = [
  {},
  { server_no_context_takeover: true, client_no_context_takeover: true },
  { server_max_window_bits: 9, client_max_window_bits: 9, memory_level: 1, level: 9, threshold: 0 },
  { server_max_window_bits: 15, client_max_window_bits: 15, memory_level: 9, level: 1 },
];

async function exchange(socket) {
  for (const content of contents) {
    const message = once(socket, 'message');
    socket.send(content);
    const [data, isBinary] = await message;
    assert.deepEqual(isBinary ? data : data.toString(), content);
  }
}

const cases = {
  async 'serve: every offer that the client can make carries messages both ways'() {
    for (const parameters of sets) {
      const server = await serve(hawser, ...deflateOptions(parameters));
      const offers = combinations({
        serverNoContextTakeover: [undefined, true],
        clientNoContextTakeover: [undefined, true],
        serverMaxWindowBits: [undefined, 9, 15],
        clientMaxWindowBits: [undefined, true, 10, 15],
        threshold: [0],
      });
      for (const perMessageDeflate of offers) {
        const socket = new WebSocket(server.uri, { perMessageDeflate });
        await once(socket, 'open');
        assert.match(socket.extensions, /^permessage-deflate/, JSON.stringify(perMessageDeflate));
        await exchange(socket);
        socket.close(1000);
        assert.equal((await once(socket, 'close'))[0], 1000);
      }
      assert.equal(await server.stop(), 0);
    }
  },

  async 'serve: without --deflate nothing is agreed on'() {
    const server = await serve(hawser);
    const socket = new WebSocket(server.uri, { perMessageDeflate: true });
    await once(socket, 'open');
    assert.equal(socket.extensions, '');
    socket.close(1000);
    await once(socket, 'close');
    await server.stop();
  },

  async 'echo: every answer that the server can give carries messages both ways'() {
    for (const parameters of sets) {
      const answers = combinations({
        serverNoContextTakeover: [undefined, true],
        clientNoContextTakeover: [undefined, true],
        serverMaxWindowBits: [undefined, 9],
        clientMaxWindowBits: [undefined, 9, 10],
        threshold: [0],
      });
      for (const perMessageDeflate of answers) {
        const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate });
        await once(server, 'listening');
        const handled = once(server, 'connection').then(async ([socket]) => {
          await exchange(socket);
          socket.close(1000);
          return socket.extensions;
        });
        const [{ status, err }, extensions] = await Promise.all([
          command(hawser, ['echo', `ws://127.0.0.1:${server.address().port}/`, ...deflateOptions(parameters)]),
          within(30, handled),
        ]);
        assert.match(extensions, /permessage-deflate/, JSON.stringify([parameters, perMessageDeflate]));
        assert.equal(status, 0, err);
        server.close();
      }
    }
  },
};

await run(Object.entries(cases));
process.exit();
