import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, counted, duration, grouped } from '../design/format';
import { writesOf, writtenText, type Restore } from './words';

const restore = (counts: Record<string, number>) => ({ counts }) as unknown as Restore;

test('what is written is counted; what is left alone is not', () => {
  const plan = restore({ create: 2, overwrite: 1, identical: 40, skip: 3, blocked: 1 });
  assert.equal(writesOf(plan), 3);
  assert.equal(writtenText(plan), '2 brought back, 1 overwritten');
  assert.equal(writtenText(restore({ identical: 4 })), 'nothing');
});

test('amounts are shown as people read them', () => {
  assert.equal(bytes(0), '0 B');
  assert.equal(bytes(1536), '1.5 KiB');
  assert.equal(bytes(5 * 1024 ** 4), '5 TiB');
  assert.equal(counted(1, 'report'), '1 report');
  assert.equal(counted(1200, 'report'), '1,200 reports');
  assert.equal(duration(59.6), '1 min 0 s');
  assert.equal(duration(7260), '2 h 1 min');
  assert.equal(grouped('abcdef0123'), 'abcd ef01 23');
});
