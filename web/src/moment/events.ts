import { useMemo } from 'react';
import { answer, api } from '../api/client';
import { useList } from '../api/lists';
import { takesAway, type Event } from './event_words';
import type { View } from './view';

export type Show = 'changes' | 'lost' | 'all';

/** What happened in the span that is looked at; what ends at the present moment is asked again now and then. */
export function useEvents(view: View, show: Show, resource: string | null) {
  const { span, live, earliest } = view;
  const coarse = 60_000; // so that the question stays the same for a while
  const query = {
    from: new Date(live ? Math.max(earliest, Math.floor(span.from / coarse) * coarse) : span.from).toISOString(),
    ...(live ? {} : { to: new Date(span.to).toISOString() }),
    ...(show === 'all' ? {} : { changes: true }),
    ...(resource ? { resource_id: resource } : {}),
  };
  const list = useList<Event>(
    ['audit', 'moments', query],
    (page) => answer(api.GET('/v1/audit/events', { params: { query: { ...query, ...page } } })),
    { limit: 200, refetchInterval: live ? 15_000 : false },
  );
  const { rows } = list;
  const events = useMemo(() => (rows ?? []).filter((event) => show !== 'lost' || takesAway(event)), [rows, show]);
  return { ...list, events };
}
