// nuwsgi beside other servers: `npm run bench`. Scenario by scenario, round by round, every server in turn.
//
// Why in turn: a machine does not run equally fast for ten minutes. Servers measured one right behind the other see the
//   same machine; the order is turned by one in every round, so that nobody always follows the same neighbour.
// A server that fails is reported with what it said last, and is not tried again in that scenario; the rest goes on.
// Decided elsewhere: what is asked (scenarios.ts), of whom (servers.ts), how it is measured (measure.ts).

import { type Figures, measure } from './measure.js';
import { HELP, listText, type Options, parseOptions, serversFor, UsageError } from './options.js';
import { findProgram, withoutPaths } from './paths.js';
import { conditions, scenarioText } from './report.js';
import { environment, environmentText, jsonText, type ScenarioResult, save } from './results.js';
import type { Scenario } from './scenarios.js';
import { ServerFailure } from './server-process.js';
import { commandOf, OURS, type Server } from './servers.js';
import { type Outcome, summarise } from './summary.js';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(EXIT_FAILED)); // what runs is killed on exit: server-process.ts, wrk.ts
}
process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${HELP}`);
    return EXIT_USAGE;
  }
  if (options.shows !== undefined) {
    console.log(options.shows === 'help' ? HELP : listText());
    return 0;
  }
  const wrk = findProgram('wrk');
  if (wrk === undefined) {
    console.error('wrk, the load generator, is not installed (Debian: wrk)');
    return EXIT_FAILED;
  }
  return compare(options, wrk);
}

/** Runs all scenarios and reports them. Returns the exit code: failed if a server was that is installed. */
async function compare(options: Options, wrk: string): Promise<number> {
  const where = environment(options.rounds, options.seconds);
  const print = options.reporter === 'table' ? console.log : () => {};
  const texts = ['# nuwsgi beside other servers', environmentText(where)];
  print(texts.join('\n\n'));
  const results: ScenarioResult[] = [];
  for (const scenario of options.scenarios) {
    const outcomes = await runScenario(scenario, options, wrk);
    if (outcomes.length === 0) continue; // none of the servers asked for runs this application
    const summaries = summarise(outcomes, OURS);
    results.push({
      scenario: scenario.name,
      asks: scenario.asks,
      conditions: conditions(scenario),
      summaries,
      outcomes,
    });
    const text = scenarioText(scenario, summaries, outcomes);
    texts.push(text);
    print(`\n${text}`);
  }
  const result = { environment: where, scenarios: results };
  if (options.reporter === 'json') console.log(jsonText(result));
  if (options.saves) console.error(`\nwritten: ${save(result, texts.join('\n\n')).join(', ')}`);
  return results.some(({ outcomes }) => outcomes.some(({ status }) => status === 'failed')) ? EXIT_FAILED : 0;
}

/** What became of one server so far. */
interface Entry {
  readonly server: Server;
  readonly rounds: Figures[];
  state: 'in' | 'not installed' | 'failed';
  why: string;
}

async function runScenario(scenario: Scenario, options: Options, wrk: string): Promise<Outcome[]> {
  const entries: Entry[] = serversFor(options, scenario).map((server) => ({
    server,
    rounds: [],
    state: 'in',
    why: '',
  }));
  for (let round = 0; round < options.rounds; round++) {
    const turn = round % Math.max(entries.length, 1);
    for (const entry of [...entries.slice(turn), ...entries.slice(0, turn)]) {
      if (entry.state !== 'in') continue;
      await runOnce(entry, scenario, { seconds: options.seconds, wrk, probes: round === 0 });
      progress(scenario, entry, round, options.rounds);
    }
  }
  return entries.map((entry) => outcomeOf(entry, scenario));
}

async function runOnce(entry: Entry, scenario: Scenario, round: Parameters<typeof measure>[2]): Promise<void> {
  try {
    const figures = await measure(entry.server, scenario, round);
    if (figures === undefined) entry.state = 'not installed';
    else entry.rounds.push(figures);
  } catch (error) {
    entry.state = 'failed';
    const text = error instanceof ServerFailure ? error.message : withoutPaths(String((error as Error).stack ?? error));
    entry.why = `in round ${entry.rounds.length + 1}: ${text}`;
  }
}

function outcomeOf({ server, rounds, state, why }: Entry, scenario: Scenario): Outcome {
  switch (state) {
    case 'in':
      return { server: server.name, status: 'measured', command: commandText(server, scenario), rounds };
    case 'failed':
      return { server: server.name, status: 'failed', why };
    case 'not installed':
      return { server: server.name, status: 'not installed', needs: server.needs?.packages ?? '' };
  }
}

/** The command line for the record; the port was another one in each round. */
function commandText(server: Server, scenario: Scenario): string {
  const variables = Object.entries(server.env ?? {}).map(([name, value]) => `${name}=${value}`);
  return withoutPaths([...variables, ...(commandOf(server, scenario, 8000) ?? [])].join(' '));
}

/** One line on stderr for whoever waits. */
function progress(scenario: Scenario, { server, rounds, state }: Entry, round: number, of: number): void {
  const last = rounds.at(-1);
  const rate = last?.requestsPerSecond;
  let figure = state === 'in' ? `ready in ${Math.round(last!.readyMs)} ms` : state;
  if (state === 'in' && rate !== undefined) figure = `${Math.round(rate)} requests/s`;
  else if (state === 'in' && last?.pssMib !== undefined) figure += `, ${last.pssMib.toFixed(1)} MiB`;
  console.error(`${scenario.name} ${round + 1}/${of} ${server.name}: ${figure}`);
}
