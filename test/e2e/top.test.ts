// `nuwsgi top` in a real terminal (tmux), against a nuwsgi and against a real uWSGI; the screen is compared with the
// statistics.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { open, ROOT, raw, request, runToEnd, startServer } from './harness.js';
import { freePort } from './nginx.js';
import { RealUwsgi, readAll } from './real-uwsgi.js';

const CLI = join(ROOT, 'dist/cli.js');

/** A terminal of 80 × 24 with a program in it. */
class Tmux {
  readonly #socket = `nuwsgi-top-${process.pid}`;

  /** What is on the screen when the program has ended is kept, followed by its exit code. */
  constructor(command: string) {
    this.#run('new-session', '-d', '-x', '80', '-y', '24', `${command}; echo "exit code $?"; cat`);
  }

  #run(...args: string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8' });
  }

  get screen(): string {
    return this.#run('capture-pane', '-p');
  }

  type(keys: string): void {
    this.#run('send-keys', keys);
  }

  async waitFor(pattern: RegExp): Promise<string> {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const { screen } = this;
      if (pattern.test(screen)) return screen;
      assert(performance.now() < deadline, `not seen: ${pattern}\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  end(): void {
    this.#run('kill-server');
  }
}

describe('nuwsgi top', () => {
  test('shows what a nuwsgi does, obeys its keys, and leaves the terminal as it was', async () => {
    const statsPort = await freePort();
    const app = ['--wsgi-file', 'logged.py', '--processes', '2', '--threads', '2'];
    const server = await startServer(['--http-socket', '127.0.0.1:0', ...app, '--stats', `127.0.0.1:${statsPort}`]);
    const terminal = new Tmux(`${process.execPath} ${CLI} top 127.0.0.1:${statsPort} --interval 0.2`);
    try {
      await terminal.waitFor(/2 workers: 0 busy, 2 idle/);
      for (let i = 0; i < 30; i++) await request(server.port, '/sized');
      await request(server.port, '/fail');
      const screen = await terminal.waitFor(/, 31 in all, 1 exceptions/);
      const stats = JSON.parse(await readAll(statsPort));
      for (const worker of stats.workers) {
        const line = screen.split('\n').find((text) => new RegExp(`^ +${worker.id} +${worker.pid} `).test(text));
        assert(line !== undefined, screen);
        const [, , status, requests] = line.trim().split(/\s+/);
        assert.deepEqual([status, Number(requests)], [worker.status, worker.requests]);
      }
      const running = await open(server.port);
      running.write('GET /slow/30 HTTP/1.1\r\nHost: a\r\n\r\n');
      await terminal.waitFor(/ busy .*GET \/slow\/30/);
      terminal.type('r');
      await terminal.waitFor(/\*FOR WORKER REQUEST\n +\S+s +\d GET \/slow\/30\n/);
      terminal.type('e');
      await terminal.waitFor(/\*SHARE.*\n(?:.*\n)* +\d+(?:\.\d+)?% +30 .* \/sized\n/);
      terminal.type('h');
      await terminal.waitFor(/q, Ctrl-C {3}quit/);
      terminal.type('x');
      await terminal.waitFor(/\*SHARE/);
      terminal.type('w');
      await terminal.waitFor(/\*REQ /);
      terminal.type('s');
      await terminal.waitFor(/\*REQ\/S/);
      terminal.type('q');
      const after = await terminal.waitFor(/exit code 0/);
      assert.doesNotMatch(after, /WORKER/, 'the screen from before is back');
      running.destroy();
    } finally {
      terminal.end();
      await server.end('SIGKILL');
    }
  });

  test('shows what a real uWSGI does', async () => {
    const uwsgi = await RealUwsgi.start('logged.py', ['--processes', '2', '--threads', '2']);
    const terminal = new Tmux(`${process.execPath} ${CLI} top 127.0.0.1:${uwsgi.statsPort} --interval 0.2`);
    try {
      await terminal.waitFor(/^uWSGI 2\.\S+ \(pid \d+\) on 127\.0\.0\.1:\d+\n/);
      for (let i = 0; i < 5; i++) await raw(uwsgi.httpPort, 'GET /sized HTTP/1.1\r\nHost: a\r\n\r\n', { answers: 1 });
      const screen = await terminal.waitFor(/, 5 in all, 0 exceptions/);
      const { workers } = (await uwsgi.stats()) as { workers: { id: number; pid: number; requests: number }[] };
      for (const { id, pid, requests } of workers) {
        assert.match(screen, new RegExp(`^ +${id} +${pid} +\\w+ +${requests} `, 'm'));
      }
      const running = await open(uwsgi.httpPort);
      running.write('GET /slow/5 HTTP/1.1\r\nHost: a\r\n\r\n');
      await terminal.waitFor(/ busy .*GET \/slow\/5/);
      running.destroy();
      terminal.type('q');
      await terminal.waitFor(/exit code 0/);
    } finally {
      terminal.end();
      await uwsgi.stop();
    }
  });

  test('goes on when the server goes away and comes back', async () => {
    const statsPort = await freePort();
    const args = ['--http-socket', '127.0.0.1:0', '--wsgi-file', 'logged.py', '--stats', `127.0.0.1:${statsPort}`];
    const first = await startServer(args);
    const terminal = new Tmux(`${process.execPath} ${CLI} top 127.0.0.1:${statsPort} --interval 0.2`);
    try {
      await terminal.waitFor(new RegExp(`\\(pid ${first.pid}\\)`));
      await first.stop();
      await terminal.waitFor(/ECONNREFUSED[\s\S]*\(pid \d+\)/);
      const second = await startServer(args);
      const screen = await terminal.waitFor(new RegExp(`^nuwsgi \\S+ \\(pid ${second.pid}\\)`));
      assert.doesNotMatch(screen, /ECONNREFUSED/);
      await second.stop();
    } finally {
      terminal.end();
    }
  });

  test('prints one screen where there is no terminal, and says what is wrong', async () => {
    const statsPort = await freePort();
    const args = ['--http-socket', '127.0.0.1:0', '--wsgi-file', 'logged.py', '--stats', `127.0.0.1:${statsPort}`];
    const server = await startServer([...args, '--stats-token', 'secret']);
    try {
      const env = { NUWSGI_STATS_TOKEN: 'secret' };
      const { code, output } = await runToEnd(['top', `127.0.0.1:${statsPort}`], { env });
      assert.equal(code, 0, output);
      assert.match(output, /^nuwsgi \S+ \(pid \d+\)[\s\S]*WORKER[\s\S]*\n +1 +\d+ +idle/);
      assert(!output.includes('\u001b'));
      const refused = await runToEnd(['top', `127.0.0.1:${statsPort}`]);
      assert.deepEqual([refused.code, /a token is needed/.test(refused.output)], [1, true], refused.output);
    } finally {
      await server.stop();
    }
  });
});
