import { useMemo, useState } from 'react';
import { answer, api } from '../api/client';
import { useList } from '../api/lists';
import { takesAway, type Event } from './event_words';
import type { View } from './view';

export type Show = 'changes' | 'lost' | 'all';

/**
 * What happened in the span that is looked at; what ends at the present moment is asked again now and then. Its question
 * stays the same while it is looked at, so that the list, and the focus in it, stays where it is.
 */
export function useEvents(view: View, show: Show, resource: string | null) {
  const { span, live, zoom, earliest } = view;
  const first = useFirst(span.from, `${live} ${zoom} ${earliest}`);
  const query = {
    from: new Date(live ? first : span.from).toISOString(),
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
  const events = useMemo(
    () =>
      (rows ?? []).filter(
        (event) => (show !== 'lost' || takesAway(event)) && new Date(event.ts).getTime() >= span.from,
      ),
    [rows, show, span.from],
  );
  return { ...list, events };
}

/** What `value` was when `of` became what it is. */
function useFirst<Value>(value: Value, of: string): Value {
  const [first, keep] = useState({ value, of });
  if (first.of === of) return first.value;
  keep({ value, of });
  return value;
}
