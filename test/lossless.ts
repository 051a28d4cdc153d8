// `npm run lossless`: what clients notice of reloads, crashes and stops. The ledger of the app against the answers.
//
//   npm run lossless -- --rate 150 --seconds 4 --work 5 --fault SIGHUP --way 'uws, kept'
//
// Without --fault and --way it goes through all of them. Exit code 1: something was noticed that must not be.
// Decided elsewhere: the faults (load/faults.ts), what counts as what (load/ledger.ts).

import { parseArgs } from 'node:util';
import { FAULTS } from './load/faults.js';
import { runLossless } from './load/lossless.js';
import { WAYS } from './load/ways.js';

/** A longer time without an answer is noticed, where nothing should be. */
const MOST_GAP_MS = 25;
const KINDS = ['right', 'wrong', 'twice', 'ghost', 'lost', 'refused', 'failed', 'other'] as const;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rate: { type: 'string', default: '150' },
      seconds: { type: 'string', default: '4' },
      work: { type: 'string', default: '5' },
      gap: { type: 'string', default: String(MOST_GAP_MS) },
      fault: { type: 'string', multiple: true },
      way: { type: 'string', multiple: true },
    },
  });
  const faults = FAULTS.filter(({ name }) => values.fault === undefined || values.fault.includes(name));
  const ways = WAYS.filter(({ name }) => values.way === undefined || values.way.includes(name));
  if (faults.length === 0) throw new Error(`faults are: ${FAULTS.map(({ name }) => name).join(', ')}`);
  if (ways.length === 0) throw new Error(`ways are: ${WAYS.map(({ name }) => `"${name}"`).join(', ')}`);
  const timing = { perSecond: Number(values.rate), seconds: Number(values.seconds), workMs: Number(values.work) };
  console.log(`| fault | way | ${KINDS.join(' | ')} | gap ms (before) | late ms | |`);
  console.log(`| --- | --- | ${KINDS.map(() => '--:').join(' | ')} | --: | --: | --- |`);
  let noticed = 0;
  for (const fault of faults) {
    for (const way of ways) {
      const result = await runLossless({ fault, ways: [way], ...timing }, Number(values.gap));
      const { verdict, gapMs, gapBeforeMs, latenessMs, problems } = result;
      const counts = KINDS.map((kind) => verdict[kind]).join(' | ');
      const gap = `${gapMs.toFixed(0)} (${gapBeforeMs.toFixed(0)})`;
      const outcome = problems.length === 0 ? 'ok' : `**${problems.join(', ')}**`;
      console.log(`| ${fault.name} | ${way.name} | ${counts} | ${gap} | ${latenessMs.toFixed(0)} | ${outcome} |`);
      for (const remark of verdict.remarks) console.log(`  ${remark}`);
      if (problems.length > 0) noticed++;
    }
  }
  return noticed === 0 ? 0 : 1;
}

process.exitCode = await main();
