// Exports and erasures as the pages speak of them.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { answer, api, type Schema } from '../api/client';
import { useList } from '../api/lists';

export type Erasure = Schema['Erasure'];
export type PersonalExport = Schema['PersonalExport'];
export type Person = Schema['TenantPerson'];
export type Preview = Schema['ErasurePreview'];

const privacyKey = ['privacy'];
export const settingsKey = [...privacyKey, 'settings'];
export const exportsKey = [...privacyKey, 'exports'];

/** Of one person, or of everybody. */
export function useExports(userId?: string) {
  return useList<PersonalExport>(
    [...exportsKey, userId ?? 'all'],
    (page) =>
      answer(api.GET('/v1/privacy/exports', { params: { query: { ...page, ...(userId && { user_id: userId }) } } })),
    { limit: 20 },
  );
}

export function usePeople(q: string) {
  return useList<Person>(
    [...privacyKey, 'people', q],
    (page) => answer(api.GET('/v1/privacy/people', { params: { query: { ...page, ...(q && { q }) } } })),
    { limit: 10, keepBefore: true },
  );
}

export function usePreview(userId: string) {
  return useQuery({
    queryKey: [...privacyKey, 'preview', userId],
    queryFn: () =>
      answer(api.GET('/v1/privacy/people/{user_id}/erasure-preview', { params: { path: { user_id: userId } } })),
    staleTime: 0,
    gcTime: 0, // what it says of the person goes when it is not looked at
  });
}

export function useErasures() {
  return useList<Erasure>(
    [...privacyKey, 'erasures'],
    (page) => answer(api.GET('/v1/privacy/erasures', { params: { query: page } })),
    { limit: 20 },
  );
}

export function useErasure(id: string) {
  return useQuery({
    queryKey: [...privacyKey, 'erasure', id],
    queryFn: () => answer(api.GET('/v1/privacy/erasures/{erasure_id}', { params: { path: { erasure_id: id } } })),
    refetchInterval: ({ state }) => (state.data?.state === 'scheduled' ? 10_000 : false),
  });
}

/** After something was exported or erased: names and lists everywhere may be others. */
export function useReloadPrivacy() {
  const client = useQueryClient();
  return useCallback(() => void client.invalidateQueries({ queryKey: privacyKey }), [client]);
}

export const contentPath = ({ id }: PersonalExport) => `/v1/privacy/exports/${id}/content`;
export const certificatePath = ({ id }: Erasure) => `/v1/privacy/erasures/${id}/certificate`;
export const erasurePath = (id: string) => `/settings/privacy/erasures/${id}`;
export const erasePath = (userId: string) => `/settings/privacy/erase?person=${encodeURIComponent(userId)}`;
