import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import { answer, api } from '../api/client';
import { useWorkspaces } from '../workspaces/workspace';

const most = 500; // of each kind in a workspace; what has no name here is told without

/** Names of the reports and datasets that are here now, by id. */
export function useNames(): ReadonlyMap<string, string> {
  const workspaces = useWorkspaces().data ?? [];
  const lists = useQueries({
    queries: workspaces.map(({ id }) => ({
      queryKey: ['workspaces', id, 'names'],
      queryFn: async () => {
        const params = { path: { workspace_id: id }, query: { limit: most } };
        const [reports, datasets] = await Promise.all([
          answer(api.GET('/v1/workspaces/{workspace_id}/reports', { params })),
          answer(api.GET('/v1/workspaces/{workspace_id}/datasets', { params })),
        ]);
        return [...reports.data, ...datasets.data].map(({ id: asset, name }) => [asset, name] as const);
      },
    })),
    combine: (results) => results.map(({ data }) => data),
  });
  return useMemo(() => new Map(lists.flatMap((list) => list ?? [])), [lists]);
}
