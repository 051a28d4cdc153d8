// The other reference for JS apps: node:http by itself, one thread, with the answer of apps/hello.mjs.
//
// Why: it is what a JS application would be served with if it came without a server.

import { createServer } from 'node:http';

const BODY = 'Hello, world!\n';
const BACKLOG = 1024;

createServer((_req, res) => {
  res.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': BODY.length });
  res.end(BODY);
}).listen(Number(process.argv[2]), '127.0.0.1', BACKLOG);
