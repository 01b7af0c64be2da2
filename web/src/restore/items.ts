import { useQuery } from '@tanstack/react-query';
import { answer, api } from '../api/client';
import { loadAll, useList, type PageOf } from '../api/lists';
import type { Action, AssetKind, PlanItem } from './words';

export interface ItemFilter {
  kind?: AssetKind;
  action?: Action;
  q?: string;
}

export function loadItems(restoreId: string, filter: ItemFilter) {
  return (page: PageOf) =>
    answer(
      api.GET('/v1/restores/{restore_id}/items', {
        params: { path: { restore_id: restoreId }, query: { ...filter, ...page } },
      }),
    );
}

export function useItems(restoreId: string, filter: ItemFilter, limit = 200) {
  return useList<PlanItem>(['restores', restoreId, 'items', filter], loadItems(restoreId, filter), { limit });
}

export function useRestore(restoreId: string) {
  return useQuery({
    queryKey: ['restores', restoreId],
    queryFn: () => answer(api.GET('/v1/restores/{restore_id}', { params: { path: { restore_id: restoreId } } })),
    enabled: restoreId !== '',
  });
}

/** Names of the archive's workspaces, by id. */
export function useWorkspaceNames(restoreId: string): Map<string, string> {
  const { data } = useQuery({
    queryKey: ['restores', restoreId, 'workspaces'],
    queryFn: async () => {
      const items = await loadAll<PlanItem>(loadItems(restoreId, { kind: 'workspace' }), 5000, () => {});
      return new Map(items.map(({ target_id: id, name }) => [id, name]));
    },
    staleTime: Infinity,
  });
  return data ?? new Map<string, string>();
}
