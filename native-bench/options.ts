// The command line of the benchmark.

import { parseArgs } from 'node:util';
import { SCENARIOS, type Scenario } from './scenarios.js';
import { SERVERS, type Server, variantOf } from './servers.js';

const ROUNDS = 5;
const SECONDS = 5;

export interface Options {
  readonly scenarios: readonly Scenario[];
  /** Undefined: the servers that each scenario names. */
  readonly servers: readonly Server[] | undefined;
  /** nuwsgi again, changed, in every scenario that nuwsgi runs in. */
  readonly variants: readonly Server[];
  readonly rounds: number;
  readonly seconds: number;
  readonly reporter: 'table' | 'json';
  readonly saves: boolean;
  readonly shows: 'help' | 'list' | undefined;
}

/** The servers that `options` compares in `scenario`. */
export function serversFor(options: Options, scenario: Scenario): readonly Server[] {
  const all: readonly Server[] = SERVERS;
  const named = options.servers ?? scenario.servers.map((name) => pick('server', name, all));
  return [...named, ...options.variants].filter(({ runs }) => runs.includes(scenario.app.language));
}

/** The command line is wrong. */
export class UsageError extends Error {}

export const HELP = `npm run bench -- [options]: nuwsgi beside other servers, see native-bench/README.md

  --scenario NAME    only this scenario (may be given again)
  --server NAME      only this server (may be given again), in every scenario whose application it runs
  --variant TEXT     also nuwsgi with these variables or options, e.g. --variant NUWSGI_SPIN_US=0
  --rounds N         how often each server is measured, in turn (${ROUNDS})
  --seconds N        how long each time (${SECONDS})
  --reporter KIND    table or json (table)
  --save             write native-bench/results/
  --list             the scenarios and servers
  --help             this text`;

export function listText(): string {
  const all: readonly Scenario[] = SCENARIOS;
  const scenarios = all.map(({ name, asks, servers }) => `  ${name}\n    ${asks}\n    ${servers.join(', ')}`);
  const servers: readonly Server[] = SERVERS;
  const lines = servers.map(({ name, runs, needs }) => `  ${name.padEnd(20)} ${runs.join(', ')}${needsText(needs)}`);
  return `scenarios:\n${scenarios.join('\n')}\n\nservers:\n${lines.join('\n')}`;
}

const needsText = (needs: Server['needs']) => (needs === undefined ? '' : ` (Debian: ${needs.packages})`);

/** Reads the command line. Throws `UsageError`. */
export function parseOptions(argv: readonly string[]): Options {
  const values = parse(argv);
  const reporter = values.reporter ?? 'table';
  if (reporter !== 'table' && reporter !== 'json') throw new UsageError(`--reporter ${reporter}: table or json`);
  return {
    scenarios: values.scenario?.map((name) => pick<Scenario>('scenario', name, SCENARIOS)) ?? SCENARIOS,
    servers: values.server?.map((name) => pick<Server>('server', name, SERVERS)),
    variants: (values.variant ?? []).map(variantOf),
    rounds: count('rounds', values.rounds, ROUNDS),
    seconds: count('seconds', values.seconds, SECONDS),
    reporter,
    saves: values.save ?? false,
    shows: values.help ? 'help' : values.list ? 'list' : undefined,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        scenario: { type: 'string', multiple: true },
        server: { type: 'string', multiple: true },
        variant: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        reporter: { type: 'string' },
        save: { type: 'boolean' },
        list: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function pick<T extends { readonly name: string }>(what: string, name: string, all: readonly T[]): T {
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new UsageError(`no ${what} is called "${name}"; there are: ${all.map((one) => one.name).join(', ')}`);
}

function count(name: string, text: string | undefined, preset: number): number {
  if (text === undefined) return preset;
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new UsageError(`--${name} ${text}: a number from 1 to 9999 is wanted`);
  return Number(text);
}
