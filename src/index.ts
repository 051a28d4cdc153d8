// What `import ... from 'nuwsgi'` gives an app: types only. The server is the command `nuwsgi`.

export type { Application, Body, Environ, RequestInput, StartResponse, Write } from './worker/js/api.js';
