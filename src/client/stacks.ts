// `nuwsgi stacks` and `nuwsgi profile`: what the workers of a running server are doing, and where their time goes.
//
// Decided elsewhere: how the server finds out (observe/probes.ts).

import { writeFileSync } from 'node:fs';
import { escaped } from '../base/log.js';
import { stackText } from '../observe/dashboard/stack-text.js';
import type { WorkerStacks } from '../observe/stats/shape.js';
import { addressOf, numberOf, parse } from './command-line.js';
import { ask, DEFAULT_ADDRESS, type StatsPeer, TOKEN_VARIABLE } from './stats-client.js';

const STACKS_USAGE = `usage: nuwsgi stacks [ADDRESS] [--worker N] [--json] [--token TOKEN]

Shows what every worker of a running server is doing right now, thread by thread.
  ADDRESS     its --stats address; default: ${DEFAULT_ADDRESS}
  --worker N  only this worker
  --json      as JSON
  --token     the --stats-token of the server; better in ${TOKEN_VARIABLE}
`;
const PROFILE_USAGE = `usage: nuwsgi profile [ADDRESS] --worker N [--seconds S] [--hz N] [-o FILE] [--token TOKEN]

Looks at a worker of a running server for some seconds and writes down where its time goes.
  ADDRESS     its --stats address; default: ${DEFAULT_ADDRESS}
  --worker N  the worker
  --seconds S for how long; default: 10
  --hz N      how often a second; default: 100
  -o FILE     where to write it; default: nuwsgi-worker-N.speedscope.json, or .cpuprofile for JavaScript
              (https://www.speedscope.app opens both, the DevTools of Chrome open the latter)
  --token     the --stats-token of the server; better in ${TOKEN_VARIABLE}
`;
const STACKS_TIMEOUT_MS = 30_000;
/** Beyond the time that a profile takes. */
const PROFILE_TIMEOUT_MS = 10_000;

const COMMON = { token: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;

function peerOf(text: string | undefined, token: string | undefined, usage: string): StatsPeer {
  return { address: addressOf(text ?? DEFAULT_ADDRESS, usage), token: token ?? process.env[TOKEN_VARIABLE] };
}

export async function runStacks(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parse(argv, {
    ...COMMON,
    worker: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  if (values.help) {
    process.stdout.write(STACKS_USAGE);
    return 0;
  }
  const peer = peerOf(positionals[0], values.token, STACKS_USAGE);
  const query = values.worker === undefined ? '' : `?worker=${numberOf('--worker', values.worker, 1, 1e6)}`;
  const text = await ask(peer, 'GET', `/stacks${query}`, STACKS_TIMEOUT_MS);
  process.stdout.write(
    values.json
      ? text
      : (JSON.parse(text) as WorkerStacks[]).map((stacks) => forTerminal(stackText(stacks))).join('\n'),
  );
  return 0;
}

/** Nothing in it that a terminal would obey. */
const forTerminal = (text: string): string => text.split('\n').map(escaped).join('\n');

export async function runProfile(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parse(argv, {
    ...COMMON,
    worker: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    hz: { type: 'string', default: '100' },
    output: { type: 'string', short: 'o' },
  });
  if (values.help) {
    process.stdout.write(PROFILE_USAGE);
    return 0;
  }
  const peer = peerOf(positionals[0], values.token, PROFILE_USAGE);
  const worker = numberOf('--worker', values.worker ?? '1', 1, 1e6);
  const seconds = numberOf('--seconds', values.seconds, 0.1, 300);
  const hz = numberOf('--hz', values.hz, 1, 1000);
  process.stderr.write(`looking at worker ${worker} for ${seconds} seconds...\n`);
  const query = `?worker=${worker}&seconds=${seconds}&hz=${hz}`;
  const text = await ask(peer, 'POST', `/profile${query}`, seconds * 1000 + PROFILE_TIMEOUT_MS);
  const isSpeedscope = text.includes('speedscope.app/file-format-schema.json');
  const file = values.output ?? `nuwsgi-worker-${worker}.${isSpeedscope ? 'speedscope.json' : 'cpuprofile'}`;
  writeFileSync(file, text);
  process.stdout.write(
    `${file}: open it at https://www.speedscope.app${isSpeedscope ? '' : ', or in the DevTools of Chrome'}\n`,
  );
  return 0;
}
