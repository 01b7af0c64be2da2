// Archives as the pages speak of them.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { answer, api, type Schema } from '../api/client';
import { counted } from '../design/format';

export type Archive = Schema['Archive'];

export const archivesKey = ['archives'];

export function useArchive(id: string) {
  return useQuery({
    queryKey: [...archivesKey, id],
    queryFn: () => answer(api.GET('/v1/archives/{archive_id}', { params: { path: { archive_id: id } } })),
    enabled: id !== '',
  });
}

export function useReloadArchives() {
  const client = useQueryClient();
  return useCallback(() => void client.invalidateQueries({ queryKey: archivesKey }), [client]);
}

const kinds: [string, string][] = [
  ['reports', 'report'],
  ['datasets', 'dataset'],
  ['alerts', 'alert'],
  ['workspaces', 'workspace'],
];

/** "12 reports, 5 datasets, 2 workspaces". */
export function contentsText(archive: Archive): string {
  const parts = kinds.flatMap(([key, one]) => {
    const value = archive.counts[key] ?? 0;
    return value > 0 ? [counted(value, one)] : [];
  });
  return parts.join(', ') || 'nothing';
}

export function extrasOf(archive: Archive): string[] {
  const extras = [];
  if (archive.rows) extras.push('with rows');
  if (archive.audit) extras.push('with audit log');
  if (archive.workspace_ids) extras.push(counted(archive.workspace_ids.length, 'workspace') + ' only');
  return extras;
}

export function whoMade(archive: Archive): string {
  const who = archive.created_by?.name;
  if (archive.origin === 'scheduled') return 'the schedule';
  if (archive.origin === 'moment') return who ? `${who}, from continuous backup` : 'continuous backup';
  if (archive.origin === 'uploaded') return who ? `${who}, uploaded` : 'upload';
  return who ?? 'the operator';
}

export const downloadPath = (archive: Archive) => `/v1/archives/${archive.id}/content`;
