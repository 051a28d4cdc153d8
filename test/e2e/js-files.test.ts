// Which files are JavaScript or TypeScript apps, what of them is called, and the types that an app can import.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ROOT, request, runToEnd, startServer } from './harness.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-test-'));
after(() => rmSync(directory, { recursive: true }));

const ESM = (name: string) => `export function ${name}(env, start) { start('200 OK', []); return import.meta.url; }`;
const CJS = `function application(env, start) { start('200 OK', []); return __filename; }`;
// biome-ignore format: a table
const FILES: readonly (readonly [name: string, source: string, args?: readonly string[]])[] = [
  ['named.mjs',        ESM('application')],
  ['callable.mjs',     ESM('other'), ['--callable', 'other']],
  ['default.mjs',      `export default ${ESM('application').replace('export ', '')}`],
  ['object.mjs',       `${ESM('app').replace('export ', '')}\nexport default { application: app };`],
  ['late.mjs',         `await new Promise(setImmediate);\n${ESM('application')}`],
  ['module.js',        ESM('application')],
  ['commonjs.js',      `${CJS}\nexports.application = application;`],
  ['function.cjs',     `${CJS}\nmodule.exports = application;`],
  ['exports.cjs',      `${CJS}\nexports.application = application;`],
  ['with space ü.mjs', ESM('application')],
];
const TYPED = `import type { Application } from 'nuwsgi';
export const application: Application = (env, start): string => { start('200 OK', []); return env.PATH_INFO as string; };`;

const stripsTypes = Boolean((process.features as { typescript?: unknown }).typescript);

describe('the file of a JavaScript app', () => {
  for (const [name, source, args = []] of FILES) {
    test(name, async () => {
      writeFileSync(join(directory, name), source);
      const server = await startServer(['--http', '127.0.0.1:0', '--wsgi-file', name, ...args], { cwd: directory });
      const { status, body } = await request(server.port, '/');
      assert.equal(status, 200);
      assert.match(body, new RegExp(name.split(/[ .]/)[0]!));
      await server.stop();
    });
  }

  for (const option of ['--app', '--wsgi-file']) {
    for (const name of ['typed.ts', 'typed.mts', 'typed.cts']) {
      const source = name.endsWith('.cts')
        ? 'exports.application = (env: unknown, start: any) => { start("200 OK", []); return ""; }'
        : TYPED;
      test(`${option} ${name} runs where Node strips types, and is refused where it does not`, async () => {
        writeFileSync(join(directory, name), source);
        const command = ['--http', '127.0.0.1:0', option, name];
        if (stripsTypes) {
          const server = await startServer(command, { cwd: directory });
          assert.equal((await request(server.port, '/x')).status, 200);
          await server.stop();
        } else {
          const { code, output } = await runToEnd(command, { cwd: directory });
          assert.equal(code, 22);
          assert.match(
            output,
            new RegExp(`Node ${process.versions.node} does not run TypeScript\\. Use Node 22\\.18 or newer`),
          );
        }
      });
    }
  }
});

describe('the types of the published package', () => {
  const project = join(directory, 'project');
  mkdirSync(join(project, 'node_modules'), { recursive: true });

  /** Compiles `source` against the package as npm would publish it; gives what the compiler says. */
  const compile = (source: string) => {
    writeFileSync(join(project, 'app.ts'), source);
    const options = { module: 'nodenext', target: 'es2023', strict: true, noEmit: true, types: ['node'] };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['app.ts'] }));
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    return spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' }).stdout;
  };

  test('say what an app gets and may give', () => {
    const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', project], {
      cwd: ROOT,
      encoding: 'utf8',
    }).trim();
    execFileSync('tar', ['xzf', join(project, packed), '-C', project]);
    symlinkSync(join(project, 'package'), join(project, 'node_modules/nuwsgi'));
    symlinkSync(join(ROOT, 'node_modules/@types'), join(project, 'node_modules/@types'));
    assert(readdirSync(join(project, 'package')).includes('README.md'));
    const source = `
      import type { Application, Body, Environ, RequestInput, StartResponse, Write } from 'nuwsgi';
      export const whole: Application = (environ, startResponse) => {
        const name: string = environ.PATH_INFO;
        startResponse('200 OK', [['Content-Type', 'text/plain']]);
        environ['wsgi.errors'].write('x');
        return name;
      };
      export async function application(environ: Environ, startResponse: StartResponse): Promise<Body> {
        const input: RequestInput = environ['wsgi.input'];
        const text: string = await input.text();
        const bytes: Uint8Array = await input.bytes();
        for await (const chunk of input) void chunk;
        const write: Write = startResponse('200 OK', [], new Error('x'));
        await write(text);
        await write(bytes);
        return (async function* () { yield 'a'; yield new Uint8Array(1); })();
      }
      export const asynchronous: Application = application;
      export const generator: Application = function* () { yield 'a'; };
      export const nothing: Application = () => {};
    `;
    assert.equal(compile(source), '');
  });

  for (const [mistake, source, error] of [
    ['a number as the body', `export const app: Application = () => 42;`, /TS2322/],
    ['a number as the status', `export const app: Application = (_, start) => { start(200, []); };`, /TS2345/],
    ['a number in a field', `export const app: Application = (_, start) => { start('200', [['A', 1]]); };`, /TS2322/],
    ['assigning the method', `export const app: Application = (env) => { env.REQUEST_METHOD = 'GET'; };`, /TS2540/],
  ] as const) {
    test(`refuse ${mistake}`, () => {
      assert.match(compile(`import type { Application } from 'nuwsgi';\n${source}`), error);
    });
  }
});
