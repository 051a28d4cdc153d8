// hello.py in JavaScript: the least an application can do, with everything a client needs to keep its connection.

const BODY = 'Hello, world!\n';
const HEADERS = [
  ['Content-Type', 'text/plain'],
  ['Content-Length', String(BODY.length)],
];

export function application(_env, startResponse) {
  startResponse('200 OK', HEADERS);
  return BODY;
}
