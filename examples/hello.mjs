// The same as foobar.py, in JavaScript: WSGI's callable, synchronous or asynchronous.

/** @type {import('nuwsgi').Application} */
export async function application(env, startResponse) {
  startResponse('200 OK', [['Content-Type', 'text/plain; charset=utf-8']]);
  if (env.REQUEST_METHOD === 'POST') return `You sent: ${await env['wsgi.input'].text()}\n`;
  return `Hello from JavaScript, you asked for ${env.PATH_INFO || '/'}\n`;
}
