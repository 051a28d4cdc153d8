// What a worker is doing, as text: in the dashboard, and for `nuwsgi stacks`.

import type { WorkerStacks } from '../stats/shape.js';

/** A worker's threads, one after the other, the innermost call first. What apps and clients called things is in it as it is. */
export function stackText({ worker, app, pid, status, requests, threads, note }: WorkerStacks): string {
  const lines = [`worker ${worker} (pid ${pid}, ${status}): ${app}`];
  for (const { name, core, frames } of threads) {
    const request = requests.find((each) => each.core === core);
    const doing = request === undefined ? '' : `, ${request.request}, for ${request.runsMs} ms`;
    const label = core < 0 ? `thread ${name}` : `core ${core}`;
    if (frames.length === 0) {
      lines.push(`  ${label}${doing}: ${request === undefined ? 'waits for a request' : 'no code of the app runs'}`);
      continue;
    }
    lines.push(`  ${label}${doing}`);
    const width = Math.max(...frames.map((frame) => frame.function.length));
    for (const frame of frames) lines.push(`    ${frame.function.padEnd(width)}  ${frame.file}:${frame.line}`);
  }
  if (note !== '') lines.push(`  ${note.trimEnd().replaceAll('\n', '\n    ')}`);
  return `${lines.join('\n')}\n`;
}
