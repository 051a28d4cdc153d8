// Tells the server which files an app is made of, so that it can reload when one is changed (--js-autoreload).
//
// ES modules are seen by a loader hook of Node's own, modules that were `require`d in its cache. What lies in node_modules
//   is left out: it does not change while an app is written, and there is a lot of it.
// Decided elsewhere: who looks at the files (lifecycle/touched-files.ts).

import { createRequire, register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';

const isOfApp = (path: string) => !path.includes('/node_modules/');

/** To be called before the app is imported; `report` may get a file more than once. Returns what to call after it. */
export function reportFiles(report: (file: string) => void): () => void {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', (url: string) => {
    const path = fileURLToPath(url);
    if (isOfApp(path)) report(path);
  });
  port1.unref();
  register('./load-hook.js', { parentURL: import.meta.url, data: { port: port2 }, transferList: [port2] });
  return () => {
    for (const path of Object.keys(createRequire(import.meta.url).cache)) if (isOfApp(path)) report(path);
  };
}
