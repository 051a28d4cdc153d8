// Requests with their log in a file, which is rotated meanwhile in every way there is: every request must have one line.
//
// `npm run log-rotation` asks for a million requests and rotates at least twenty times; the tests have a smaller run.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer } from './e2e/harness.js';

const CONNECTIONS = 16;
const LINE_BYTES = 200;
const LINE =
  /^\[pid: \d+\|app: 0\|req: \d+\/(\d+)\] 127\.0\.0\.1 \(\) \{\d+ vars in \d+ bytes\} \[.{24}\] GET \/sized => generated \d+ bytes in \d+ msecs \(HTTP\/1\.1 200\) \d+ headers in \d+ bytes \(1 switches on core \d+\)$/;

export interface RotationResult {
  readonly requests: number;
  readonly lines: number;
  /** Lines that are not whole, or stand there twice. */
  readonly broken: readonly string[];
  readonly files: number;
}

/** Asks for `requests` while the log is rotated `rotations` times by hand, and about as often by its size. */
export async function rotateUnderLoad({
  requests,
  rotations,
}: {
  requests: number;
  rotations: number;
}): Promise<RotationResult> {
  const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-rotation-'));
  const log = join(directory, 'logs', 'requests.log');
  mkdirSync(join(directory, 'logs'));
  const touched = { rotate: join(directory, 'rotate'), reopen: join(directory, 'reopen') };
  for (const path of Object.values(touched)) writeFileSync(path, '');
  const maxBytes = Math.ceil((requests * LINE_BYTES) / rotations);
  const server = await startServer([
    ...['--http', '127.0.0.1:0', '--wsgi-file', 'logged.py', '--processes', '2'],
    ...['--req-logger', `file:logfile=${log},maxsize=${maxBytes}`],
    ...['--touch-logrotate', touched.rotate, '--touch-logreopen', touched.reopen],
  ]);
  try {
    let done = 0;
    let rotated = 0;
    const onAnswer = () => {
      done++;
      if (done % Math.ceil(requests / rotations) !== 0) return;
      rotated++;
      if (rotated % 2 === 0 && existsSync(log)) {
        renameSync(log, `${log}.moved-${rotated}`); // as logrotate does
        touch(touched.reopen, rotated);
      } else {
        touch(touched.rotate, rotated);
      }
    };
    const share = requests / CONNECTIONS;
    await Promise.all(Array.from({ length: CONNECTIONS }, () => askOneAfterTheOther(server.port, share, onAnswer)));
    await server.stop();
    return { requests, ...count(join(directory, 'logs')) };
  } finally {
    await server.end('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Another time than before, however coarse the clock of the file system. */
function touch(path: string, times: number): void {
  const time = Date.now() / 1000 + times;
  utimesSync(path, time, time);
}

function askOneAfterTheOther(port: number, requests: number, onAnswer: () => void): Promise<void> {
  const head = 'GET /sized HTTP/1.1\r\nHost: a\r\n\r\n';
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(head));
    let left = requests;
    let bytes = '';
    socket.on('data', (chunk) => {
      bytes += chunk.toString('latin1');
      const end = bytes.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(bytes)?.[1]);
      if (end < 0 || bytes.length < end + 4 + length) return;
      bytes = bytes.slice(end + 4 + length);
      onAnswer();
      if (--left > 0) socket.write(head);
      else {
        socket.end();
        resolve();
      }
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed the connection')));
  });
}

function count(directory: string): Omit<RotationResult, 'requests'> {
  const names = readdirSync(directory);
  const seen = new Set<string>();
  const broken: string[] = [];
  let lines = 0;
  for (const name of names) {
    const text = readFileSync(join(directory, name), 'latin1');
    if (text !== '' && !text.endsWith('\n')) broken.push(`${name} ends in the middle of a line`);
    for (const line of text.split('\n').slice(0, -1)) {
      if (/^(logsize: |log rotated: |log reopened: )/.test(line)) continue;
      const number = LINE.exec(line)?.[1];
      if (number === undefined || seen.has(number)) broken.push(`${name}: ${line}`);
      else seen.add(number);
      lines++;
    }
  }
  return { lines, broken, files: names.length };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const requests = 1_000_000;
  const startedMs = performance.now();
  const result = await rotateUnderLoad({ requests, rotations: 20 });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  console.log(
    `${requests} requests in ${seconds} s, ${result.lines} lines in ${result.files} files, ${result.broken.length} broken`,
  );
  for (const line of result.broken.slice(0, 10)) console.log(line);
  process.exitCode = result.lines === requests && result.broken.length === 0 && result.files > 20 ? 0 : 1;
}
