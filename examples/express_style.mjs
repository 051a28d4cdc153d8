// An app written for node:http, as Express apps are. With Express it would be:
//
//     import express from 'express';
//     const app = express();
//     app.get('/', (request, response) => response.send('Hello\n'));
//     export const application = fromNodeHandler(app);

import { fromNodeHandler } from './node-handler.mjs';

const ROUTES = {
  'GET /': (_request, response) => {
    response.setHeader('Content-Type', 'text/plain');
    response.end('Hello from a node:http handler\n');
  },
  'POST /echo': (request, response) => {
    response.writeHead(200, { 'Content-Type': request.headers['content-type'] ?? 'application/octet-stream' });
    request.pipe(response);
  },
  'GET /count': async (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    for (let i = 1; i <= 3; i++) {
      response.write(`data: ${i}\n\n`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    response.end();
  },
};

function handler(request, response) {
  const route = ROUTES[`${request.method} ${request.url.split('?')[0]}`];
  if (route !== undefined) route(request, response);
  else response.writeHead(404, { 'Content-Type': 'text/plain' }).end('There is nothing here\n');
}

export const application = fromNodeHandler(handler);
