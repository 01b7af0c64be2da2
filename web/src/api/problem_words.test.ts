import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { wordsFor } from './problem_words';

const unknown = wordsFor('no/such-code', 400);

test('every code of the contract has words of its own', () => {
  const contract = readFileSync(join(process.cwd(), '../docs/openapi.yaml'), 'utf8');
  const lists = [...contract.matchAll(/x-errors: \[([^\]]*)\]/g)].flatMap((match) =>
    (match[1] ?? '').split(',').map((code) => code.trim()),
  );
  const general = [...contract.matchAll(/`([a-z]+\/[a-z-]+|internal)`/g)].map((match) => match[1] ?? '');
  const codes = new Set([...lists, ...general].filter((code) => code !== '' && !code.startsWith('application/')));
  assert.ok(codes.size > 20, `only ${codes.size} codes were found`);
  assert.deepEqual(
    [...codes].filter((code) => wordsFor(code, 400).what === unknown.what),
    [],
  );
});

test('an answer without a known code goes by its status', () => {
  assert.match(wordsFor('http/429', 429).what, /Too many/);
  assert.match(wordsFor('http/500', 500).what, /failed/);
  assert.equal(wordsFor('http/418', 418).detail, true);
});
