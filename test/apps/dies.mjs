// A JavaScript application that ends its thread in every way there is; and one that is asked to does not even load.

import { existsSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

console.log(`loading in thread ${threadId}`);
if (process.env.BROKEN_IF && existsSync(process.env.BROKEN_IF)) throw new Error('the app is broken just now');

const never = new Promise(() => {});

const APPS = {
  hello: () => `thread ${threadId}`,
  hold: async () => {
    console.log('holding');
    await never;
  },
  exit: () => process.exit(3),
  async exitLater() {
    setImmediate(() => process.exit(0));
    await never;
  },
  async throws() {
    setImmediate(() => {
      throw new TypeError('thrown where nobody catches it');
    });
    await never;
  },
  async rejects() {
    void Promise.reject(new TypeError('rejected where nobody looks'));
    await never;
  },
  memory() {
    const hoard = [];
    for (;;) hoard.push(Array.from({ length: 1000 }, (_, i) => ({ i })));
  },
  async memoryAndAnswer() {
    setTimeout(APPS.memory, 0);
    return 'in time';
  },
  async streamsAndExits() {
    return (async function* () {
      yield 'part';
      process.exit(4);
    })();
  },
};

const camel = (name) => name.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase());

export function application(env, startResponse) {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return APPS[camel(env.PATH_INFO.slice(1))]();
}
