// crypt(3) of the C library, in libuv's threads: the hashes that files of users hold.
//
// Why by FFI: it knows every hash that the machine's other programs know, and it is what uWSGI uses. Loaded only when a
//   rule needs it.

import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { ConfigError } from '../../base/errors.js';

/** Larger than any C library's struct crypt_data (glibc's own had 131 232 bytes). */
const CRYPT_DATA_BYTES = 256 << 10;
const NAMES = ['libcrypt.so.1', 'libcrypt.so.2', 'libc.so.6', 'libc.so'];

type Crypt = (password: Buffer, hash: Buffer, data: Buffer) => Promise<string | null>;
let crypt: Crypt | undefined;

/** Finds crypt_r. Throws `ConfigError` where there is none; `at` is the rule that needs it. */
export function loadCrypt(at: string): void {
  if (crypt !== undefined) return;
  const require = createRequire(import.meta.url);
  const koffi = require('koffi') as typeof import('koffi').default;
  for (const name of NAMES) {
    try {
      const call = koffi.load(name).func('const char *crypt_r(const uint8_t *, const uint8_t *, uint8_t *)');
      crypt = promisify(call.async) as unknown as Crypt;
      return;
    } catch {
      // not there: the next one
    }
  }
  throw new ConfigError('CONFIG_FILE', at, 'basicauth: this machine has no libcrypt; use {SHA} hashes (htpasswd -s)');
}

/** What crypt makes of `password` with the settings of `hash`; undefined when it knows no such settings. */
export async function cryptPassword(password: string, hash: string): Promise<string | undefined> {
  const text = (s: string) => Buffer.from(`${s}\0`, 'latin1');
  const result = await crypt!(text(password), text(hash), Buffer.alloc(CRYPT_DATA_BYTES));
  return result === null || result.startsWith('*') ? undefined : result;
}
