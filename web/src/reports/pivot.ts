// A matrix: an answer's rows laid out by some of their dimensions across. Totals are the server's: ratios and
// distinct counts cannot be added up.
import { cellText, columnsOf, type Answer, type AnswerColumn, type Cell } from './answer';

export interface Matrix {
  rowNames: string[];
  across: { key: string; label: string }[];
  measures: AnswerColumn[];
  rows: { key: string; labels: string[] }[];
  /** By row key, column key ('' for a total) and measure id. */
  cell: (row: string, column: string, measure: string) => Cell | undefined;
  hasRowTotals: boolean;
  hasTotals: boolean;
}

const separator = '\u001f';

function ids(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((id): id is string => typeof id === 'string') : [];
}

function isTime(dimensions: AnswerColumn[], id: string): boolean {
  const kind = dimensions.find((dimension) => dimension.id === id)?.kind;
  return kind === 'date' || kind === 'timestamp';
}

/** Columns of time run forward; others stand as the answer has them. */
function inOrder<Column extends { raw: string }>(columns: Column[], byTime: boolean): Column[] {
  return byTime ? columns.sort((a, b) => (a.raw < b.raw ? -1 : 1)) : columns;
}

export function pivot(answer: Answer, subtotals: Answer[], options: Record<string, unknown>): Matrix {
  const dimensions = columnsOf(answer, 'dimension').map(({ column }) => column);
  const acrossIds = ids(options['columns']).filter((id) => dimensions.some((dimension) => dimension.id === id));
  const down = dimensions.filter(({ id }) => !acrossIds.includes(id));
  const measures = columnsOf(answer, 'measure').map(({ column }) => column);
  const cells = new Map<string, Cell>();
  const rows = new Map<string, string[]>();
  const across = new Map<string, { label: string; raw: string }>();

  const rawOf = (row: Cell[], part: Answer) =>
    part.columns.flatMap(({ id }, index) => (acrossIds.includes(id) ? [String(row[index] ?? '')] : [])).join(separator);
  const read = (part: Answer, total: boolean) => {
    const own = columnsOf(part, 'dimension').map(({ column }) => column.id);
    const valuesOf = (row: Cell[], wanted: string[]) =>
      part.columns.flatMap((column, index) =>
        wanted.includes(column.id) && own.includes(column.id) ? [cellText(row[index], column)] : [],
      );
    const downIds = down.map(({ id }) => id);
    if (total && own.some((id) => downIds.includes(id)) && downIds.some((id) => !own.includes(id))) return; // of a part of the rows
    for (const row of part.rows) {
      const rowLabels = valuesOf(row, downIds);
      const acrossLabels = valuesOf(row, acrossIds);
      if (!total) {
        rows.set(rowLabels.join(separator), rowLabels);
        if (acrossIds.length > 0)
          across.set(acrossLabels.join(separator), { label: acrossLabels.join(' · '), raw: rawOf(row, part) });
      }
      for (const { column, index } of columnsOf(part, 'measure')) {
        cells.set(
          [rowLabels.join(separator), acrossLabels.join(separator), column.id].join('\u001e'),
          row[index] ?? null,
        );
      }
    }
  };
  read(answer, false);
  for (const subtotal of subtotals) read(subtotal, true);
  const cell = (row: string, column: string, measure: string) => cells.get([row, column, measure].join('\u001e'));
  const acrossKeys = inOrder(
    [...across].map(([key, { label, raw }]) => ({ key, label, raw })),
    acrossIds.some((id) => isTime(dimensions, id)),
  );
  const firstRow = rows.keys().next().value ?? '';
  const measure = measures[0]?.id ?? '';
  return {
    rowNames: down.map(({ id, label }) => label || id),
    across: acrossKeys,
    measures,
    rows: [...rows].map(([key, labels]) => ({ key, labels })),
    cell,
    hasRowTotals: acrossKeys.length > 0 && cell(firstRow, '', measure) !== undefined,
    hasTotals: cell('', '', measure) !== undefined,
  };
}
