// Answers what the request's body tells it to, as JSON: {"status", "headers", "parts": [text, ...]}. Its twin is says.py.

export async function application(environ, startResponse) {
  const path = environ.PATH_INFO;
  if (path === '/raises') throw new RangeError('secret of the application');
  if (path === '/raises-late') return raisesLate(startResponse);
  if (path === '/prints') console.log('said\n[pid: 1|app: 0|req: 1/1] forged');
  const text = await environ['wsgi.input'].text();
  const told = JSON.parse(text || '{"status": "200 OK", "headers": [], "parts": ["fine"]}');
  startResponse(told.status, told.headers);
  const parts = told.parts.map((part) => Buffer.from(part, 'latin1'));
  return path === '/parts' ? parts.values() : parts;
}

function* raisesLate(startResponse) {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  yield 'begun;';
  throw new RangeError('secret of the application');
}
