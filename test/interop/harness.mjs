// What the scripts for Node share: cases that run in order and are reported in TAP, and the hawser command as a process.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const caseSeconds = 60;
const allSeconds = 240;

export const mebibyte = 1024 * 1024;
export const text = 'grüße, 世界 🎉';

/// The promise's value, unless it takes too long.
export async function within(seconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came in ${seconds.toFixed()} s`)), Math.max(0, seconds) * 1000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/// Every combination of what each key may be.
export function combinations(choices) {
  return Object.entries(choices).reduce(
    (all, [key, values]) => all.flatMap((one) => values.map((value) => (value === undefined ? one : { ...one, [key]: value }))),
    [{}],
  );
}

/// The command's options for these parameters of permessage-deflate; `true` is one without a value.
export function deflateOptions(parameters) {
  const options = Object.entries(parameters).map(([name, value]) => (value === true ? name : `${name}=${value}`));
  return ['--deflate', ...options.flatMap((option) => ['--deflate-option', option])];
}

/// Runs pairs of name and async function; sets the exit status.
export async function run(cases) {
  const end = performance.now() + allSeconds * 1000;
  let count = 0;
  for (const [name, test] of cases) {
    count += 1;
    try {
      await within(Math.min(caseSeconds, (end - performance.now()) / 1000), test());
      console.log(`ok ${count} - ${name}`);
    } catch (error) {
      process.exitCode = 1;
      console.log(`not ok ${count} - ${name}\n# ${String(error).slice(0, 2000).replaceAll('\n', '\n# ')}`);
    }
  }
  console.log(`1..${count}`);
}

/// `hawser serve` on a free port, with more options: its URI, and stop(), which gives its exit status.
export async function serve(hawser, ...more) {
  const options = ['serve', '--port', '0', '--commands', '--subprotocol', 'chat', '--subprotocol', 'superchat', ...more];
  const server = spawn(hawser, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => server.kill('SIGKILL'));
  const ended = once(server, 'exit');
  const [line] = await within(caseSeconds, once(createInterface(server.stdout), 'line'));
  const uri = /^listening on (wss?:\S+)$/.exec(line)?.[1];
  assert(uri, `hawser serve printed "${line}" instead of its address`);
  const stop = async () => {
    server.kill('SIGTERM');
    return (await within(caseSeconds, ended))[0];
  };
  return { uri, stop };
}

/// Runs the command with this input to its end: exit status, standard output and standard error.
export async function command(hawser, options, input) {
  const child = spawn(hawser, options);
  child.stdin.on('error', () => {}); // it may end before it has read everything
  child.stdin.end(input);
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  const collect = async (stream) => Buffer.concat(await stream.toArray()).toString();
  const [out, err, [status]] = await Promise.all([collect(child.stdout), collect(child.stderr), once(child, 'exit')]);
  process.off('exit', kill);
  return { status, out, err };
}
