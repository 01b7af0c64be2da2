// When something in a plan is blocked: the same plan again without that. An undo can also take back what was
// edited since.
import { Button } from '@patternfly/react-core';
import { useCallback, useState } from 'react';
import { Link, useLocation, useNavigate } from 'react-router-dom';
import { useAction } from '../api/action';
import { answer, api } from '../api/client';
import { textOf, type Job } from '../api/jobs';
import { ErrorNotice } from '../design/ErrorNotice';
import { JobOutcome } from '../design/JobOutcome';
import type { PlanRequest } from './selection';
import { countOf, type Restore } from './words';

type Again = { leave_out_blocked: boolean; discard_edits: boolean };

export function LeaveOutBlocked({ restore }: { restore: Restore }) {
  const navigate = useNavigate();
  const { state } = useLocation() as { state: { request?: PlanRequest } | null };
  const [job, setJob] = useState<Job | null>(null);
  const undoes = restore.kind === 'undo' ? restore.undoes : null;
  const request = state?.request ? { ...state.request, leave_out_blocked: true } : null;
  const plan = useAction((again: Again, header) => {
    if (undoes)
      return answer(
        api.POST('/v1/restores/{restore_id}/undo', { params: { path: { restore_id: undoes }, header }, body: again }),
      );
    if (request) return answer(api.POST('/v1/restores', { params: { header }, body: request }));
    throw new Error('the selection is not known any more');
  }, setJob);
  const done = useCallback(
    (finished: Job) => {
      const id = textOf(finished.result, 'restore_id');
      if (id) navigate(`/settings/backup/restores/${id}`, { replace: true, state: { request } });
    },
    [navigate, request],
  );
  if (job) return <JobOutcome jobId={job.id} first={job} onDone={done} onRetry={() => setJob(null)} />;
  const blocked = countOf(restore, 'blocked') > 0;
  return (
    <div className="oa-row">
      {blocked && (undoes || request) && (
        <Button
          variant="secondary"
          isDisabled={plan.isPending}
          onClick={() => plan.mutate({ leave_out_blocked: true, discard_edits: false })}
        >
          Plan it without what is blocked
        </Button>
      )}
      {blocked && undoes && (
        <Button
          variant="secondary"
          isDanger
          isDisabled={plan.isPending}
          onClick={() => plan.mutate({ leave_out_blocked: false, discard_edits: true })}
        >
          Plan it, and take back later edits too
        </Button>
      )}
      {!undoes && restore.archive_id && (
        <Link to={`/settings/backup/archives/${restore.archive_id}/restore`}>Choose again</Link>
      )}
      <ErrorNotice error={plan.error} />
    </div>
  );
}
