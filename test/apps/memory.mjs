// Tells how much memory of malloc's the process has in use, keeps some if it is asked to, and answers in the ways in which
// a body can be told.

import { createRequire } from 'node:module';

const koffi = createRequire(import.meta.url)('koffi');
// struct mallinfo2 of malloc.h
const FIELDS = 'arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost'.split(' ');
koffi.struct('mallinfo2', Object.fromEntries(FIELDS.map((name) => [name, 'size_t'])));
const mallinfo2 = koffi.load(null).func('mallinfo2 mallinfo2()');

const kept = [];

export function application(env, startResponse) {
  const type = ['Content-Type', 'text/plain'];
  switch (env.PATH_INFO) {
    case '/used':
      startResponse('200 OK', [type]);
      return String(mallinfo2().uordblks);
    case '/fill':
      startResponse('200 OK', [type]);
      while (kept.length < 6400) kept.push(Buffer.alloc(16 << 10, 'x'));
      return 'filled';
    case '/measured':
      startResponse('200 OK', [type, ['Content-Length', '6']]);
      return ['one', 'two'].values();
    case '/chunked':
      startResponse('200 OK', [type]);
      return ['one', 'two'].values();
    default:
      startResponse('200 OK', [type]);
      return 'whole';
  }
}
