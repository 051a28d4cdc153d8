// The environ of a JS app: variables from the block in the slot, and what is the same for every request.
//
// `wsgi.input` is a getter, so that the stream is made only for apps that read it; on the prototype, because an own one
//   costs 1 µs per request. So a copy (`{...environ}`) lacks it, while `Object.create(environ)` has it.
// Decided elsewhere: what the block holds (wire/cgi.ts), what the input is (input.ts).

import type { Environ, RequestInput } from './api.js';
import type { InputSource } from './input.js';

/** Combinations of names that are kept split. Clients send other values with every request and the same names. */
const KEPT_NAME_BLOCKS = 1024;
const knownNames = new Map<string, readonly string[]>();

const SOURCE = Symbol('where the request body is');

class RequestEnviron {
  [name: string]: unknown;
  readonly [SOURCE]: InputSource;

  constructor(source: InputSource) {
    this[SOURCE] = source;
  }

  get 'wsgi.input'(): RequestInput {
    return this[SOURCE].input;
  }
}

/** Builds the environ from a uwsgi payload: NUL NUL name NUL NUL value, as often as there are any. */
export function makeEnvironFromPacket(
  base: Readonly<Record<string, unknown>>,
  payload: string,
  source: InputSource,
): Environ {
  const environ = Object.assign(new RequestEnviron(source), base);
  const parts = payload.split('\0\0');
  for (let i = 1; i + 1 < parts.length; i += 2) environ[parts[i]!] = parts[i + 1];
  if (environ.UWSGI_SCHEME) environ['wsgi.url_scheme'] = environ.UWSGI_SCHEME;
  else if (/^(?:on|1)$/i.test(String(environ.HTTPS ?? ''))) environ['wsgi.url_scheme'] = 'https';
  return environ as unknown as Environ;
}

/** Builds the environ: `base` first, then the variables that `names` and `values` hold, separated by NUL. */
export function makeEnviron(
  base: Readonly<Record<string, unknown>>,
  names: string,
  values: string,
  source: InputSource,
): Environ {
  let keys = knownNames.get(names);
  if (keys === undefined) {
    if (knownNames.size >= KEPT_NAME_BLOCKS) knownNames.clear();
    keys = names.split('\0');
    knownNames.set(names, keys);
  }
  const environ = Object.assign(new RequestEnviron(source), base);
  const parts = values.split('\0');
  for (let i = 0; i < keys.length; i++) environ[keys[i]!] = parts[i];
  return environ as unknown as Environ;
}
