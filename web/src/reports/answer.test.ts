import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellText, dateText, numberOf, type AnswerColumn } from './answer';
import { filterText } from './filters';
import { placesOf } from './layout';

const column = (kind: string, extra: Partial<AnswerColumn> = {}): AnswerColumn => ({
  id: 'x',
  label: 'X',
  kind,
  role: 'measure',
  ...extra,
});

test('cells are shown by their kind', () => {
  assert.equal(cellText(null, column('text')), '—');
  assert.equal(cellText('1234567.891', column('decimal')), '1,234,567.89');
  assert.equal(cellText(0.256, column('real', { format: 'percent' })), '25.6%');
  assert.equal(cellText('NaN', column('real')), 'NaN');
  assert.equal(cellText(true, column('boolean')), 'yes');
  assert.equal(cellText('00123', column('text')), '00123');
});

test('only numbers are drawn', () => {
  assert.equal(numberOf('12.5'), 12.5);
  assert.equal(numberOf(''), null);
  assert.equal(numberOf(null), null);
  assert.equal(numberOf('Infinity'), null);
});

test('dates are those of UTC, as coarse as their grain', () => {
  assert.equal(dateText('2026-01-01', 'month', 'date'), 'Jan 2026');
  assert.equal(dateText('2026-04-01', 'quarter', 'date'), 'Q2 2026');
  assert.equal(dateText('2026-01-01T00:00:00Z', 'year', 'timestamp'), '2026');
  assert.equal(dateText('soon', 'day', 'date'), 'soon');
});

test('filters read as sentences', () => {
  assert.equal(filterText({ field: 'region', op: 'in', value: ['North', 'South'] }), 'region is one of North, South');
  assert.equal(filterText({ field: 'region', op: 'is_null', value: false }), 'region is given');
  assert.equal(
    filterText({ field: 'day', op: 'relative', value: { last: 30, unit: 'day' } }),
    'day in the last 30 days',
  );
  assert.equal(filterText({ field: 'amount', op: 'between', value: [1, 5] }), 'amount is between 1 and 5');
});

test('a visual without a usable place comes below the others', () => {
  const places = placesOf(
    { cells: [{ visual: 'a', x: 6, y: 0, w: 12, h: 4 }, { visual: 'b', x: -1, y: 0, w: 6, h: 4 }, 5] },
    ['a', 'b', 'c'],
  );
  assert.deepEqual(places.get('a'), { '--oa-x': 7, '--oa-y': 1, '--oa-w': 6, '--oa-h': 4 });
  assert.deepEqual(places.get('b'), { '--oa-x': 1, '--oa-y': 5, '--oa-w': 12, '--oa-h': 4 });
  assert.deepEqual(places.get('c'), { '--oa-x': 1, '--oa-y': 9, '--oa-w': 12, '--oa-h': 4 });
});
