// What stands in front of the server, and what is believed of it. Rows of the options table; see options.ts.

import type { Option } from './table.js';

// biome-ignore format: a table
export const PROXIES = [
  { name: 'trusted-proxies', aliases: ['trusted-proxy'], kind: 'networks', many: true,
    help: 'believe these proxies who the client is: what they say becomes REMOTE_ADDR, wsgi.url_scheme and the address in the log; unix: stands for UNIX sockets',
    differs: 'Not an option of uWSGI, which believes X-Forwarded-Proto from everybody and X-Forwarded-For from nobody.' },
  { name: 'forwarded-header', kind: 'choice', choices: ['x-forwarded', 'forwarded'], default: 'x-forwarded',
    help: 'where trusted proxies say it: in X-Forwarded-For and X-Forwarded-Proto, or in Forwarded (RFC 7239)',
    differs: 'Not an option of uWSGI. The other ones are just header fields, because a proxy passes on what it does not write.' },
  { name: 'http-enable-proxy-protocol', kind: 'flag', default: false,
    help: 'connections to http and https begin with a PROXY protocol header, version 1 or 2, that says who the client is; with trusted-proxies only theirs may',
    differs: 'A connection without it is refused. These listeners run on node:http then: uWebSockets.js lets a client send a header of its own.' },
  { name: 'enable-proxy-protocol', kind: 'flag', default: false,
    help: 'the same for http-socket, http11-socket and https-socket' },
  { name: 'uwsgi-allow', kind: 'networks', many: true, defaultText: 'everybody',
    help: 'who may connect to uwsgi sockets; over UNIX sockets whoever the permissions of the file allow',
    differs: 'Not an option of uWSGI.' },
] as const satisfies readonly Option[];
