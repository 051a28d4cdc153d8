// The same configuration read by a real uWSGI and by nuwsgi: what do the placeholders, letters and blocks become?
//
// uWSGI shows its reading by show-config. What nuwsgi does on purpose in another way is not in the file (docs/differences.md).

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readCommandLine } from '../../src/config/command-line.js';

const INI = `[uwsgi]
later-first = %(base)
base = 3
next = %(base + 4)
base = 5
env = JOIN=x%(base)y%(base next)
env = SUM=%(base next + 1)
env = TIMES=%(next * 5)
env = HALF=%(next / 2)
env = UP=%(next ++)
env = DOWN=%(next --)
env = NOTHING=%(next / 0)
env = UNKNOWN=%(nobody + 1)
env = STAYS=%(addr) $(NOBODY) 
env = FORWARD=%(later-first)
env = FILE=<@(words.txt)>
env = ENV=$(UWSGI_TEST_VARIABLE)
env = MAGIC=%p|%d|%n|%e|%s|%o|%c|%x|%k|%v|%h|%u|%U|%g|%G|%0|%1|%9|%i|%j|%%
env = QUOTES="a" ; b # c
set = through-set=%(base)
env = SET=%(through-set)
for = a b c
  env = FOR=%(_)
  env = FOR=%(_)-%(base)
endfor =
for-times = 3
  env = TIMES%(_)=
end-for =
for-glob = *.ini
  env = GLOB=%(_)
endfor
for-readline = words.txt
  env = LINE=%(_)
endfor
if-env = UWSGI_TEST_VARIABLE
  env = IF=%(_)
endif
if-not-env = NOBODY
  env = IFNOT=1
endif
if-opt = base=3
  env = IFOPT=%(_)
end-if =
if-exists = words.txt
  env = EXISTS=%(_)
endif
if-dir = words.txt
  env = NO=1
endif
ini = :other
include = part.ini
env = AFTER=1
inherit = last.ini

[other]
env = OTHER=%x %n
`;

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-dialect-'));
after(() => rmSync(directory, { recursive: true }));
for (const [name, text] of Object.entries({
  'main.ini': INI,
  'part.ini': '[uwsgi]\nenv = PART=%n %N %s %S\n',
  'last.ini': '[uwsgi]\nenv = LAST=%n\n',
  'words.txt': 'one two',
})) {
  writeFileSync(join(directory, name), text);
}
const env = { ...process.env, UWSGI_TEST_VARIABLE: 'from the environment' };

test('placeholders, letters, loops and conditions become what they become in uWSGI', () => {
  const args = ['--ini', 'main.ini', '--show-config', '--no-server', '--socket', '127.0.0.1:0'];
  const { stderr: shown } = spawnSync('uwsgi', args, { cwd: directory, env, encoding: 'utf8' });
  const expected = Array.from(shown.matchAll(/^env = (.*)$/gm), (match) => match[1]!);
  assert(expected.length > 30, shown);

  const back = process.cwd();
  process.chdir(directory);
  try {
    const command = readCommandLine(['--ini', 'main.ini', '--http', ':0', 'app.py'], env);
    assert(command.kind === 'serve');
    const found = command.resolved.config.env.map(({ text }) => text);
    assert.deepEqual(found, expected);
  } finally {
    process.chdir(back);
  }
});
