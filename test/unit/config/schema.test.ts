import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { optionsSchema } from '../../../src/config/schema.js';

/** The tests run from build/test/unit/config. */
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

describe('the schema for editors', () => {
  const validate = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(optionsSchema()));
  const errors = (text: string) => {
    validate(parse(text));
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`).join('; ');
  };

  test('takes the example configurations', () => {
    const files = readdirSync(join(ROOT, 'configs'), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => /\.ya?ml$/.test(name))) {
      const text = read(join('configs', file));
      if (/^n?uwsgi:/m.test(text)) assert.equal(errors(text), '', file);
    }
  });

  test('takes what the server takes, and marks what it does not', () => {
    assert.equal(
      errors('uwsgi:\n  http: [":9090", ":9091"]\n  env: { A: 1 }\n  master: on\n  processes: "%(n)"\n'),
      '',
    );
    assert.equal(errors('nuwsgi:\n  apps:\n    - mount: /a\n      app: a.py\n      processes: 2\n'), '');
    assert.match(errors('uwsgi:\n  proceses: 4\n'), /must NOT have additional properties/);
    assert.match(errors('uwsgi:\n  processes: 0\n'), /must be >= 1/);
    assert.match(errors('uwsgi:\n  apps:\n    - http: :9090\n'), /must NOT have additional properties/);
  });
});
