// The words for kinds, actions and modes of a restore.
import type { LabelProps } from '@patternfly/react-core';
import type { Schema } from '../api/client';
import { count, counted } from '../design/format';

export type PlanItem = Schema['PlanItem'];
export type Restore = Schema['Restore'];
export type Action = Schema['Action'];
export type Mode = Schema['Mode'];
export type AssetKind = Schema['AssetKind'];

export const kindNames: Record<AssetKind, string> = {
  workspace: 'Workspace',
  dataset: 'Dataset',
  report: 'Report',
  alert: 'Alert',
};

/** Of an archived asset against what is here now. */
export const stateNames: Partial<Record<Action, { text: string; status: LabelProps['status'] }>> = {
  create: { text: 'Deleted here', status: 'danger' },
  overwrite: { text: 'Changed here', status: 'warning' },
  blocked: { text: 'Not possible', status: 'custom' },
};

/** What the plan does. */
export const actionNames: Record<Action, { text: string; status: LabelProps['status'] }> = {
  create: { text: 'Bring back', status: 'success' },
  overwrite: { text: 'Overwrite', status: 'warning' },
  fork: { text: 'Add a copy', status: 'info' },
  skip: { text: 'Leave as it is', status: 'custom' },
  identical: { text: 'Same already', status: 'custom' },
  blocked: { text: 'Not possible', status: 'danger' },
  remove: { text: 'Remove', status: 'danger' },
};

export const doneNames: Partial<Record<Action, string>> = {
  create: 'brought back',
  overwrite: 'overwritten',
  fork: 'added as a copy',
  remove: 'removed',
};

export const modeNames: Record<Mode, string> = {
  overwrite: 'Overwrite it',
  fork: 'Keep both: add a copy',
  skip: 'Leave it as it is',
};

export const rowsNames: Record<PlanItem['rows'], string> = {
  none: '',
  restore: 'rows from the archive',
  'keep-live': 'rows stay as they are',
  'needs-refresh': 'has to be refreshed afterwards',
};

export function countOf(restore: Restore, action: Action): number {
  return restore.counts[action] ?? 0;
}

/** How many things are written. */
export function writesOf(restore: Restore): number {
  return (['create', 'overwrite', 'fork', 'remove'] as const).reduce(
    (sum, action) => sum + countOf(restore, action),
    0,
  );
}

/** "2 brought back, 1 overwritten". */
export function writtenText(restore: Restore): string {
  const parts = (['create', 'overwrite', 'fork', 'remove'] as const).flatMap((action) => {
    const value = countOf(restore, action);
    return value > 0 ? [`${count(value)} ${doneNames[action] ?? action}`] : [];
  });
  return parts.join(', ') || 'nothing';
}

export function assets(value: number): string {
  return counted(value, 'asset');
}

export function keyOf(asset: { kind: AssetKind; id: string }): string {
  return `${asset.kind}:${asset.id}`;
}
