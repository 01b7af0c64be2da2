// Where a report's visuals stand: {"grid":12,"cells":[{"visual","x","y","w","h"}]}. One without a cell comes last.
import type { CSSProperties } from 'react';

interface Cell {
  x: number;
  y: number;
  w: number;
  h: number;
}

const columns = 12;
const isCount = (value: unknown, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;

function readCell(value: unknown): [string, Cell] | null {
  if (typeof value !== 'object' || value === null) return null;
  const { visual, x, y, w, h } = value as Record<string, unknown>;
  if (
    typeof visual !== 'string' ||
    !isCount(x, columns - 1) ||
    !isCount(y, 1000) ||
    !isCount(w, columns) ||
    !isCount(h, 100)
  )
    return null;
  return [visual, { x, y, w: Math.max(1, Math.min(w, columns - x)), h: Math.max(1, h) }];
}

export function placesOf(layout: Record<string, unknown>, visuals: string[]): Map<string, CSSProperties> {
  const listed = Array.isArray(layout['cells']) ? layout['cells'] : [];
  const cells = new Map(listed.map(readCell).filter((cell) => cell !== null));
  let bottom = Math.max(0, ...[...cells.values()].map(({ y, h }) => y + h));
  return new Map(
    visuals.map((id) => {
      const cell = cells.get(id) ?? { x: 0, y: bottom, w: columns, h: 4 };
      if (!cells.has(id)) bottom += 4;
      return [id, { '--oa-x': cell.x + 1, '--oa-y': cell.y + 1, '--oa-w': cell.w, '--oa-h': cell.h } as CSSProperties];
    }),
  );
}
