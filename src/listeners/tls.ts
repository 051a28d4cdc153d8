// Certificates and keys: read and checked before the apps are loaded, so that what is wrong with them is told by name, and
// again at every reload.
//
// OpenSSL says "no start line" for a file in the wrong form, and uWebSockets.js says nothing at all. So each step is
//   made here first, with node:crypto, and told with the file, the line and what to do.
// TLS 1.2 is the oldest that is spoken: uWebSockets.js has that built in, node:https is told.
// Decided elsewhere: how the files are written in an option (config/tls-address.ts).

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls';
import { ConfigError } from '../base/errors.js';
import type { TlsFiles } from '../config/tls-address.js';

const BEGIN = '-----BEGIN ';
const CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/;
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
/** Permissions by which people other than the owner and the group can read a file, or anybody but the owner write it. */
const CARELESS = 0o026;
/** Certificates are renewed well before the last tenth of their life: by then it has been forgotten. */
const FRESH_SHARE = 0.1;

/** What a listener needs for TLS. */
export interface Tls {
  readonly files: TlsFiles;
  /** For node:https and node:tls. */
  readonly options: TlsOptions;
  /** What a person should know. */
  readonly warnings: readonly string[];
}

/** Reads and checks the files of `option`. Throws `ConfigError` CONFIG_TLS. */
export async function loadTls(option: string, files: TlsFiles, now = new Date()): Promise<Tls> {
  const fail = (file: string, problem: string): never => {
    throw new ConfigError('CONFIG_TLS', option, file, problem);
  };
  const cert = await read(files.cert, fail);
  const chain = certificatesIn(cert, files.cert, fail);
  const keyText = await read(files.key, fail);
  const key = privateKey(keyText, files.key, fail);
  const [leaf] = chain;
  if (!leaf!.checkPrivateKey(key)) fail(files.key, `the key is not that of the certificate ${files.cert}`);
  const secrets: SecureContextOptions = { cert, key: keyText };
  if (files.clientCa !== undefined) {
    const ca = await read(files.clientCa, fail);
    certificatesIn(ca, files.clientCa, fail);
    secrets.ca = ca;
  }
  if (files.ciphers !== undefined) {
    secrets.ciphers = files.ciphers;
    attempt(
      () => createSecureContext(secrets),
      (message) => fail(files.cert, `ciphers "${files.ciphers}": ${message}`),
    );
  }
  return {
    files,
    options: {
      ...secrets,
      minVersion: 'TLSv1.2',
      requestCert: files.clientCa !== undefined,
      rejectUnauthorized: files.needsClient,
    },
    warnings: [...aged(files.cert, leaf!, now), ...(await careless(files.key))].map((text) => `${option}: ${text}`),
  };
}

/** Whether two readings of the same files gave the same. */
export function isSameTls(a: Tls, b: Tls): boolean {
  return a.options.cert === b.options.cert && a.options.key === b.options.key && a.options.ca === b.options.ca;
}

type Fail = (file: string, problem: string) => never;

function attempt<T>(act: () => T, onError: (message: string) => never): T {
  try {
    return act();
  } catch (error) {
    return onError((error as Error).message);
  }
}

async function read(file: string, fail: Fail): Promise<string> {
  try {
    return await readFile(file, 'latin1');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return fail(file, 'there is no such file');
    if (code === 'EACCES') return fail(file, 'the file may not be read by this user');
    if (code === 'EISDIR') return fail(file, 'it is a directory, not a file');
    return fail(file, message);
  }
}

function certificatesIn(text: string, file: string, fail: Fail): X509Certificate[] {
  const blocks = [...text.matchAll(CERTIFICATE)];
  if (blocks.length === 0) {
    if (PRIVATE_KEY.test(text))
      fail(file, 'there is a private key in it and no certificate: are the two files swapped?');
    const cure = text.includes(BEGIN) ? '' : '; if it is DER: openssl x509 -inform der -in FILE -out FILE.pem';
    fail(file, `there is no certificate in PEM form in it${cure}`);
  }
  return blocks.map((block) => {
    const line = text.slice(0, block.index).split('\n').length;
    return attempt(
      () => new X509Certificate(block[0]),
      (message) => fail(`${file}:${line}`, `the certificate that begins here cannot be read: ${message}`),
    );
  });
}

function privateKey(text: string, file: string, fail: Fail) {
  if (ENCRYPTED.test(text)) fail(file, 'the key is encrypted: store it without a passphrase (openssl pkey -in FILE)');
  const at = text.search(PRIVATE_KEY);
  if (at < 0) fail(file, 'there is no private key in PEM form in it');
  const line = text.slice(0, at).split('\n').length;
  return attempt(
    () => createPrivateKey(text),
    (message) => fail(`${file}:${line}`, `the private key that begins here cannot be read: ${message}`),
  );
}

function aged(file: string, { validFrom, validTo }: X509Certificate, now: Date): string[] {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  const leftMs = to - now.getTime();
  if (leftMs < 0) return [`${file}: the certificate has expired: ${validTo}`];
  if (leftMs < (to - from) * FRESH_SHARE) return [`${file}: the certificate expires soon: ${validTo}`];
  return from > now.getTime() ? [`${file}: the certificate is not valid before ${validFrom}`] : [];
}

async function careless(file: string): Promise<string[]> {
  const { mode } = await stat(file);
  if ((mode & CARELESS) === 0) return [];
  return [`${file}: the private key can be read or changed by others: chmod 600 ${file}`];
}
