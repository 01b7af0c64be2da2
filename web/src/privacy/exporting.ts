import { useActiveJobs, useBegun, useRemembered } from '../api/active_jobs';
import { useAction } from '../api/action';
import { answer, api } from '../api/client';
import { textOf, type Job } from '../api/jobs';
import { useReloadPrivacy } from './privacy';

/** Begins exports, and follows those under way; undefined asks for one's own. */
export function useExporting(onBegun?: () => void) {
  const begun = useBegun();
  const reload = useReloadPrivacy();
  const jobs = useRemembered(useActiveJobs(['privacy.export']));
  const start = useAction(
    (userId: string | undefined, header) =>
      answer(api.POST('/v1/privacy/exports', { params: { header }, body: userId ? { user_id: userId } : {} })),
    (job: Job) => {
      begun(job);
      reload();
      onBegun?.();
    },
  );
  return { start, jobs, reload };
}

export const isAbout = (job: Job, userId: string) => textOf(job.subject, 'user_id') === userId;
