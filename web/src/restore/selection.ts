// What a person has chosen so far: assets, and what happens to those that exist here.
import { useState } from 'react';
import type { operations } from '../../generated/schema';
import { keyOf, type Mode, type PlanItem } from './words';

export type PlanRequest = operations['planRestore']['requestBody']['content']['application/json'];

export interface Chosen {
  item: PlanItem;
  mode: Mode;
}

export const mostAssets = 20_000;

export function useSelection() {
  const [chosen, setChosen] = useState<ReadonlyMap<string, Chosen>>(new Map());
  const [everything, setEverything] = useState<Mode | null>(null);
  const [withRoles, setWithRoles] = useState(false);
  const change = (edit: (next: Map<string, Chosen>) => void) =>
    setChosen((before) => {
      const next = new Map(before);
      edit(next);
      return next;
    });
  return {
    chosen,
    everything,
    withRoles,
    setWithRoles,
    setEverything,
    add: (items: PlanItem[]) =>
      change((next) => {
        for (const item of items) {
          if (item.action !== 'blocked' && !next.has(keyOf(item)) && next.size < mostAssets)
            next.set(keyOf(item), { item, mode: 'overwrite' });
        }
      }),
    remove: (items: PlanItem[]) => change((next) => items.forEach((item) => next.delete(keyOf(item)))),
    setMode: (item: PlanItem, mode: Mode) => change((next) => next.set(keyOf(item), { item, mode })),
    clear: () => {
      setChosen(new Map());
      setEverything(null);
    },
    request: (archiveId: string): PlanRequest => {
      const assets = [...chosen.values()].map(({ item }) => ({ kind: item.kind, id: item.id }));
      const choices = [...chosen.values()]
        .filter(({ mode }) => mode !== 'overwrite')
        .map(({ item, mode }) => ({ kind: item.kind, id: item.id, mode }));
      return {
        archive_id: archiveId,
        everything: everything !== null,
        assets: everything ? [] : assets,
        mode: everything ?? 'overwrite',
        choices: everything ? [] : choices,
        with_roles: withRoles,
        leave_out_blocked: false,
      };
    },
  };
}

export type Selection = ReturnType<typeof useSelection>;

/** Chosen by itself, or because its workspace or everything is. */
export function isIncluded(selection: Selection, item: PlanItem): boolean {
  return (
    selection.everything !== null ||
    (item.kind !== 'workspace' && selection.chosen.has(`workspace:${item.workspace_id}`))
  );
}
