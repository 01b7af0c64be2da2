import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distribution, seconds, stepsIn } from './words';

test('steps stand in the order in which they are taken', () => {
  const steps = stepsIn({ restore: 2, 'something-new': 4, archive: 1, compare: 3 });
  assert.deepEqual(
    steps.map(({ value }) => value),
    [1, 2, 3, 4],
  );
  assert.equal(steps[3]?.label, 'something-new');
});

test('a distribution is told as what it is', () => {
  assert.equal(distribution(null), 'not measured yet');
  assert.equal(distribution({ count: 1, min: 2, median: 2, p90: 2, max: 2 }), '2.0 s, measured once');
  assert.equal(
    distribution({ count: 4, min: 0.5, median: 1, p90: 70, max: 90 }),
    'median 1.0 s, nine of ten within 1 min 10 s, at most 1 min 30 s, of 4',
  );
  assert.equal(seconds(59.94), '59.9 s');
});
