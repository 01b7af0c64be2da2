// Jobs that are under way, found again after a reload.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api } from './client';
import { isOver, jobKey, type Job } from './jobs';

const activeKey = ['jobs', 'active'];

export function useActiveJobs(kinds: Job['kind'][]): Job[] {
  const query = useQuery({
    queryKey: activeKey,
    queryFn: async () => (await answer(api.GET('/v1/jobs', { params: { query: { limit: 100 } } }))).data,
    refetchInterval: ({ state }) => (state.data?.some((job) => !isOver(job)) ? 4000 : 30_000),
  });
  return (query.data ?? []).filter((job) => kinds.includes(job.kind) && !isOver(job));
}

/** Makes a job that was begun just now known to every part of the page. */
export function useBegun() {
  const client = useQueryClient();
  return (job: Job) => {
    client.setQueryData(jobKey(job.id), job);
    client.setQueryData<Job[]>(activeKey, (known) => [job, ...(known ?? []).filter(({ id }) => id !== job.id)]);
  };
}

/** Jobs that ended while the page was open stay, so that their failure can be read. */
export function useRemembered(active: Job[]): Job[] {
  const [seen, setSeen] = useState<Job[]>([]);
  const fresh = active.filter((job) => !seen.some(({ id }) => id === job.id));
  if (fresh.length > 0) setSeen([...fresh, ...seen]);
  return seen;
}
