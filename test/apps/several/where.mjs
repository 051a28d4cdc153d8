/** Tells about its place. @type {import('nuwsgi').Application} */
export function application(env, startResponse) {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [env.SCRIPT_NAME, env.PATH_INFO, process.env.NAME ?? '', env['wsgi.multiprocess']].join('|');
}
