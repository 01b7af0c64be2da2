// One restore: its plan until it is approved, then its progress, then what came of it.
import { Card, CardBody, Label } from '@patternfly/react-core';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect } from 'react';
import { Navigate, useParams, useSearchParams } from 'react-router-dom';
import { useActiveJobs, useBegun } from '../api/active_jobs';
import { useAction } from '../api/action';
import { answer, api } from '../api/client';
import { textOf, useJob, type Job } from '../api/jobs';
import { ErrorNotice } from '../design/ErrorNotice';
import { JobOutcome } from '../design/JobOutcome';
import { Loading } from '../design/Loading';
import { PageFrame } from '../design/PageFrame';
import { moment } from '../design/format';
import { PlanView } from './PlanView';
import { ResultView } from './ResultView';
import { useRestore } from './items';
import type { Restore } from './words';

const stateLabels: Record<Restore['state'], React.ReactNode> = {
  planned: <Label status="info">Planned: nothing has changed yet</Label>,
  applying: <Label status="info">Being applied</Label>,
  applied: <Label status="success">Applied</Label>,
  undone: <Label status="warning">Taken back</Label>,
};

export function RestorePage() {
  const { restoreId = '' } = useParams();
  const [parameters, setParameters] = useSearchParams();
  const client = useQueryClient();
  const begun = useBegun();
  const restore = useRestore(restoreId);
  const found = useActiveJobs(['restore.apply']).find((job) => textOf(job.subject, 'restore_id') === restoreId);
  const jobId = parameters.get('job') ?? found?.id ?? null;
  const ended = useJob(jobId).data?.state;
  const failed = ended === 'failed' || ended === 'cancelled';
  const apply = useAction(
    (body: { plan_hash: string }, header) =>
      answer(
        api.POST('/v1/restores/{restore_id}/apply', { params: { path: { restore_id: restoreId }, header }, body }),
      ),
    (job: Job) => {
      begun(job);
      setParameters({ job: job.id }, { replace: true });
    },
  );
  const applied = useCallback(() => {
    setParameters({}, { replace: true });
    void client.invalidateQueries(); // what was restored is in every list
  }, [client, setParameters]);
  const again = useCallback(() => {
    setParameters({}, { replace: true });
    void client.invalidateQueries({ queryKey: ['restores', restoreId] });
  }, [client, restoreId, setParameters]);

  useEffect(() => {
    if (failed) void client.invalidateQueries({ queryKey: ['restores', restoreId] }); // it says why
  }, [client, failed, restoreId]);

  const data = restore.data;
  if (data?.purpose === 'compare' && data.archive_id) {
    return <Navigate to={`/settings/backup/archives/${data.archive_id}/restore?compare=${data.id}`} replace />;
  }
  const busy = (jobId !== null && !failed) || apply.isPending;
  const over = data?.state === 'applied' || data?.state === 'undone';
  return (
    <PageFrame
      key={restoreId}
      title={data ? titleOf(data) : 'Restore'}
      crumbs={[
        { text: 'Backup', to: '/settings/backup' },
        { text: 'History', to: '/settings/backup/restores' },
      ]}
      actions={data && stateLabels[busy && !over ? 'applying' : data.state]}
    >
      <div className="oa-stack">
        <ErrorNotice error={restore.error} onRetry={() => void restore.refetch()} />
        {!data && !restore.error && <Loading what="the plan" />}
        {jobId && !over && (
          <Card>
            <CardBody>
              <JobOutcome
                key={jobId}
                jobId={jobId}
                title={data?.kind === 'undo' ? 'Taking the restore back' : 'Restoring'}
                onDone={applied}
                onRetry={again}
              />
            </CardBody>
          </Card>
        )}
        <ErrorNotice error={apply.error} doing="Nothing was restored" onRetry={again} />
        {data && over && <ResultView restore={data} />}
        {data && !over && (
          <PlanView restore={data} busy={busy} onApprove={() => apply.mutate({ plan_hash: data.plan_hash })} />
        )}
      </div>
    </PageFrame>
  );
}

export function titleOf(restore: Restore): string {
  if (restore.kind === 'undo') return 'Undo of a restore';
  const from = restore.snapshot_time ? ` from ${moment(restore.snapshot_time)}` : '';
  return `Restore${from}`;
}
