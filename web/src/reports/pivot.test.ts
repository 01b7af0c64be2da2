import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer, AnswerColumn, Cell } from './answer';
import { pivot } from './pivot';

const dimension = (id: string): AnswerColumn => ({ id, label: id, kind: 'text', role: 'dimension' });
const measure = (id: string): AnswerColumn => ({ id, label: id, kind: 'decimal', role: 'measure' });
const answer = (columns: AnswerColumn[], rows: Cell[][]): Answer => ({ columns, rows, row_count: rows.length });

const cells = answer(
  [dimension('region'), dimension('month'), measure('aov')],
  [
    ['North', 'Jan', '10'],
    ['North', 'Feb', '20'],
    ['South', 'Feb', '40'],
  ],
);
const totals = [
  answer(
    [dimension('region'), measure('aov')],
    [
      ['North', '14'],
      ['South', '40'],
    ],
  ),
  answer(
    [dimension('month'), measure('aov')],
    [
      ['Jan', '10'],
      ['Feb', '26'],
    ],
  ),
  answer([measure('aov')], [['22']]),
];

test('cells stand where their row and column meet; what there is none of stays empty', () => {
  const matrix = pivot(cells, [], { rows: ['region'], columns: ['month'] });
  assert.deepEqual(
    matrix.rows.map(({ labels }) => labels),
    [['North'], ['South']],
  );
  assert.deepEqual(
    matrix.across.map(({ label }) => label),
    ['Jan', 'Feb'],
  );
  assert.equal(matrix.cell('North', 'Feb', 'aov'), '20');
  assert.equal(matrix.cell('South', 'Jan', 'aov'), undefined);
  assert.equal(matrix.hasTotals, false);
});

test('totals are those of the server, not sums', () => {
  const matrix = pivot(cells, totals, { rows: ['region'], columns: ['month'] });
  assert.equal(matrix.hasRowTotals, true);
  assert.equal(matrix.hasTotals, true);
  assert.equal(matrix.cell('North', '', 'aov'), '14');
  assert.equal(matrix.cell('', 'Feb', 'aov'), '26');
  assert.equal(matrix.cell('', '', 'aov'), '22');
});

test('without columns all dimensions are rows', () => {
  const matrix = pivot(
    cells,
    [answer([dimension('region'), measure('aov')], [['North', '14']]), totals[2] as Answer],
    {},
  );
  assert.deepEqual(matrix.rowNames, ['region', 'month']);
  assert.equal(matrix.rows.length, 3);
  assert.equal(matrix.across.length, 0);
  assert.equal(matrix.cell('', '', 'aov'), '22');
});

test('a total of the first of two row dimensions is no row of the matrix', () => {
  const matrix = pivot(cells, [answer([dimension('region'), measure('aov')], [['North', '14']])], {});
  assert.equal(matrix.cell('North', '', 'aov'), undefined);
});

test('months run forward, whatever the rows are ordered by', () => {
  const month: AnswerColumn = { id: 'month', label: 'month', kind: 'date', role: 'dimension', grain: 'month' };
  const rows: Cell[][] = [
    ['North', '2026-04-01', '9'],
    ['North', '2025-10-01', '8'],
    ['South', '2026-01-01', '7'],
  ];
  const matrix = pivot(answer([dimension('region'), month, measure('n')], rows), [], { columns: ['month'] });
  assert.deepEqual(
    matrix.across.map(({ label }) => label),
    ['Oct 2025', 'Jan 2026', 'Apr 2026'],
  );
});

test('options that name unknown dimensions are not followed', () => {
  const matrix = pivot(cells, [], { columns: ['year', 7] });
  assert.deepEqual(matrix.rowNames, ['region', 'month']);
});
