// Answers with the texts of its environ, as JSON: inspect.py in JavaScript, which starts faster.

export async function application(env, startResponse) {
  const body = await env['wsgi.input'].bytes?.();
  const environ = Object.fromEntries(Object.entries(env).filter(([, value]) => typeof value === 'string'));
  startResponse('200 OK', [['Content-Type', 'application/json']]);
  return JSON.stringify({ environ, bodyBytes: body?.length ?? 0 });
}
