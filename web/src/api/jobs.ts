// A job as it changes: server-sent events while the page is seen. A browser allows few connections at once, so a
// page that is in the background lets go of its own and asks again when it comes back.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { answer, api, type Schema } from './client';

export type Job = Schema['Job'];

export function isOver(job: Job): boolean {
  return job.state === 'succeeded' || job.state === 'failed' || job.state === 'cancelled';
}

function newer(known: Job | undefined, job: Job): Job {
  return known && known.revision > job.revision ? known : job;
}

export const jobKey = (id: string) => ['job', id];
const mostStreams = 2;
let streams = 0;

/** Follows the job of this id; null follows nothing. */
export function useJob(id: string | null) {
  const client = useQueryClient();
  const [streaming, setStreaming] = useState(false);
  const query = useQuery({
    queryKey: jobKey(id ?? ''),
    queryFn: async () => {
      const job = await answer(api.GET('/v1/jobs/{job_id}', { params: { path: { job_id: id ?? '' } } }));
      return newer(client.getQueryData<Job>(jobKey(id ?? '')), job);
    },
    enabled: id !== null,
    // Beside a stream as well, rarely: a proxy may hold events back.
    refetchInterval: ({ state }) => (state.data && isOver(state.data) ? false : streaming ? 10_000 : 3000),
  });
  const over = query.data ? isOver(query.data) : false;
  useEffect(() => {
    if (id === null || over) return undefined;
    let source: EventSource | null = null;
    const close = () => {
      if (source) streams -= 1;
      source?.close();
      source = null;
      setStreaming(false);
    };
    const open = () => {
      if (source || document.hidden || streams >= mostStreams) return;
      streams += 1;
      setStreaming(true);
      source = new EventSource(`/v1/jobs/${id}/events`);
      source.addEventListener('job', (event) => {
        const job = JSON.parse(event.data as string) as Job;
        client.setQueryData<Job>(jobKey(id), (known) => newer(known, job));
        if (isOver(job)) close();
      });
      source.addEventListener('error', () => {
        if (source?.readyState === EventSource.CLOSED) close();
      });
    };
    const seen = () => (document.hidden ? close() : open());
    open();
    document.addEventListener('visibilitychange', seen);
    return () => {
      document.removeEventListener('visibilitychange', seen);
      close();
    };
  }, [client, id, over]);
  return query;
}

/** A text of the job's result or subject; null when it has none of that name. */
export function textOf(values: object | null | undefined, name: string): string | null {
  const value = (values as Record<string, unknown> | null | undefined)?.[name];
  return typeof value === 'string' ? value : null;
}
