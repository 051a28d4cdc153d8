// Gives `count` parts of `bytes`, and rests then until the file RESTS_UNTIL is there.

import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

async function* parts(count, bytes) {
  for (let i = 0; i < count; i++) yield Buffer.alloc(bytes, `${i}\n`);
  console.log(`rests after ${count * bytes} bytes`);
  while (!existsSync(process.env.RESTS_UNTIL)) await pause(5);
}

export function application(env, startResponse) {
  const query = new URLSearchParams(env.QUERY_STRING);
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return parts(Number(query.get('count')), Number(query.get('bytes')));
}
