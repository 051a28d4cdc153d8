// As stuck.py, in JavaScript.

import { existsSync } from 'node:fs';

function spin() {
  let sum = 0;
  while (!existsSync(process.env.STUCK_UNTIL)) for (let i = 0; i < 1e6; i++) sum += i;
  return sum;
}

// a loop that V8 optimizes while it runs: such a function is in no profile that begins later
function count() {
  const end = Date.now() + 10_000;
  while (Date.now() < end) {}
}

export function application(env, startResponse) {
  if (env.PATH_INFO === '/count') count();
  if (env.PATH_INFO === '/spin') spin();
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return 'done\n';
}
