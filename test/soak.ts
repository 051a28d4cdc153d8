// `npm run soak -- --minutes 10`: mixed load while workers are killed. Exit code 1: something did not hold.
//
//   npm run soak -- --minutes 1 --rest 100 --seed 7
//
// `--rest`: how long each of the 140 clients rests between two requests, in ms on average.
// Decided elsewhere: the clients, and what must hold (load/soak.ts).

import { parseArgs } from 'node:util';
import { growth } from './load/memory.js';
import { soak } from './load/soak.js';

const EVERY_SAMPLES = 10;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      rest: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
    },
  });
  let count = 0;
  const startedMs = performance.now();
  const { verdict, samples, kills, stats, problems } = await soak({
    seconds: Number(values.minutes) * 60,
    restMs: Number(values.rest),
    seed: Number(values.seed),
    onSample: ({ asked, slotsInUse, mainRssMib, treePssMib, kills }) => {
      if (++count % EVERY_SAMPLES !== 1) return;
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
      const memory = `main ${mainRssMib.toFixed(1)} MiB RSS, all ${treePssMib.toFixed(1)} MiB PSS`;
      console.log(`${seconds} s: ${asked} answered, ${slotsInUse} slots in use, ${memory}, ${kills} killed`);
    },
  });
  console.log(`\n${verdict.asked} requests: ${verdict}`);
  for (const remark of verdict.remarks) console.log(`  ${remark}`);
  console.log(
    `killed: ${kills.py} Python workers, ${kills.js} threads, ${kills.zygote} zygotes; ${kills.reloads} reloads`,
  );
  for (const figure of ['mainRssMib', 'treePssMib'] as const) {
    const { perMinute, first, last, most } = growth(samples, figure);
    const range = `${first.toFixed(1)} to ${last.toFixed(1)} MiB, at most ${most.toFixed(1)}`;
    console.log(
      `${figure}: ${perMinute >= 0 ? '+' : ''}${perMinute.toFixed(2)} MiB a minute after the warm-up (${range})`,
    );
  }
  for (const { name, slots_in_use, counters } of stats) {
    console.log(`${name}: ${slots_in_use} slots in use, ${JSON.stringify(counters)}`);
  }
  console.log(problems.length === 0 ? 'all held' : `DID NOT HOLD:\n  ${problems.join('\n  ')}`);
  return problems.length === 0 ? 0 : 1;
}

process.exitCode = await main();
