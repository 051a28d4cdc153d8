// The reference for JS apps: uWebSockets.js by itself, one thread, with the answer of apps/hello.mjs.
//
// Why: it is the engine under --http, so it shows what the server adds to it. It loads the same binary as the server.

import { loadUws } from '../../src/listeners/uws-module.js';

const BODY = 'Hello, world!\n';
const HEAD_BYTES = 4096;

const uws = loadUws(HEAD_BYTES);
if (typeof uws === 'string') {
  console.error(`uWebSockets.js cannot be loaded: ${uws}`);
  process.exit(1);
}
const port = Number(process.argv[2]);
uws
  .App()
  .any('/*', (res) => {
    res.writeHeader('Content-Type', 'text/plain').end(BODY);
  })
  .listen('127.0.0.1', port, (socket) => {
    if (socket) return;
    console.error(`port ${port} is taken`);
    process.exit(1);
  });
