// `npm run reloads`: 1,000 recycles, 50 reloads by touch, 20 in chains, 20 by SIGHUP, workers that come and go, that are
// killed, and that leak, all under wrk at full load, with a Python app and a JavaScript one.
//
//   npm run reloads -- --trial touches --trial chains --language python --share 0.1
//
// `--share`: so much of each count, at least one. Exit code 1: clients noticed something.
// Decided elsewhere: what each trial is, and what is noticed (load/planned.ts).

import { parseArgs } from 'node:util';
import { runTrial, TRIALS } from './load/planned.js';

const COUNTS: Readonly<Record<string, number>> = {
  recycles: 1000,
  touches: 50,
  chains: 20,
  hangups: 20,
  cheaper: 5,
  kills: 50,
  leak: 600,
};

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      trial: { type: 'string', multiple: true },
      language: { type: 'string', multiple: true },
      share: { type: 'string', default: '1' },
    },
  });
  const trials = TRIALS.filter(({ name }) => values.trial === undefined || values.trial.includes(name));
  if (trials.length === 0) throw new Error(`trials are: ${TRIALS.map(({ name }) => name).join(', ')}`);
  let noticed = 0;
  console.log('| done | app | answers | seconds | | |');
  console.log('| --- | --- | --: | --: | --- | --- |');
  for (const trial of trials) {
    const count = Math.max(1, Math.round(COUNTS[trial.name]! * Number(values.share)));
    for (const language of trial.languages) {
      if (values.language !== undefined && !values.language.includes(language)) continue;
      const { answers, seconds, problems, remark } = await runTrial(trial, language, count, true);
      const outcome = problems.length === 0 ? 'ok' : `**${problems.slice(0, 5).join('; ')}**`;
      console.log(
        `| ${count} ${trial.unit} | ${language} | ${answers} | ${seconds.toFixed(0)} | ${outcome} | ${remark} |`,
      );
      if (problems.length > 0) noticed++;
    }
  }
  return noticed === 0 ? 0 : 1;
}

process.exitCode = await main();
