// Follows one job: its progress, then its failure, or what the caller makes of its result.
import { useEffect, useRef, type ReactNode } from 'react';
import { isOver, useJob, type Job } from '../api/jobs';
import { Problem } from '../api/problem';
import { ErrorNotice } from './ErrorNotice';
import { JobProgress } from './JobProgress';

interface Props {
  jobId: string;
  title?: string;
  first?: Job;
  /** Called once when the job has succeeded while this was shown, or before. */
  onDone?: (job: Job) => void;
  onRetry?: () => void;
  children?: (job: Job) => ReactNode;
}

export function failureOf(job: Job): Problem | null {
  if (job.state === 'cancelled') return new Problem(409, { code: 'request/cancelled' });
  if (job.state !== 'failed') return null;
  return new Problem(422, job.failure ?? { code: 'internal' });
}

export function JobOutcome({ jobId, title, first, onDone, onRetry, children }: Props) {
  const { data: job } = useJob(jobId);
  const told = useRef<string | null>(null);
  useEffect(() => {
    if (job?.state !== 'succeeded' || told.current === job.id) return;
    told.current = job.id;
    onDone?.(job);
  }, [job, onDone]);
  if (!job || !isOver(job)) return <JobProgress jobId={jobId} title={title} first={first} />;
  const failure = failureOf(job);
  if (failure) return <ErrorNotice error={failure} jobId={job.id} onRetry={onRetry} />;
  return <>{children?.(job)}</>;
}
