// As stuck.py, in JavaScript.

import { existsSync } from 'node:fs';

function spin() {
  let sum = 0;
  while (!existsSync(process.env.STUCK_UNTIL)) for (let i = 0; i < 1e6; i++) sum += i;
  return sum;
}

export function application(env, startResponse) {
  if (env.PATH_INFO === '/spin') spin();
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return 'done\n';
}
