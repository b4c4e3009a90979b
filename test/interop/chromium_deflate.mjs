#!/usr/bin/env node
// permessage-deflate between headless Chromium and `hawser serve --deflate`: chromium_deflate.mjs HAWSER CHROMIUM

import assert from 'node:assert/strict';
import { openBrowser } from './browser.mjs';
import { combinations, deflateOptions, mebibyte, run, serve, text } from './harness.mjs';

const [hawser, executablePath] = process.argv.slice(2);
const { inPage, visit, close } = await openBrowser(executablePath);

const contents = ['', 'short', text.repeat(500), 'x'.repeat(mebibyte), 'one two three '.repeat(300)];

/// Opens a connection, has the contents echoed as text and as binary, and noise; what was agreed on, and what was not echoed.
const exchange = () => inPage(async (sent) => {
  const { socket, next, closed } = await openSocket();
  const wrong = [];
  for (const content of sent) {
    socket.send(content);
    if ((await next()) !== content) wrong.push(content.length);
    socket.send(new Blob([content]));
    if (new TextDecoder().decode(await next()) !== content) wrong.push(-content.length);
  }
  const noise = crypto.getRandomValues(new Uint8Array(5000));
  socket.send(noise);
  const echo = new Uint8Array(await next());
  if (echo.length !== noise.length || !echo.every((byte, i) => byte === noise[i])) wrong.push('noise');
  const { extensions } = socket;
  socket.close(1000);
  return { extensions, wrong, code: (await closed).code };
}, contents);

const cases = {
  async 'its offer is answered, whatever the server is set to, and messages pass both ways'() {
    const settings = combinations({
      server_no_context_takeover: [undefined, true],
      client_no_context_takeover: [undefined, true],
      server_max_window_bits: [undefined, 9, 15],
      client_max_window_bits: [undefined, 9, 15],
      threshold: [undefined, 0],
    });
    for (const setting of settings) {
      const server = await serve(hawser, ...deflateOptions(setting));
      await visit(server);
      const { extensions, wrong, code } = await exchange();
      const what = JSON.stringify(setting);
      // Chromium offers client_max_window_bits alone.
      assert.match(extensions, /^permessage-deflate(; |$)/, what);
      assert.doesNotMatch(extensions, /server_max_window_bits/, what);
      assert.equal(extensions.includes('server_no_context_takeover'), 'server_no_context_takeover' in setting, what);
      assert.equal(extensions.includes('client_no_context_takeover'), 'client_no_context_takeover' in setting, what);
      assert.equal(extensions.includes('client_max_window_bits'), setting.client_max_window_bits !== 15, what);
      assert.deepEqual(wrong, [], what);
      assert.equal(code, 1000, what);
      assert.equal(await server.stop(), 0);
    }
  },

  async 'without --deflate nothing is agreed on'() {
    const server = await serve(hawser);
    await visit(server);
    const { extensions, wrong } = await exchange();
    assert.equal(extensions, '');
    assert.deepEqual(wrong, []);
    await server.stop();
  },

  async 'a message that inflates to more than the bound is closed with 1009'() {
    const server = await serve(hawser, '--deflate', '--max-message', '1M');
    await visit(server);
    const outcome = await inPage(async (size) => {
      const { socket, next, closed } = await openSocket();
      socket.send('x'.repeat(size));
      const echo = await next();
      socket.send('x'.repeat(size + 1));
      return [echo.length, (await closed).code];
    }, mebibyte);
    assert.deepEqual(outcome, [mebibyte, 1009]);
    await server.stop();
  },
};

try {
  await run(Object.entries(cases));
} finally {
  await close();
}
process.exit();
