// Back to a moment: a time line with what happened as marks, then the job that makes an archive of that moment. What
// follows is the restore that every archive has. The chosen moment and the job are in the address, so that a reload
// goes on.
import { Card, CardBody, EmptyState, EmptyStateBody } from '@patternfly/react-core';
import { useCallback, useEffect, useState } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router-dom';
import { useActiveJobs, useBegun } from '../api/active_jobs';
import { useAction } from '../api/action';
import { answer, api } from '../api/client';
import { isOver, textOf, useJob, type Job } from '../api/jobs';
import { useMe } from '../api/me';
import { useReloadArchives } from '../backup/archive';
import { useContinuity, type Continuity } from '../backup/continuity';
import { ErrorNotice } from '../design/ErrorNotice';
import { JobOutcome } from '../design/JobOutcome';
import { Loading } from '../design/Loading';
import { PageFrame } from '../design/PageFrame';
import { exact } from '../design/format';
import { ChooseMoment } from './ChooseMoment';

export interface Wanted {
  at: string; // RFC 3339, as precise as the entry of the audit log that it is just before
  rows: boolean;
}

export function MomentPage() {
  const me = useMe();
  const navigate = useNavigate();
  const [parameters, setParameters] = useSearchParams();
  const begun = useBegun();
  const reload = useReloadArchives();
  const continuity = useContinuity();
  const [givenUp, setGivenUp] = useState<string | null>(null);
  const found = useActiveJobs(['archive.moment']).find(({ id }) => id !== givenUp)?.id ?? null;
  const jobId = parameters.get('job') ?? found;
  const job = useJob(jobId).data;
  const over = job !== undefined && isOver(job);
  const at = parameters.get('at');
  const put = useCallback(
    (values: Record<string, string | null>) =>
      setParameters(
        (before) => {
          const next = new URLSearchParams(before);
          for (const [name, value] of Object.entries(values)) {
            if (value === null) next.delete(name);
            else next.set(name, value);
          }
          return next;
        },
        { replace: true },
      ),
    [setParameters],
  );
  useEffect(() => {
    if (jobId) put({ job: jobId }); // so that it is still known when it is over
  }, [jobId, put]);
  const start = useAction(
    (body: Wanted, header) => answer(api.POST('/v1/archives/from-moment', { params: { header }, body })),
    (job: Job) => {
      begun(job);
      put({ job: job.id });
    },
  );
  const done = useCallback(
    (job: Job) => {
      reload();
      const archiveId = textOf(job.result, 'archive_id');
      if (archiveId) navigate(`/settings/backup/archives/${archiveId}/restore`, { replace: true });
    },
    [navigate, reload],
  );
  const { data } = continuity;
  return (
    <PageFrame
      title="Restore from a moment"
      crumbs={[{ text: 'Backup', to: '/settings/backup' }]}
      about={`Choose the moment before something went wrong. You see what ${me.tenant.name} had then and choose what comes back; nothing changes before you have approved the plan.`}
    >
      <div className="oa-stack">
        <ErrorNotice error={data ? null : continuity.error} onRetry={() => void continuity.refetch()} />
        {!data && !continuity.error && <Loading what="what can be gone back to" lines={6} />}
        {jobId && (
          <Card>
            <CardBody className="oa-stack">
              <JobOutcome
                key={jobId}
                jobId={jobId}
                title={`Bringing ${me.tenant.name} back beside what is here${at ? `, as of ${exact(at)}` : ''}`}
                onDone={done}
                onRetry={() => {
                  setGivenUp(jobId);
                  put({ job: null });
                }}
              />
              {!over && (
                <p className="oa-small">
                  A copy of the whole database is brought to that moment, {me.tenant.name} is read out of it into an
                  archive, and the copy is removed. It goes on when you leave this page.
                </p>
              )}
            </CardBody>
          </Card>
        )}
        {data && !jobId && (data.earliest === null || data.state === 'off') && <NotYet continuity={data} />}
        {data && !jobId && data.earliest !== null && data.state !== 'off' && (
          <ChooseMoment
            earliest={data.earliest}
            at={at}
            resource={parameters.get('about')}
            busy={start.isPending}
            onChoose={(next) => put({ at: next })}
            onEverything={() => put({ about: null })}
            onStart={(wanted) => start.mutate(wanted)}
            problem={<ErrorNotice error={start.error} doing="It was not begun" />}
          />
        )}
      </div>
    </PageFrame>
  );
}

function NotYet({ continuity }: { continuity: Continuity }) {
  const off = continuity.state === 'off';
  return (
    <EmptyState titleText={off ? 'Continuous backup is off' : 'The first copy is being made'} headingLevel="h2">
      <EmptyStateBody>
        {off
          ? 'Only archives can bring something back here.'
          : 'As soon as it is there, you can go back to any second from then on.'}{' '}
        <Link to="/settings/backup">See the archives</Link>.
      </EmptyStateBody>
    </EmptyState>
  );
}
