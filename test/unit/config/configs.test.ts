import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { serve } from './serve.js';

/** The tests run from build/test/unit/config. */
const CONFIGS = fileURLToPath(new URL('../../../../configs/', import.meta.url));

describe('the quick start', () => {
  test('loads as YAML and as INI, and both say the same', () => {
    const yaml = serve([join(CONFIGS, 'quickstart.yaml')]);
    const ini = serve([join(CONFIGS, 'quickstart.ini')]);
    assert.deepEqual({ ...yaml.config, yaml: [] }, { ...ini.config, ini: [] });
    assert.deepEqual(yaml.warnings.concat(ini.warnings), []);
    const { config, apps } = yaml;
    assert.deepEqual(
      apps.map(({ path, target }) => [path, target.text]),
      [
        ['', 'foobar.py'],
        ['/js', 'hello.mjs'],
      ],
    );
    assert.deepEqual(
      [config.chdir, config.processes, config.threads, config.http[0]!.text],
      [resolve('examples'), 2, 2, ':9090'],
    );
  });
});
