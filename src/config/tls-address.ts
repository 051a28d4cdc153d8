// An address with what TLS needs, as uWSGI writes it: `:443,cert.pem,key.pem[,ciphers[,clientca]]`, or with keys, as its
// https2: `addr=:443,cert=cert.pem,key=key.pem`.
//
// Decided elsewhere: whether the files are what they should be (listeners/tls.ts).

import { type Address, parseAddress } from './address.js';

export interface TlsFiles {
  /** Certificate and the chain behind it, in PEM. */
  readonly cert: string;
  /** Its private key; the same file where both are in one. */
  readonly key: string;
  /** OpenSSL's list of ciphers for TLS 1.2. */
  readonly ciphers: string | undefined;
  /** Certificates that sign those of clients. */
  readonly clientCa: string | undefined;
  /** A client without a certificate is refused: `!` in front of the file. */
  readonly needsClient: boolean;
}

export interface TlsAddress {
  readonly address: Address;
  readonly files: TlsFiles;
  readonly text: string;
}

export const TLS_FORM = 'ADDR,CERT,KEY[,CIPHERS[,CLIENTCA]]';

/** Names of uWSGI's https2; spdy is long gone, and accepted. */
const KEYS: ReadonlyMap<string, number> = new Map([
  ['addr', 0],
  ['cert', 1],
  ['crt', 1],
  ['key', 2],
  ['ciphers', 3],
  ['clientca', 4],
  ['client_ca', 4],
  ['spdy', 5],
]);

/** Reads an address with its files, or tells what it should be. Never throws. */
export function parseTlsAddress(text: string): { readonly value: TlsAddress } | { readonly wanted: string } {
  const fields = /^[a-z_0-9]+=/.test(text) ? keyed(text) : text.split(',');
  const [address = '', cert = '', key = '', ciphers = '', ca = '', ...rest] = fields ?? [];
  if (fields === undefined || rest.length > 1 || cert === '') return { wanted: `of the form ${TLS_FORM}` };
  const parsed = parseAddress(address);
  if ('wanted' in parsed) return { wanted: `of the form ${TLS_FORM}: "${address}" is not ${parsed.wanted}` };
  const needsClient = ca.startsWith('!');
  const clientCa = needsClient ? ca.slice(1) : ca;
  const files = {
    cert,
    key: key === '' ? cert : key,
    ciphers: ciphers === '' ? undefined : ciphers,
    clientCa: clientCa === '' ? undefined : clientCa,
    needsClient,
  };
  return { value: { address: { ...parsed.address, text }, files, text } };
}

function keyed(text: string): string[] | undefined {
  const fields: string[] = [];
  for (const pair of text.split(',')) {
    const equals = pair.indexOf('=');
    const at = KEYS.get(pair.slice(0, Math.max(0, equals)));
    if (at === undefined) return undefined;
    fields[at] = pair.slice(equals + 1);
  }
  return Array.from(fields, (field) => field ?? '');
}
