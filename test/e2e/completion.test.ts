// The completion scripts in the shells they are for.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ROOT, runToEnd } from './harness.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-completion-'));
after(() => rmSync(directory, { recursive: true }));
const scriptOf = (shell: string) => execFileSync(process.execPath, [join(ROOT, 'dist/cli.js'), 'completion', shell]);
writeFileSync(join(directory, 'complete.bash'), scriptOf('bash'));
writeFileSync(join(directory, '_nuwsgi'), scriptOf('zsh'));
writeFileSync(join(directory, 'app.yaml'), '');

describe('completion in bash', () => {
  function complete(...words: string[]): string[] {
    const list = words.map((word) => `'${word}'`).join(' ');
    const script = `source complete.bash; COMP_WORDS=(nuwsgi ${list}); COMP_CWORD=${words.length}; _nuwsgi; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', script], { cwd: directory, encoding: 'utf8' }).split('\n').filter(Boolean);
  }

  test('gives options, words they choose from, files and commands', () => {
    assert.deepEqual(complete('--http-eng'), ['--http-engine']);
    assert(complete('--').length > 50);
    assert.deepEqual(complete('--http-engine', ''), ['uws', 'node']);
    assert.deepEqual(complete('--http-engine', '=', 'n'), ['node']);
    assert.deepEqual(complete('--yaml', 'a'), ['app.yaml']);
    assert.deepEqual(complete('--processes', ''), []);
    assert.deepEqual(complete('che'), ['check']);
    assert.deepEqual(complete('check', 'a'), ['app.yaml']);
  });
});

describe('completion in zsh', () => {
  test('is a function that zsh loads, with a line for every option', () => {
    const script = `fpath=(${directory} $fpath); autoload -U compinit; compinit -u -d ${directory}/dump; autoload +X _nuwsgi
      print -r -- $_comps[nuwsgi]; functions _nuwsgi`;
    const output = execFileSync('zsh', ['-f', '-c', script], { cwd: directory, encoding: 'utf8' });
    assert.match(output, /^_nuwsgi\n/);
    assert.match(output, /--http-engine\[serve all HTTP sockets/);
  });
});

test('another shell is told which there are', async () => {
  const { code, output } = await runToEnd(['completion', 'fish']);
  assert.equal(code, 2);
  assert.match(output, /completion = "fish" is not one of bash, zsh/);
  assert.match((await runToEnd(['completion'])).output, /^usage: nuwsgi completion bash\|zsh/);
});
