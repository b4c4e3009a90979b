// An echo server of Node's ws, which the interoperation tests install.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const { WebSocketServer } = createRequire(new URL('../interop/', import.meta.url))('ws');

const server = createServer();
new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 200 * 1024 * 1024 }).on('connection', (connection) => {
  connection.on('message', (data, isBinary) => connection.send(data, { binary: isBinary }));
  connection.on('error', () => {});
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(`ws://127.0.0.1:${server.address().port}/`));
