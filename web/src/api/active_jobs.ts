// Jobs that are under way, found again after a reload.
import { useQuery, useQueryClient } from '@tanstack/react-query';
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
