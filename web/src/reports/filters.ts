import type { Schema } from '../api/client';

const operators: Record<string, string> = {
  eq: 'is',
  ne: 'is not',
  in: 'is one of',
  not_in: 'is none of',
  lt: 'is below',
  lte: 'is at most',
  gt: 'is above',
  gte: 'is at least',
  between: 'is between',
  contains: 'contains',
};

/** A filter as a sentence: "region is one of North, South". */
export function filterText(filter: Schema['Filter']): string {
  const { field = '?', op = '', value } = filter;
  if (op === 'is_null') return `${field} ${value === false ? 'is given' : 'is not given'}`;
  if (op === 'relative') return `${field} ${relativeText(value)}`;
  const values = Array.isArray(value)
    ? value.map(String).join(op === 'between' ? ' and ' : ', ')
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
  return `${field} ${operators[op] ?? op} ${values}`;
}

function relativeText(value: unknown): string {
  const { last, unit, this: present, previous } = (value ?? {}) as Record<string, unknown>;
  if (last !== undefined) return `in the last ${String(last)} ${String(unit)}s`;
  if (present !== undefined) return `in this ${String(present)}`;
  return `in the ${String(previous)} before`;
}
