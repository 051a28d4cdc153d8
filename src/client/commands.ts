// The tools beside the server, each with a command line of its own; here `nuwsgi ping ADDR` and `nuwsgi curl ADDR PATH`.
//
// Decided elsewhere: what these two say to the server (uwsgi-client.ts), the others (stacks.ts).

import { readFileSync } from 'node:fs';
import { ConfigError } from '../base/errors.js';
import { addressOf, parse } from './command-line.js';
import type { PeerAddress } from './dial.js';
import { runProfile, runStacks } from './stacks.js';
import { runTop } from './top/top.js';
import { ping, send, type UwsgiRequest, variablesOf } from './uwsgi-client.js';

const PING_USAGE = `usage: nuwsgi ping ADDRESS [--timeout SECONDS]
       nuwsgi --ping ADDRESS [--ping-timeout SECONDS]

Asks a server that speaks the uwsgi protocol whether it is there. Exit code: 0 yes, 1 no, 2 it answers with a warning.
`;
const CURL_USAGE = `usage: nuwsgi curl ADDRESS [PATH] [-X METHOD] [-H 'Name: value']... [-d DATA | -d @FILE] [--var NAME=VALUE]...
                   [-i] [-v] [-f] [--timeout SECONDS]

Sends a request in the uwsgi protocol, as nginx's uwsgi_pass does, and prints the body of the answer.
  -X METHOD         the method; default: GET, or POST with -d
  -H FIELD          a header field, repeatable
  -d DATA           the body; @FILE takes it from a file, @- from standard input
  --var NAME=VALUE  a variable as it is, in place of the usual one if there is one; repeatable
  -i                print the head of the answer too
  -v                show the variables that are sent, and the head of the answer, on standard error
  -f                an answer of status 400 and above counts as a failure, and its body is not printed
Exit code: 0 a whole answer came, 1 none, 22 (with -f) it was of status 400 or above.
`;
const DEFAULT_TIMEOUT_SECONDS = '10';
/** curl's own for -f. */
const FAILED_STATUS = 22;
const MOST_TIMEOUT_SECONDS = 86_400;

/** The tools, by the word that stands in place of options. Each gives the exit code; throws `ConfigError`. */
const TOOLS = {
  ping: runPing,
  curl: runCurl,
  stacks: runStacks,
  profile: runProfile,
  top: runTop,
} as const satisfies Readonly<Record<string, (argv: readonly string[]) => Promise<number>>>;
export const COMMANDS = Object.keys(TOOLS) as readonly (keyof typeof TOOLS)[];

/** Runs a tool. Resolves with the exit code; writes to stdout and stderr. Throws `ConfigError`. */
export async function runCommand(command: keyof typeof TOOLS, argv: readonly string[]): Promise<number> {
  try {
    return await TOOLS[command](argv);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    process.stderr.write(`nuwsgi ${command}: ${(error as Error).message}\n`);
    return 1;
  }
}

/** uWSGI's way to ask for a ping, as arguments of ours; undefined: `argv` is no such. */
export function pingArguments(argv: readonly string[]): string[] | undefined {
  const [first = '', ...rest] = argv;
  if (first !== '--ping' && !first.startsWith('--ping=')) return undefined;
  const address = first === '--ping' ? [] : [first.slice('--ping='.length)];
  return [...address, ...rest.map((argument) => argument.replace(/^--ping-timeout(?==|$)/, '--timeout'))];
}

function timeoutOf(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= MOST_TIMEOUT_SECONDS) return seconds * 1000;
  throw new ConfigError('CONFIG_BAD_VALUE', '--timeout', 'command line', text, 'a number of seconds');
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
  const warning = await ping(address, timeoutOf(values.timeout));
  const ms = (performance.now() - startedMs).toFixed(1);
  process.stdout.write(`${address.text} answers after ${ms} ms${warning ? `: ${warning}` : ''}\n`);
  return warning === '' ? 0 : 2;
}

async function runCurl(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parse(argv, {
    request: { type: 'string', short: 'X' },
    header: { type: 'string', short: 'H', multiple: true },
    data: { type: 'string', short: 'd' },
    var: { type: 'string', multiple: true },
    include: { type: 'boolean', short: 'i' },
    verbose: { type: 'boolean', short: 'v' },
    fail: { type: 'boolean', short: 'f' },
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
    headers: pairs('-H', values.header ?? [], ':', 'of the form Name: value'),
    variables: pairs('--var', values.var ?? [], '=', 'of the form NAME=VALUE'),
    body: bodyOf(values.data),
  };
  const { verbose = false, include = false, fail = false } = values;
  if (verbose)
    for (const [name, value] of variablesOf(request))
      process.stderr.write(Buffer.from(`> ${name}=${value}\n`, 'latin1'));
  return printAnswer(address, request, timeoutOf(values.timeout), { verbose, include, fail });
}

function pairs(option: string, texts: readonly string[], separator: string, form: string): [string, string][] {
  return texts.map((text) => {
    const at = text.indexOf(separator);
    if (at < 1) throw new ConfigError('CONFIG_BAD_VALUE', option, 'command line', text, form);
    return [text.slice(0, at), separator === ':' ? text.slice(at + 1).trim() : text.slice(at + 1)];
  });
}

function bodyOf(data: string | undefined): Buffer {
  if (data === undefined) return Buffer.alloc(0);
  if (!data.startsWith('@')) return Buffer.from(data);
  return readFileSync(data === '@-' ? 0 : data.slice(1));
}

interface Shown {
  readonly verbose: boolean;
  readonly include: boolean;
  readonly fail: boolean;
}

/** Prints the answer as it comes. Rejects when there is none, or not all of it. */
async function printAnswer(
  address: PeerAddress,
  request: UwsgiRequest,
  timeoutMs: number,
  { verbose, include, fail }: Shown,
): Promise<number> {
  let start = Buffer.alloc(0);
  let head: string | undefined;
  let bodyBytes = 0;
  let isFailure = false;
  const print = (body: Buffer) => {
    bodyBytes += body.length;
    if (!isFailure) process.stdout.write(body);
  };
  await send(address, request, timeoutMs, (chunk) => {
    if (head !== undefined) {
      print(chunk);
      return;
    }
    start = Buffer.concat([start, chunk]);
    const end = start.indexOf('\r\n\r\n');
    if (end < 0) return;
    head = start.toString('latin1', 0, end);
    isFailure = fail && statusOf(head) >= 400;
    if (verbose) process.stderr.write(`${head.replace(/^/gm, '< ')}\n`);
    if (include) process.stdout.write(start.subarray(0, end + 4));
    print(start.subarray(end + 4));
  });
  if (head === undefined) {
    if (start.length === 0) throw new Error('it closed the connection without an answer');
    process.stdout.write(start); // no head in it: shown as it is
    return 0;
  }
  const length = /^content-length: *(\d+)$/im.exec(head)?.[1];
  if (length !== undefined && bodyBytes < Number(length) && request.method !== 'HEAD') {
    throw new Error(`the answer ends after ${bodyBytes} of ${length} bytes`);
  }
  if (isFailure) process.stderr.write(`nuwsgi curl: ${head.slice(0, head.indexOf('\r\n'))}\n`);
  return isFailure ? FAILED_STATUS : 0;
}

/** From `HTTP/1.1 200 OK`, or from CGI's `Status: 200 OK`. */
const statusOf = (head: string) => Number(/^(?:HTTP\/\d\.\d|Status:) (\d{3})/i.exec(head)?.[1] ?? 0);
