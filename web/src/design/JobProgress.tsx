// How far a long operation is. It goes on without this page.
import { Button, Progress } from '@patternfly/react-core';
import { useAction } from '../api/action';
import { answer, api } from '../api/client';
import { isOver, useJob, type Job } from '../api/jobs';
import { ErrorNotice } from './ErrorNotice';
import { bytes, count, duration, percent } from './format';
import { stepText, titleOf } from './job_words';
import { useNow } from './now';

interface Props {
  jobId: string;
  title?: string;
  /** Shown while the first answer is on its way. */
  first?: Job;
}

export function JobProgress({ jobId, title, first }: Props) {
  const query = useJob(jobId);
  const job = query.data ?? first;
  const cancel = useAction(() => answer(api.POST('/v1/jobs/{job_id}/cancel', { params: { path: { job_id: jobId } } })));
  const now = useNow(1000, !!job && !isOver(job));
  if (query.error && !job)
    return (
      <ErrorNotice error={query.error} doing="The progress cannot be shown" onRetry={() => void query.refetch()} />
    );
  const name = title ?? (job ? titleOf(job) : 'Starting');
  if (!job || (!isOver(job) && job.progress.total === 0)) {
    return (
      <div>
        <div className="oa-row">
          <strong>{name}</strong>
          <span className="oa-small">{job ? unknownText(job, now) : 'asking the server'}</span>
          {job && <Cancel />}
        </div>
        <div className="oa-unknown" role="progressbar" aria-label={name} />
        <ErrorNotice error={cancel.error} />
      </div>
    );
  }
  const { done, total } = job.progress;
  const value = job.state === 'succeeded' ? 100 : percent(done, total);
  const variant = job.state === 'failed' ? 'danger' : job.state === 'succeeded' ? 'success' : undefined;
  return (
    <div>
      <Progress
        title={name}
        value={value}
        variant={variant}
        aria-label={name}
        label={isOver(job) ? stateText(job) : `${value} %`}
      />
      {!isOver(job) && (
        <div className="oa-row">
          <span className="oa-small">{knownText(job, now)}</span>
          <Cancel />
        </div>
      )}
      <ErrorNotice error={cancel.error} />
    </div>
  );

  function Cancel() {
    if (!job || isOver(job)) return null;
    if (job.cancel_requested) return <span className="oa-small">is being cancelled…</span>;
    return (
      <Button variant="link" isInline isDisabled={cancel.isPending} onClick={() => cancel.mutate(undefined)}>
        Cancel
      </Button>
    );
  }
}

function amount(value: number, unit: string): string {
  return unit === 'bytes' ? bytes(value) : `${count(value)}${unit ? ` ${unit}` : ''}`;
}

function elapsed(job: Job, now: number): number {
  return job.started_at ? Math.max(0, (now - new Date(job.started_at).getTime()) / 1000) : 0;
}

function unknownText(job: Job, now: number): string {
  if (job.state === 'queued') return 'waits for its turn';
  const parts = [stepText(job.progress.step)];
  if (job.progress.done > 0) parts.push(amount(job.progress.done, job.progress.unit));
  const seconds = elapsed(job, now);
  if (seconds >= 2) parts.push(duration(seconds));
  return parts.filter(Boolean).join(' · ');
}

function knownText(job: Job, now: number): string {
  const { step, done, total, unit } = job.progress;
  const text = [stepText(step), `${amount(done, unit)} of ${amount(total, unit)}`].filter(Boolean).join(' · ');
  const seconds = elapsed(job, now);
  return seconds >= 2 ? `${text} · ${duration(seconds)}` : text;
}

function stateText(job: Job): string {
  if (job.state === 'succeeded') return 'Done';
  return job.state === 'failed' ? 'Failed' : 'Cancelled';
}
