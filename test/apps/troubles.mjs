// An app with every way to come to harm, by path; the number in the query says how much or how long.
import { threadId } from 'node:worker_threads';

const leaked = [];

const TROUBLES = {
  '/exit': (n) => process.exit(n),
  '/uncaught': () => {
    setTimeout(() => {
      throw new Error('thrown by a timer');
    }, 1);
    return new Promise(() => {});
  },
  '/rejection': () => {
    void Promise.reject(new Error('nobody catches it'));
    return new Promise(() => {});
  },
  '/heap': () => {
    const all = [];
    for (;;) all.push(Array(1000).fill(all.length));
  },
  '/leak': (n) => {
    leaked.push(Buffer.alloc(n * 1048576, 1));
  },
  '/spin': (n) => {
    const end = Date.now() + n * 1000;
    while (Date.now() < end);
  },
  '/sleep': (n) => new Promise((resolve) => setTimeout(resolve, n * 1000)),
};

export async function application(environ, startResponse) {
  const path = environ.PATH_INFO;
  if (path in TROUBLES) {
    console.log(`${path} has begun`);
    await TROUBLES[path](Number(environ.QUERY_STRING || 0));
  }
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return path === '/who' ? String(threadId) : 'fine';
}
