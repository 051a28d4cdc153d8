// The map of src/README.md holds: imports run downward only, neighbours on one layer do not know each other, and no file
// needs itself to be loaded by way of others. (Two files may name each other's types: that is gone when the program runs.)

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT } from '../../e2e/harness.js';

/** From the top down. What stands in one line are neighbours; '' are the files of src/ itself. */
const LAYERS: readonly (readonly string[])[] = [
  [''],
  ['emperor', 'client'],
  ['observe', 'lifecycle', 'listeners', 'process'],
  ['edge'],
  ['dispatch'],
  ['worker'],
  ['arena'],
  ['wire'],
  ['config'],
  ['base'],
];
const SRC = join(ROOT, 'src');
const IMPORT = /^(?:import|export) (type )?[^;]*?from '(\.[^']+)\.js';/gms;

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const importsOf = new Map(
  files.map((file) => {
    const source = readFileSync(join(SRC, file), 'utf8');
    const imports = [...source.matchAll(IMPORT)].map(([, type, path]) => ({
      target: normalize(join(dirname(file), `${path}.ts`)),
      isType: type !== undefined,
    }));
    return [file, imports];
  }),
);
const directoryOf = (file: string) => (file.includes('/') ? file.slice(0, file.indexOf('/')) : '');
const layerOf = (file: string) => LAYERS.findIndex((layer) => layer.includes(directoryOf(file)));

describe('the structure of src', () => {
  test('has a layer for every file, and finds every file that is imported', () => {
    for (const [file, imports] of importsOf) {
      assert(layerOf(file) >= 0, `${file} is in no layer`);
      for (const { target } of imports) assert(importsOf.has(target), `${file} imports ${target}`);
    }
  });

  test('has imports that run downward only, and none between neighbours', () => {
    const wrong = [...importsOf].flatMap(([file, imports]) =>
      imports
        .map(({ target }) => target)
        .filter((target) => directoryOf(target) !== directoryOf(file) && layerOf(target) <= layerOf(file))
        .map((target) => `${file} imports ${target}`),
    );
    assert.deepEqual(wrong, []);
  });

  test('has no cycles', () => {
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
        return;
      }
      if (done.has(file)) return;
      for (const { target, isType } of importsOf.get(file)!) if (!isType) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of importsOf.keys()) visit(file, []);
    assert.deepEqual(cycles, []);
  });
});
