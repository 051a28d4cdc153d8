// What the processes of the server are called in the list of processes (ps, top): uWSGI's auto-procname and procname-*.
//
// Decided elsewhere: how a CPython process changes its title (worker/python/bridge_interpreter.py).

import type { Config } from '../config/options.js';

/** Stands for the worker's number in the title of a worker. */
const WORKER_NUMBER = '{worker}';

export interface Titles {
  /** Undefined: as it was started. */
  readonly master: string | undefined;
  readonly zygote: string | undefined;
  readonly worker: string | undefined;
}

export function titlesOf(config: Config): Titles {
  const spaced = config['procname-prefix-spaced'];
  const prefix = spaced === undefined ? (config['procname-prefix'] ?? '') : `${spaced} `;
  const append = config['procname-append'] ?? '';
  const title = (role: string, own?: string) => {
    const name = own ?? config.procname ?? (config['auto-procname'] ? `uWSGI ${role}` : undefined);
    return name === undefined ? undefined : `${prefix}${name}${append}`;
  };
  return {
    master: title('master', config['procname-master']),
    zygote: title('zygote'),
    worker: title(`worker ${WORKER_NUMBER}`),
  };
}
