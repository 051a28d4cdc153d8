// The map of src/README.md holds: imports run downward only, neighbours on one layer do not know each other, and no file
// imports itself by way of others.

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
const IMPORT = /^(?:import|export) [^;]*?from '(\.[^']+)\.js';/gms;

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const importsOf = new Map(
  files.map((file) => {
    const source = readFileSync(join(SRC, file), 'utf8');
    const targets = [...source.matchAll(IMPORT)].map((match) => normalize(join(dirname(file), `${match[1]}.ts`)));
    return [file, targets.filter((target) => !target.startsWith('..'))]; // package.json lies above
  }),
);
const directoryOf = (file: string) => (file.includes('/') ? file.slice(0, file.indexOf('/')) : '');
const layerOf = (file: string) => LAYERS.findIndex((layer) => layer.includes(directoryOf(file)));

describe('the structure of src', () => {
  test('has a layer for every file, and finds every file that is imported', () => {
    for (const [file, targets] of importsOf) {
      assert(layerOf(file) >= 0, `${file} is in no layer`);
      for (const target of targets) assert(importsOf.has(target), `${file} imports ${target}`);
    }
  });

  test('has imports that run downward only, and none between neighbours', () => {
    const wrong = [...importsOf].flatMap(([file, targets]) =>
      targets
        .filter((target) => directoryOf(target) !== directoryOf(file) && layerOf(target) <= layerOf(file))
        .map((target) => `${file} imports ${target}`),
    );
    assert.deepEqual(wrong, []);
  });

  test('has no cycles', () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      assert(!path.includes(file), `a cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`);
      if (done.has(file)) return;
      for (const target of importsOf.get(file)!) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of importsOf.keys()) visit(file, []);
  });
});
