#!/usr/bin/env node
// npm's ws as an echo server or client for `hawser check`: ws_echo.mjs serve|URL
// As a client it connects again and again until that is refused.

import { once } from 'node:events';
import WebSocket, { WebSocketServer } from 'ws';

const options = { perMessageDeflate: { threshold: 0 } };

function echo(socket) {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
}

async function serve() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  server.on('connection', echo);
  await once(server, 'listening');
  console.log(`listening on ws://127.0.0.1:${server.address().port}/`);
}

async function call(url) {
  for (let refused = false; !refused; ) {
    const socket = new WebSocket(url, options);
    socket.on('error', (error) => {
      refused ||= error.code === 'ECONNREFUSED';
    });
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    await new Promise((resolve) => socket.on('close', resolve));
  }
}

const where = process.argv[2];
if (where === 'serve') await serve();
else await Promise.all(Array.from({ length: 16 }, () => call(where)));
