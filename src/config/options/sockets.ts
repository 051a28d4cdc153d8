// Where the server listens, and with what. Rows of the options table; see options.ts.

import type { Option } from './table.js';

// biome-ignore format: a table
export const SOCKETS = [
  { name: 'http', aliases: ['httprouter'], kind: 'address', many: true,
    help: 'accept HTTP/1.1 from clients on this address',
    differs: 'There is no router process: the requests go straight to the workers.' },
  { name: 'http11-socket', kind: 'address', many: true,
    help: 'accept HTTP/1.1 with keep-alive on this address; the same as http' },
  { name: 'http-socket', kind: 'address', many: true,
    help: 'accept HTTP/1.0 and 1.1 on this address: the one to put behind nginx proxy_pass',
    differs: 'Connections are kept alive when the client wants it; uWSGI serves one request per connection.' },
  { name: 'socket', aliases: ['uwsgi-socket'], short: 's', kind: 'address', many: true,
    help: 'accept the uwsgi protocol on this address: the one for nginx uwsgi_pass',
    differs: 'Variables by which a peer could make uWSGI load code are dropped, unless dynamic-apps is given.' },
  { name: 'protocol', aliases: ['socket-protocol'], kind: 'choice', choices: ['uwsgi', 'http'], default: 'uwsgi',
    help: 'the protocol that socket speaks' },
  { name: 'http-engine', kind: 'choice', choices: ['uws', 'node'],
    help: 'serve all HTTP sockets with this engine: uws is faster, node takes HTTP/1.0 and is stricter',
    defaultText: 'uws for http and http11-socket, node for http-socket',
    differs: 'Not an option of uWSGI.' },
  { name: 'listen', short: 'l', kind: 'int', default: 1024, range: [1, 65535], defaultText: '1024, or net.core.somaxconn where that is less',
    help: 'how many connections may wait in the kernel to be accepted',
    differs: 'The default is 100 in uWSGI, and a value above net.core.somaxconn ends its start; here it is cut down with a warning.' },
  { name: 'chmod-socket', aliases: ['chmod'], short: 'C', kind: 'mode', bare: '666', defaultText: 'what umask leaves',
    help: 'permissions of UNIX sockets; without a value 666, so that everybody may connect',
    differs: 'A socket never has wider permissions, not even for the moment between bind and chmod.' },
  { name: 'chown-socket', kind: 'owner', help: 'owner of UNIX sockets' },
  { name: 'umask', kind: 'mode', help: 'the umask of the server and its workers' },
  { name: 'so-keepalive', kind: 'flag', default: false,
    help: 'let the kernel probe connections over which nothing comes, and close those whose other end is gone' },
  { name: 'reuse-port', kind: 'flag', default: false,
    help: 'let other servers listen on the same TCP port (SO_REUSEPORT)',
    differs: 'On node:http and node:net only with Node 22.12 or newer.' },
  { name: 'tcp-nodelay', kind: 'flag', default: true, help: 'send small parts of an answer at once',
    always: 'every listener sets TCP_NODELAY' },
] as const satisfies readonly Option[];
