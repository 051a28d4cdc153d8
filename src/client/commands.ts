// `nuwsgi ping ADDR` and `nuwsgi curl ADDR PATH`: tools beside the server, with a command line of their own.
//
// Decided elsewhere: what they say to the server (uwsgi-client.ts), addresses (config/address.ts).

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigError } from '../base/errors.js';
import { parseAddress } from '../config/address.js';
import { type PeerAddress, ping, send, type UwsgiRequest, variablesOf } from './uwsgi-client.js';

export const COMMANDS = ['ping', 'curl'] as const;

const PING_USAGE = `usage: nuwsgi ping ADDRESS [--timeout SECONDS]

Asks a server that speaks the uwsgi protocol whether it is there. Exit code: 0 yes, 1 no, 2 it answers with a warning.
`;
const CURL_USAGE = `usage: nuwsgi curl ADDRESS PATH [-X METHOD] [-H 'Name: value']... [-d DATA | -d @FILE] [-i] [-v] [--timeout SECONDS]

Sends a request in the uwsgi protocol, as nginx's uwsgi_pass does, and prints the body of the answer.
  -X METHOD   the method; default: GET, or POST with -d
  -H FIELD    a header field, repeatable
  -d DATA     the body; @FILE takes it from a file, @- from standard input
  -i          print the head of the answer too
  -v          also print the variables that are sent, on standard error
Exit code: 0 an answer came, 1 none.
`;
const DEFAULT_TIMEOUT_SECONDS = '10';

/** Runs `ping` or `curl`. Resolves with the exit code; writes to stdout and stderr. Throws `ConfigError`. */
export async function runCommand(command: (typeof COMMANDS)[number], argv: readonly string[]): Promise<number> {
  try {
    return await (command === 'ping' ? runPing(argv) : runCurl(argv));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    process.stderr.write(`nuwsgi ${command}: ${(error as Error).message}\n`);
    return 1;
  }
}

function parse<const O extends NonNullable<Parameters<typeof parseArgs>[0]>['options']>(
  argv: readonly string[],
  options: O,
) {
  try {
    return parseArgs({ args: [...argv], options: options as NonNullable<O>, allowPositionals: true });
  } catch (error) {
    throw new ConfigError('CONFIG_CONFLICT', (error as Error).message);
  }
}

function addressOf(text: string | undefined, usage: string): PeerAddress {
  if (text === undefined) throw new ConfigError('CONFIG_CONFLICT', usage.trimEnd());
  const parsed = parseAddress(text);
  if ('wanted' in parsed) throw new ConfigError('CONFIG_BAD_VALUE', 'ADDRESS', 'command line', text, parsed.wanted);
  const { address } = parsed;
  if (address.kind !== 'fd') return address;
  throw new ConfigError('CONFIG_BAD_VALUE', 'ADDRESS', 'command line', text, 'an address that can be connected to');
}

async function runPing(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parse(argv, {
    timeout: { type: 'string', default: DEFAULT_TIMEOUT_SECONDS },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help) {
    process.stdout.write(PING_USAGE);
    return 0;
  }
  const address = addressOf(positionals[0], PING_USAGE);
  const startedMs = performance.now();
  const warning = await ping(address, Number(values.timeout) * 1000);
  const ms = (performance.now() - startedMs).toFixed(1);
  process.stdout.write(`${address.text} answers after ${ms} ms${warning ? `: ${warning}` : ''}\n`);
  return warning === '' ? 0 : 2;
}

async function runCurl(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parse(argv, {
    request: { type: 'string', short: 'X' },
    header: { type: 'string', short: 'H', multiple: true },
    data: { type: 'string', short: 'd' },
    include: { type: 'boolean', short: 'i' },
    verbose: { type: 'boolean', short: 'v' },
    timeout: { type: 'string', default: DEFAULT_TIMEOUT_SECONDS },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help) {
    process.stdout.write(CURL_USAGE);
    return 0;
  }
  const address = addressOf(positionals[0], CURL_USAGE);
  const request: UwsgiRequest = {
    method: values.request ?? (values.data === undefined ? 'GET' : 'POST'),
    target: positionals[1] ?? '/',
    headers: (values.header ?? []).map((field) => {
      const colon = field.indexOf(':');
      if (colon < 1) throw new ConfigError('CONFIG_BAD_VALUE', '-H', 'command line', field, 'of the form Name: value');
      return [field.slice(0, colon), field.slice(colon + 1).trim()] as const;
    }),
    body: bodyOf(values.data),
  };
  if (values.verbose) for (const [name, value] of variablesOf(request)) process.stderr.write(`> ${name}=${value}\n`);
  return printAnswer(address, request, Number(values.timeout) * 1000, values.include || values.verbose || false);
}

function bodyOf(data: string | undefined): Buffer {
  if (data === undefined) return Buffer.alloc(0);
  if (!data.startsWith('@')) return Buffer.from(data);
  return readFileSync(data === '@-' ? 0 : data.slice(1));
}

/** Prints the answer as it comes; without `withHead`, only its body. */
async function printAnswer(
  address: PeerAddress,
  request: UwsgiRequest,
  timeoutMs: number,
  withHead: boolean,
): Promise<number> {
  let head = Buffer.alloc(0);
  let isBody = false;
  await send(address, request, timeoutMs, (chunk) => {
    if (isBody) {
      process.stdout.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    isBody = true;
    process.stdout.write(withHead ? head : head.subarray(end + 4));
  });
  if (isBody) return 0;
  if (head.length === 0) throw new Error('it closed the connection without an answer');
  process.stdout.write(head); // no head in it: shown as it is
  return 0;
}
