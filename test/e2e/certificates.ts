// Certificates for the tests, made by openssl when they run.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

const openssl = (args: readonly string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** A certificate for localhost that signs itself, in `directory`; `name` is that of its files and its subject. */
export function selfSigned(directory: string, name: string): Pair {
  const pair = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) };
  const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  openssl(['req', '-x509', ...NEW_KEY, '-keyout', pair.key, '-out', pair.cert, '-days', '30', ...names]);
  return pair;
}

/** A certificate that `ca` signs. */
export function signedBy(ca: Pair, directory: string, name: string): Pair {
  const pair = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) };
  const request = join(directory, `${name}.csr`);
  openssl(['req', ...NEW_KEY, '-keyout', pair.key, '-out', request, '-subj', `/CN=${name}`]);
  const signing = ['-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-days', '30'];
  openssl(['x509', '-req', '-in', request, '-out', pair.cert, ...signing]);
  return pair;
}
