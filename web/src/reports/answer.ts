// The cells of an answer as numbers and texts.
import type { Schema } from '../api/client';

export type Answer = Schema['Answer'];
export type AnswerColumn = Answer['columns'][number];
export type Cell = Answer['rows'][number][number];

export function columnsOf(answer: Answer, role: AnswerColumn['role']): { column: AnswerColumn; index: number }[] {
  return answer.columns.map((column, index) => ({ column, index })).filter(({ column }) => column.role === role);
}

/** Decimals come as texts, so that they keep their digits. */
export function numberOf(cell: Cell | undefined): number | null {
  if (cell === null || cell === undefined || cell === '' || typeof cell === 'boolean') return null;
  const value = Number(cell);
  return Number.isFinite(value) ? value : null;
}

const isNumeric = (column: AnswerColumn) => ['integer', 'real', 'decimal'].includes(column.kind);

export function alignsRight(column: AnswerColumn): boolean {
  return isNumeric(column);
}

export function numberText(value: number, column: AnswerColumn, short = false): string {
  if (column.format === 'percent')
    return new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 }).format(value);
  const options: Intl.NumberFormatOptions =
    short && Math.abs(value) >= 10_000
      ? { notation: 'compact', maximumFractionDigits: 1 }
      : { maximumFractionDigits: 2 };
  return new Intl.NumberFormat(undefined, options).format(value);
}

export function cellText(cell: Cell | undefined, column: AnswerColumn): string {
  if (cell === null || cell === undefined) return '—';
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  if (isNumeric(column)) {
    const value = numberOf(cell);
    return value === null ? String(cell) : numberText(value, column);
  }
  if (column.kind === 'date' || column.kind === 'timestamp') return dateText(String(cell), column.grain, column.kind);
  return String(cell);
}

export function dateText(text: string, grain: string | undefined, kind: string): string {
  const date = new Date(kind === 'date' || text.length === 10 ? `${text.slice(0, 10)}T00:00:00Z` : text);
  if (Number.isNaN(date.getTime())) return text;
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(undefined, { timeZone: 'UTC', ...options }).format(date);
  if (grain === 'year') return format({ year: 'numeric' });
  if (grain === 'quarter') return `Q${Math.floor(date.getUTCMonth() / 3) + 1} ${date.getUTCFullYear()}`;
  if (grain === 'month') return format({ year: 'numeric', month: 'short' });
  if (kind === 'date' || grain) return format({ dateStyle: 'medium' });
  return format({ dateStyle: 'medium', timeStyle: 'short' });
}

/** The dimensions of a row, joined: what the row is about. */
export function labelOf(answer: Answer, row: Cell[]): string {
  const parts = columnsOf(answer, 'dimension').map(({ column, index }) => cellText(row[index], column));
  return parts.length > 0 ? parts.join(' · ') : 'All';
}
