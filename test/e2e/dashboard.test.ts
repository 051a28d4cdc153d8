// The dashboard in a real Chromium, over a server under load: what a person sees of it. Screenshots go to build/screenshots/.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { open, ROOT, request, startServer, type TestServer } from './harness.js';
import { freePort } from './nginx.js';

const SCREENSHOTS = join(ROOT, 'build/screenshots');
const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-dashboard-'));
/** As root, and without asking for anything from the network. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const DESKTOP = { width: 1320, height: 900 };
const PHONE = { width: 390, height: 844 };
const CLIENTS = 4;
/** What reaches beyond the right edge of the screen. */
const OUTSIDE = `[...document.querySelectorAll('body *')]
  .filter((element) => element.getBoundingClientRect().right > innerWidth)
  .map((element) => element.tagName + ' ' + element.className + element.id)`;
const PATIENCE_MS = 20_000;

/** A server with two apps, of which worker 1 and 2 are Python's, and a page that shows it. */
class Scene {
  readonly server: TestServer;
  readonly url: string;
  readonly page: Page;
  /** What went wrong on the page, and who was asked for something. */
  readonly problems: string[] = [];
  readonly hosts = new Set<string>();
  readonly #release: () => void;
  #isLoading = false;
  #load: Promise<unknown> = Promise.resolve();

  constructor(server: TestServer, url: string, page: Page, release: () => void) {
    this.server = server;
    this.url = url;
    this.page = page;
    this.#release = release;
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.problems.push(message.text());
    });
    page.on('pageerror', (error) => this.problems.push(error.message));
    page.on('request', (asked) => this.hosts.add(new URL(asked.url()).host));
  }

  static async start(browser: Browser, look: BrowserContextOptions = {}, args: readonly string[] = []): Promise<Scene> {
    const statsPort = await freePort();
    const flag = join(directory, `over-${statsPort}`);
    const mounts = ['--mount', '/=stuck.py', '--mount', '/js=hello.mjs'];
    const all = ['--http', '127.0.0.1:0', ...mounts, '--processes', '2', '--threads', '2', ...args];
    const server = await startServer([...all, '--stats', `127.0.0.1:${statsPort}`, '--disable-logging'], {
      env: { STUCK_UNTIL: flag },
    });
    const context = await browser.newContext({ viewport: DESKTOP, ...look });
    const page = await context.newPage();
    return new Scene(server, `http://127.0.0.1:${statsPort}/`, page, () => writeFileSync(flag, ''));
  }

  /** Asks for something all the time, on a few connections, until the end. */
  load(): void {
    this.#isLoading = true;
    const client = async () => {
      while (this.#isLoading) await request(this.server.port, '/quick');
    };
    this.#load = Promise.all(Array.from({ length: CLIENTS }, client));
  }

  /** Waits until the text of an element matches. */
  async seen(selector: string, pattern: RegExp): Promise<string> {
    const element = this.page.locator(selector).first();
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const text = await element.innerText();
      if (pattern.test(text)) return text;
      assert(performance.now() < deadline, `${selector} does not show ${pattern}: ${text}`);
      await this.page.waitForTimeout(100);
    }
  }

  /** Waits until an expression is true on the page. */
  async until(expression: string): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await this.page.evaluate<boolean>(expression))) {
      assert(performance.now() < deadline, `never true: ${expression}`);
      await this.page.waitForTimeout(100); // by hand: the page's policy forbids eval, by which Playwright would wait
    }
  }

  /** The text of a cell of the table of workers. */
  async cell(worker: number, column: string): Promise<string> {
    const titles = await this.page.locator('#workers th').allInnerTexts();
    const at = titles.findIndex((title) => title.startsWith(column));
    assert(at >= 0, `no column ${column} in ${titles}`);
    const row = this.page
      .locator('#workers tbody tr')
      .filter({ has: this.page.getByLabel(`Stack of worker ${worker}`) });
    return row.locator('td').nth(at).innerText();
  }

  async screenshot(name: string): Promise<void> {
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
  }

  async end(): Promise<void> {
    this.#isLoading = false;
    this.#release();
    await this.#load;
    await this.page.context().close();
    await this.server.end('SIGKILL');
  }
}

describe('the dashboard', () => {
  let browser: Browser;
  before(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGS });
  });
  after(async () => {
    await browser.close();
    rmSync(directory, { recursive: true });
  });

  test('moves with the load, shows what is stuck and with which stack, and that a worker was killed', async () => {
    const scene = await Scene.start(browser);
    try {
      const { page, server } = scene;
      scene.load();
      await page.goto(scene.url);
      await scene.seen('#state', /^serving$/);
      await scene.seen('#server', new RegExp(`^pid ${server.pid},`));

      // figures move: the counts grow, and the line of the chart with them
      const first = await scene.seen('#tiles div:nth-child(1)', /[1-9]\d* in all/);
      const line = () => page.locator('.chart path.line-0').first().getAttribute('d');
      const drawn = (await line())!;
      await scene.seen('#tiles div:nth-child(1)', new RegExp(`^(?!${first.replaceAll(/[^\w ]/g, '.')}$)`));
      await scene.until(`document.querySelector('.chart path.line-0').getAttribute('d') !== '${drawn}'`);
      await scene.seen('#workers tbody', /\bidle\b|\bbusy\b/);
      await scene.seen('#endpoints tbody', /\/quick/);

      // what is stuck, and where
      const stuck = await open(server.port);
      stuck.write('GET /spin?private HTTP/1.1\r\nHost: a\r\n\r\n');
      await scene.seen('#running tbody', /GET \/spin/);
      await scene.seen('#findings li', /^Worker [12] has run GET \/spin\S* for \d/);
      const busy = Number(/^Worker (\d)/.exec(await page.locator('#findings li').first().innerText())![1]);
      assert.match(await scene.cell(busy, 'Runs'), /GET \/spin/);
      await page.getByLabel(`Stack of worker ${busy}`).click();
      await scene.seen('#stack-text', /spin +.*stuck\.py:\d+/);
      await page.keyboard.press('Escape');
      assert.equal(await page.locator('#stack').isVisible(), false);

      // a worker that is killed
      const victim = 3 - busy;
      const pid = Number((await scene.cell(victim, 'Process')).replace('pid ', ''));
      process.kill(pid, 'SIGKILL');
      await scene.seen('#events', new RegExp(`Worker ${victim} \\(pid ${pid}\\) was killed by SIGKILL`));
      await scene.seen('#ends', /Workers that have ended: 1 \(was killed by SIGKILL\)/);
      await scene.until(`document.querySelector('#workers').innerText.includes('pid ${pid}') === false`);
      assert.notEqual(await scene.cell(victim, 'Process'), `pid ${pid}`);
      assert.equal(await scene.cell(victim, 'Spawns'), '2');
      await scene.screenshot('light');
      stuck.destroy();

      assert.deepEqual([...scene.hosts], [new URL(scene.url).host], 'nothing comes from another host');
      assert.deepEqual(scene.problems, []);
    } finally {
      await scene.end();
    }
  });

  test('is used by keyboard: sorts, pauses, chooses a moment', async () => {
    const scene = await Scene.start(browser, { colorScheme: 'dark' });
    try {
      const { page } = scene;
      scene.load();
      await page.goto(scene.url);
      await scene.seen('#tiles div:nth-child(1)', /[1-9]\d* in all/);
      await page.keyboard.press('Tab');
      assert.equal(await page.locator(':focus').innerText(), 'Skip to the figures');
      const focused = async () => (await page.locator(':focus').innerText()).trim();
      const tabTo = async (text: RegExp) => {
        for (let i = 0; i < 60; i++) {
          if (text.test(await focused())) return;
          await page.keyboard.press('Tab');
        }
        assert.fail(`no way to ${text} by the Tab key`);
      };
      await tabTo(/^Throughput/);
      await scene.until(`document.querySelector('.chart path.line-0').getAttribute('d').includes('L')`);
      await page.keyboard.press('ArrowLeft');
      assert.match(await page.locator('.chart .moment').first().innerText(), /\d\d:\d\d:\d\d/);
      await page.keyboard.press('Escape');
      assert.equal(await page.locator('.chart .moment').first().innerText(), '');

      await tabTo(/^Requests$/);
      await page.keyboard.press('Enter');
      const head = page.locator('#workers th[aria-sort]');
      assert.deepEqual([await head.innerText(), await head.getAttribute('aria-sort')], ['Requests', 'descending']);
      await page.keyboard.press('Enter');
      assert.equal(await head.getAttribute('aria-sort'), 'ascending');
      assert.equal(await focused(), 'Requests', 'the focus stays while the figures change');

      await page.keyboard.press('p');
      await scene.seen('#state', /^paused$/);
      assert.equal(await page.locator('#pause').getAttribute('aria-pressed'), 'true');
      const still = await page.locator('#tiles').innerText();
      await request(Number(new URL(scene.url).port), '/dashboard.json'); // the server goes on
      assert.equal(await page.locator('#tiles').innerText(), still);
      await page.keyboard.press('p');
      await scene.until(`document.querySelector('#tiles').innerText !== ${JSON.stringify(still)}`);
      await scene.screenshot('dark');
      assert.deepEqual(scene.problems, []);
    } finally {
      await scene.end();
    }
  });

  test('fits on a phone', async () => {
    const scene = await Scene.start(browser, { viewport: PHONE, hasTouch: true });
    try {
      const { page } = scene;
      scene.load();
      await page.goto(scene.url);
      await scene.seen('#endpoints tbody', /\/quick/);
      const stuck = await open(scene.server.port);
      stuck.write(`GET /nap?${'with-a-long-query-'.repeat(20)} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await scene.seen('#running tbody', /GET \/nap/);
      await scene.screenshot('phone');
      const wide = await page.evaluate<string[]>(OUTSIDE);
      assert.deepEqual(wide, [], 'nothing sticks out');
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), PHONE.width);
      for (const id of ['workers', 'endpoints', 'running', 'apps']) {
        const box = (await page.locator(`#${id} table`).boundingBox())!;
        assert(box.x >= 0 && box.x + box.width <= PHONE.width, `${id} is ${box.width} wide`);
      }
      await page.locator('.chart svg').first().tap();
      await scene.screenshot('phone');
      stuck.destroy();
      assert.deepEqual(scene.problems, []);
    } finally {
      await scene.end();
    }
  });

  test('asks for the token, and shows nothing without it', async () => {
    const scene = await Scene.start(browser, {}, ['--stats-token', 'open-sesame']);
    try {
      const { page } = scene;
      await page.goto(scene.url);
      await page.locator('#lock').waitFor();
      assert.equal(await page.locator('main').isVisible(), false);
      await page.keyboard.type('wrong'); // the field has the focus
      await page.keyboard.press('Enter');
      await scene.seen('#lock-note', /That is not the token/);
      await page.locator('#token').fill('open-sesame');
      await page.keyboard.press('Enter');
      await scene.seen('#state', /^serving$/);
      await page.reload();
      await scene.seen('#state', /^serving$/); // it is kept as long as the tab
      assert.equal(await page.locator('#lock').isVisible(), false);
      assert(!page.url().includes('sesame'));
      for (const problem of scene.problems) assert.match(problem, /status of 401/); // by the browser itself
    } finally {
      await scene.end();
    }
  });

  test('says when the server does not answer, and goes on when it does again', async () => {
    const scene = await Scene.start(browser);
    try {
      await scene.page.goto(scene.url);
      await scene.seen('#state', /^serving$/);
      const args = ['--http', '127.0.0.1:0', '--wsgi-file', 'hello.py', '--stats', new URL(scene.url).host];
      await scene.server.stop();
      await scene.seen('#state', /^no answer/);
      const successor = await startServer(args);
      try {
        await scene.seen('#state', /^serving$/);
        await scene.seen('#server', new RegExp(`^pid ${successor.pid},`));
        await scene.seen('#events', new RegExp(`started anew, as pid ${successor.pid}`));
        await scene.seen('#workers tbody', /^(?!.*\bjs\b)/);
      } finally {
        await successor.stop();
      }
    } finally {
      await scene.end();
    }
  });
});
