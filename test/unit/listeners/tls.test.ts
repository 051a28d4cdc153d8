import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadTls } from '../../../src/listeners/tls.js';
import { selfSigned } from '../../e2e/certificates.js';

const directory = mkdtempSync(join(tmpdir(), 'nuwsgi-tls-'));
after(() => rmSync(directory, { recursive: true }));
const DAY_MS = 86_400_000;

describe('the age of a certificate', () => {
  const pair = selfSigned(directory, 'localhost'); // for 30 days from now
  const files = { ...pair, ciphers: undefined, clientCa: undefined, needsClient: false };
  const warningsIn = async (days: number) =>
    (await loadTls('--https', files, new Date(Date.now() + days * DAY_MS))).warnings;

  test('is told before it begins, in its last tenth, and when it is over', async () => {
    assert.deepEqual(await warningsIn(0.1), []);
    assert.deepEqual(await warningsIn(26.5), []);
    assert.match((await warningsIn(27.5))[0]!, /^--https: .*localhost\.pem: the certificate expires soon: /);
    assert.match((await warningsIn(31))[0]!, /the certificate has expired: /);
    assert.match((await warningsIn(-1))[0]!, /the certificate is not valid before /);
  });

  test('TLS 1.2 is the oldest that node:https is told to speak', async () => {
    assert.equal((await loadTls('--https', files)).options.minVersion, 'TLSv1.2');
  });
});
