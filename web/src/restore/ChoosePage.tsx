// From an archive to a plan. The comparison with what is here starts by itself; its id and those of running jobs
// are in the address, so that a reload goes on.
import { Card, CardBody } from '@patternfly/react-core';
import { useCallback, useEffect, useRef } from 'react';
import { useNavigate, useParams, useSearchParams } from 'react-router-dom';
import { useAction } from '../api/action';
import { answer, api } from '../api/client';
import { textOf, type Job } from '../api/jobs';
import { useArchive } from '../backup/archive';
import { ErrorNotice } from '../design/ErrorNotice';
import { JobOutcome } from '../design/JobOutcome';
import { Loading } from '../design/Loading';
import { PageFrame } from '../design/PageFrame';
import { moment } from '../design/format';
import { ChooseAssets } from './ChooseAssets';
import { useRestore } from './items';
import type { PlanRequest } from './selection';

export function ChoosePage() {
  const { archiveId = '' } = useParams();
  const [parameters, setParameters] = useSearchParams();
  const navigate = useNavigate();
  const archive = useArchive(archiveId);
  const compareId = parameters.get('compare');
  const compareJob = parameters.get('job');
  const planJob = parameters.get('plan');
  const compare = useAction(
    (_input: null, header) =>
      answer(api.POST('/v1/archives/{archive_id}/compare', { params: { path: { archive_id: archiveId }, header } })),
    (job: Job) => setParameters({ job: job.id }, { replace: true }),
  );
  const plan = useAction(
    (body: PlanRequest, header) => answer(api.POST('/v1/restores', { params: { header }, body })),
    (job: Job) => setParameters((before) => ({ ...Object.fromEntries(before), plan: job.id }), { replace: true }),
  );
  const begun = useRef(false);
  const { mutate: startCompare } = compare;
  useEffect(() => {
    if (compareId || compareJob || begun.current) return;
    begun.current = true;
    startCompare(null);
  }, [compareId, compareJob, startCompare]);
  const compared = useCallback(
    (job: Job) => {
      const id = textOf(job.result, 'restore_id');
      if (id) setParameters({ compare: id }, { replace: true });
    },
    [setParameters],
  );
  const request = plan.variables;
  const planned = useCallback(
    (job: Job) => {
      const id = textOf(job.result, 'restore_id');
      if (id) navigate(`/settings/backup/restores/${id}`, { state: { request } });
    },
    [navigate, request],
  );
  const forgetPlan = useCallback(
    () => setParameters(compareId ? { compare: compareId } : {}, { replace: true }),
    [compareId, setParameters],
  );
  return (
    <PageFrame
      title={archive.data ? `Restore from ${moment(archive.data.snapshot_time)}` : 'Restore'}
      crumbs={[{ text: 'Backup', to: '/settings/backup' }]}
      about="Choose what to bring back. You see the plan before anything changes, and what was made since stays."
      keepFocus={compareId !== null}
    >
      <div className="oa-stack">
        <ErrorNotice
          error={archive.error ?? compare.error}
          onRetry={() => {
            void archive.refetch();
            startCompare(null);
          }}
        />
        {!compareId && compareJob && (
          <Card>
            <CardBody>
              <JobOutcome jobId={compareJob} onDone={compared} onRetry={() => startCompare(null)} />
            </CardBody>
          </Card>
        )}
        {!compareId && !compareJob && !compare.error && <Loading what="the comparison" />}
        {compareId && (
          <Compared
            compareId={compareId}
            archiveId={archiveId}
            onCompare={() => startCompare(null)}
            onPlan={(body) => plan.mutate(body)}
            busy={plan.isPending || planJob !== null}
          >
            <ErrorNotice error={plan.error} doing="The plan was not made" />
            {planJob && <JobOutcome key={planJob} jobId={planJob} onDone={planned} onRetry={forgetPlan} />}
          </Compared>
        )}
      </div>
    </PageFrame>
  );
}

interface ComparedProps {
  compareId: string;
  archiveId: string;
  busy: boolean;
  onCompare: () => void;
  onPlan: (request: PlanRequest) => void;
  children: React.ReactNode;
}

function Compared({ compareId, archiveId, busy, onCompare, onPlan, children }: ComparedProps) {
  const comparison = useRestore(compareId);
  if (!comparison.data)
    return comparison.error ? (
      <ErrorNotice error={comparison.error} onRetry={onCompare} />
    ) : (
      <Loading what="the comparison" />
    );
  return (
    <ChooseAssets comparison={comparison.data} archiveId={archiveId} busy={busy} onCompare={onCompare} onPlan={onPlan}>
      {children}
    </ChooseAssets>
  );
}
