// Headless Chromium with one page, for the scripts that have it as a client.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const args = [
  '--no-sandbox',
  '--ignore-certificate-errors',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/// What tests find inside the page: openSocket(), which connects to the page's own server.
function prepare() {
  const uri = location.origin.replace(/^http/, 'ws');
  /// A connection: opened, and with next() for what comes in, and closed, which gives the close event's fields.
  globalThis.openSocket = (subprotocols = []) => new Promise((resolve, reject) => {
    const socket = new WebSocket(uri, subprotocols);
    const messages = [];
    const waiting = [];
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => (waiting.length > 0 ? waiting.shift()(data) : messages.push(data));
    const next = () => (messages.length > 0 ? Promise.resolve(messages.shift()) : new Promise((take) => waiting.push(take)));
    const closed = new Promise((take) => {
      socket.onclose = ({ code, reason, wasClean }) => {
        take({ code, reason, wasClean });
        reject(new Error(`refused: ${code}`));
      };
    });
    socket.onopen = () => resolve({ socket, messages, next, closed });
  });
}

/// The page: inPage(test, argument) runs a function inside it, visit(server) goes to the page of a `hawser serve`, since one of
/// another origin would need the user's leave to reach this machine.
export async function openBrowser(executablePath) {
  const profile = await mkdtemp(join(tmpdir(), 'hawser-chromium-'));
  const browser = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args });
  const page = await browser.newPage();
  await page.addInitScript(prepare);
  return {
    page,
    inPage: (test, argument) => page.evaluate(test, argument),
    visit: (server, visitor = page) => visitor.goto(server.uri.replace(/^ws/, 'http')),
    newPage: () => browser.newPage(),
    async close() {
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
