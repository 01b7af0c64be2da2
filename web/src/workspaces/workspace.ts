import { useQuery } from '@tanstack/react-query';
import { answer, api, type Schema } from '../api/client';
import { loadAll } from '../api/lists';

export type Workspace = Schema['Workspace'];

/** All workspaces of the caller: they are few. */
export function useWorkspaces() {
  return useQuery({
    queryKey: ['workspaces', 'all'],
    queryFn: () =>
      loadAll<Workspace>(
        (query) => answer(api.GET('/v1/workspaces', { params: { query } })),
        5000,
        () => {},
      ),
    staleTime: 60_000,
  });
}

export function mayEdit(role: Schema['Role'] | undefined): boolean {
  return role === 'editor' || role === 'admin';
}
